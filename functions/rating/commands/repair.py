"""Repairs a month: writes the items of its valid run again if some were altered, deleted or have expired."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import suppress
from typing import Any

from functions.rating.commands.compute import compute, find_extracts, inputs_of, run_id
from functions.rating.commands.rate import refuse_expired, stage_run
from functions.rating.extracts.inventory import Inventory, NotReady
from functions.rating.publication import ledger, staging
from functions.rating.publication.items import load_record
from functions.rating.result import result
from functions.rating.run.record import Compared
from functions.rating.run.standings import standings_of
from functions.rating.services import Services
from functions.rating.workbook.rulebook import parse
from shared.content import content_id
from shared.errors import ItemInvalid, RunUnknown, RunUnrepairable
from shared.items import Pointer, Publication, rulebook_item, rulebook_key
from shared.levels import Rulebook
from shared.months import Month


def repair(services: Services, month: Month) -> dict[str, Any]:
    """Compute a month's valid run again and write all of its items. The pointer does not move; the ledger gets a line.

    Does not remove items that do not belong to the run; ``verify`` names them. Raises MonthExpired, RunUnknown if
    nothing is published, and RunUnrepairable if the run can't be computed again.
    """
    refuse_expired(services, month)
    pointer = services.table.pointer()
    valid = pointer.publications.get(str(month))
    if valid is None:
        raise RunUnknown(f"month {month} is not published, so there is nothing to repair. Rate the month.")
    lines = [line for line in ledger.entries(services.table, str(month)) if line.run == valid.run]
    inventory = find_extracts(services, month)
    if isinstance(inventory, NotReady):
        raise RunUnrepairable(
            f"the extracts of {month} are no longer there: {', '.join(inventory.missing)}. Bring their versions back "
            "(docs/disaster.en.md), then repair the month again."
        )
    rulebook_id = next((line.rulebook for line in lines if line.moves_the_pointer), valid.rulebook)
    compared_with = _compared_with(services, pointer, valid, rulebook_id, inventory)
    rulebook = _write_rulebook(services, month, rulebook_id)
    if valid.rulebook != rulebook_id:
        _write_rulebook(services, month, valid.rulebook)
    computed = compute(services, month, rulebook, inventory, compared_with)
    items = stage_run(services, computed)
    for replaced in {line.replaced for line in lines if line.moves_the_pointer and line.action != "refreshed"}:
        services.publisher.write_changes(
            computed.record, replaced, standings_of(computed.ratings), services.expiry(month)
        )
    services.publisher.append("repaired", computed.record)
    url = services.reports.url(str(month), valid.run)
    return result("repaired", str(month), computed.record, report=url, items=items)


def _compared_with(
    services: Services, pointer: Pointer, valid: Publication, rulebook_id: str, inventory: Inventory
) -> Compared | None:
    """The publication that the run was compared with, found by trying: the run's id confirms it.

    Raises RunUnrepairable if no candidate gives the run's id.
    """
    month, inputs = Month.parse(valid.month), inputs_of(inventory)
    for compared_with in _guesses(services, pointer, valid):
        if run_id(month, rulebook_id, inputs, compared_with) == valid.run:
            return compared_with
    raise RunUnrepairable(
        f"run {valid.run} of {month} can't be computed again: the extracts or the rules' version have "
        "changed. Restore the objects that have changed (verify names them while the run's record can be read), or "
        "restore the table from a backup."
    )


def _guesses(services: Services, pointer: Pointer, valid: Publication) -> Iterator[Compared | None]:
    with suppress(RunUnknown, ItemInvalid):  # perhaps the record itself has to be repaired
        yield load_record(services.table, valid.run).compared_with
    yield Compared.to(pointer.before(valid.month))
    yield None
    for month in sorted((month for month in pointer.publications if month < valid.month), reverse=True):
        for run in dict.fromkeys(line.run for line in ledger.entries(services.table, month)):
            yield Compared(month, run)


def _write_rulebook(services: Services, month: Month, rulebook_id: str) -> Rulebook:
    """Write a rulebook again, from the table or from the current sheet. Raises RunUnrepairable.

    It is kept as long as the newest month, which may use it too.
    """
    rulebook = _rulebook(services, month, rulebook_id)
    expires_at = services.expiry(Month.parse(services.table.pointer().current().month))
    stored = services.table.get(rulebook_key(rulebook_id)) or {}
    with suppress(KeyError, ValueError):  # perhaps the rulebook itself has to be repaired
        expires_at = max(expires_at, int(stored["expires_at"]["N"]))
    staging.stage(services.table, [rulebook_item(rulebook, rulebook_id, expires_at)], lambda _: None)
    return rulebook


def _rulebook(services: Services, month: Month, rulebook_id: str) -> Rulebook:
    try:
        stored = services.table.rulebook(rulebook_id)
        if content_id(stored) == rulebook_id:
            return stored
    except (RunUnknown, ItemInvalid):
        pass  # perhaps the sheet has not changed since
    cells = services.workbook.read()
    for as_of in (month, month.plus(1)):  # a refresh reads the sheet as of the next month
        in_sheet = parse(cells, services.description, as_of).rulebook
        if in_sheet and content_id(in_sheet) == rulebook_id:
            return in_sheet
    raise RunUnrepairable(
        f"rulebook {rulebook_id} of {month} is missing or damaged in table {services.table.name}, and the spreadsheet "
        "has changed since. Restore the spreadsheet's version of that time for a moment and repair again, or restore "
        "the table from a backup."
    )
