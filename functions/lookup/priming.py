"""Before SnapStart takes its picture: whatever is built at first use is built now, so that it is in the picture."""

from __future__ import annotations

from functions.lookup import contract
from functions.lookup.api import Handler, api


def prime(handler: Handler) -> None:
    """Build every model and route. Reads nothing: a pointer in the picture would be weeks old when it is woken."""
    for model in vars(contract).values():
        if isinstance(model, type) and issubclass(model, contract.Answer):
            model.model_rebuild()
    for operation in api.operations:
        handler(_refused_before_reading(operation.method, operation.rule), None)


def _refused_before_reading(method: str, rule: str) -> dict[str, object]:
    """A request to an operation that its validation refuses."""
    return {
        "rawPath": rule.replace("<", "").replace(">", ""),
        "rawQueryString": "month=none",
        "queryStringParameters": {"month": "none"},
        "headers": {},
        "requestContext": {"http": {"method": method}, "stage": "$default", "requestId": "priming"},
    }
