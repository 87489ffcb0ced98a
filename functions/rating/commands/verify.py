"""Verify a run: recompute it from its recorded inputs and compare every item."""

from __future__ import annotations

from typing import Any

from functions.rating.commands.compute import compute, inputs_of
from functions.rating.extracts.inventory import NotReady
from functions.rating.publication.items import items_of, load_record
from functions.rating.result import result
from functions.rating.run.record import RunRecord
from functions.rating.services import Services
from shared.months import Month
from shared.table import key, key_of


def verify(services: Services, run: str) -> dict[str, Any]:
    """Recompute a run from its recorded inputs and compare every item to the byte; ``differences`` says where."""
    record = load_record(services.table, run)
    month = Month.parse(record.month)
    differences = _changed_inputs(services, month, record)
    if not differences:
        differences = _changed_items(services, month, record)
    return result(
        "differs" if differences else "verified",
        record.month,
        record,
        report=services.reports.url(record.month, run),
        differences=differences[:100],
    )


def _changed_inputs(services: Services, month: Month, record: RunRecord) -> list[str]:
    inventory = services.extracts.find(month)
    if isinstance(inventory, NotReady):
        return [f"the extracts of {month} are no longer there: {'; '.join(inventory.found)}"]
    now = {(i.key, i.etag) for i in inputs_of(inventory)}
    then = {(i.key, i.etag) for i in record.inputs}
    return sorted(f"{key} is no longer what the run read" for key, _ in then - now) + sorted(
        f"{key} was not there when the run read" for key, _ in now - then
    )


def _changed_items(services: Services, month: Month, record: RunRecord) -> list[str]:
    inventory = services.extracts.find(month)
    if isinstance(inventory, NotReady):
        return [f"the extracts of {month} are no longer there: {'; '.join(inventory.found)}"]
    computed = compute(services, month, services.table.rulebook(record.rulebook), inventory, record.compared_with)
    with services.progress.stage("compare") as facts:
        expected = {key_of(item): item for item in items_of(computed.ratings, computed.record, services.expiry(month))}
        stored = {key_of(item): item for item in services.table.get_many([key(*names) for names in expected])}
        differences = [" ".join(names) for names, item in expected.items() if stored.get(names) != item]
        facts["differences"] = len(differences)
    return differences
