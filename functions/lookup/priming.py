"""Builds everything before SnapStart takes its snapshot of the memory, so that no request has to wait for it."""

from __future__ import annotations

from functions.lookup.api import Handler, api
from functions.lookup.authorization import ANY_AGENCY
from functions.lookup.routing import Operation


def prime(handler: Handler) -> None:
    """Build every model and route. Reads no data: a pointer in the snapshot would be weeks old when it is restored."""
    for operation in api.operations:
        operation.answer.model_rebuild()
        handler(_refused_before_reading(operation), None)


def _refused_before_reading(operation: Operation) -> dict[str, object]:
    """A permitted request for the operation whose query parameters are invalid."""
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
