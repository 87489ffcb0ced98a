"""The one conditional write that moves the pointer and writes the items that belong to it, all or none."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from botocore.exceptions import ClientError

from functions.rating.publication.ledger import Entry, entry_item
from shared.backoff import pauses
from shared.errors import ItemInvalid, PublicationConflict, TableUnavailable
from shared.items import POINTER_KEY, SCHEMA, Pointer, key_of, key_text, publications_text
from shared.table import THROTTLING, Table, table_errors

if TYPE_CHECKING:
    from mypy_boto3_dynamodb.type_defs import TransactWriteItemTypeDef

PATIENCE = 60.0  # seconds of conflicts with other requests, or of throttling, before TableUnavailable
_CHECK_FAILED = "ConditionalCheckFailed"
_PASSING = THROTTLING | {
    "TransactionConflict",
    "ThrottlingError",
    "ProvisionedThroughputExceeded",
    "TransactionInProgressException",
}


class PointerMoved(PublicationConflict):
    """Another publication came first."""


def move_pointer(table: Table, seen: Pointer, following: Pointer, line: Entry, *items: Mapping[str, Any]) -> None:
    """Write the pointer, a line of the ledger and ``items`` in one transaction.

    ``seen``: the pointer that the decision was based on. Raises PointerMoved if the pointer has changed since,
    ItemInvalid if one of the items exists although the pointer has not changed, and TableUnavailable, with DynamoDB's
    reasons, for any other refusal.
    """
    put = [entry_item(replace(line, version=following.version)), *items]
    writes: list[TransactWriteItemTypeDef] = [_pointer_update(table, seen, following)]
    for item in put:
        writes.append(
            {"Put": {"TableName": table.name, "Item": item, "ConditionExpression": "attribute_not_exists(pk)"}}
        )
    waits, give_up_at = pauses(0.05, 5.0), table.clock() + PATIENCE
    while True:
        try:
            with table_errors(table.name):
                table.client.transact_write_items(TransactItems=writes)
        except TableUnavailable as error:
            refused = _reasons(error.__cause__)
            reasons = set(refused) - {"None"}
            if refused and refused[0] == _CHECK_FAILED:  # the first write is the pointer's
                raise PointerMoved(
                    f"month {line.month}: another publication came first; nothing was changed for run {line.run}. Look "
                    "at what is valid now, then ask again if it is still needed."
                ) from error
            if _CHECK_FAILED in reasons:
                raise _already_there(put[refused.index(_CHECK_FAILED) - 1], seen) from error
            if not reasons or not reasons <= _PASSING or table.clock() > give_up_at:
                raise
        else:
            return
        table.sleep(next(waits))


def _pointer_update(table: Table, seen: Pointer, following: Pointer) -> TransactWriteItemTypeDef:
    """An update instead of a put: it keeps attributes that a newer version has added."""
    values = {
        ":version": {"N": str(following.version)},
        ":publications": {"S": publications_text(following)},
        ":schema": {"N": str(SCHEMA)},
    }
    condition = "attribute_not_exists(pk)"
    if seen.version:
        condition, values[":seen"] = "version = :seen", {"N": str(seen.version)}
    return {
        "Update": {
            "TableName": table.name,
            "Key": POINTER_KEY,
            "UpdateExpression": "SET version = :version, publications = :publications, #schema = :schema",
            "ConditionExpression": condition,
            "ExpressionAttributeNames": {"#schema": "schema"},
            "ExpressionAttributeValues": values,
        }
    }


def _already_there(item: Mapping[str, Any], seen: Pointer) -> ItemInvalid:
    """The error for an altered table: the pointer has not moved, but an item of its next version exists."""
    is_at = f"is at version {seen.version}" if seen.version else "is not there, which is right in an empty table only"
    return ItemInvalid(
        f"item {key_text(item)} is there already, and {key_text(POINTER_KEY)} {is_at}; expected no such item before "
        "the next publication. Nothing was changed. Compare both with the ledger, then delete the item, or restore "
        "the pointer (docs/disaster.en.md).",
        key_of(item),
    )


def _reasons(error: BaseException | None) -> list[str]:
    """DynamoDB's reason for each write of a refused transaction. Empty if the error has none."""
    if not isinstance(error, ClientError):
        return []
    code = error.response["Error"]["Code"]
    if code != "TransactionCanceledException":
        return [code] if code in _PASSING else []
    reasons: Any = error.response.get("CancellationReasons", [])
    return [reason.get("Code", "None") for reason in reasons]
