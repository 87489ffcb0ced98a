"""Before SnapStart takes its picture: whatever is built at first use is built now, so that it is in the picture."""

from __future__ import annotations

from functions.lookup.api import Handler, api
from functions.lookup.authorization import ANY_AGENCY
from functions.lookup.routing import Operation


def prime(handler: Handler) -> None:
    """Build every model and route. Reads nothing: a pointer in the picture would be weeks old when it is woken."""
    for operation in api.operations:
        operation.answer.model_rebuild()
        handler(_refused_before_reading(operation), None)


def _refused_before_reading(operation: Operation) -> dict[str, object]:
    """A request that may be made, and that the operation's query refuses."""
    path = operation.rule.replace("<", "").replace(">", "")
    return {
        "rawPath": path,
        "rawQueryString": "month=none",
        "queryStringParameters": {"month": "none"},
        "headers": {},
        "routeKey": f"{operation.method} {path}",
        "requestContext": {
            "http": {"method": operation.method},
            "stage": "$default",
            "requestId": "priming",
            "authorizer": {"jwt": {"claims": {"scope": f"{operation.scope} {ANY_AGENCY}"}}},
        },
    }
