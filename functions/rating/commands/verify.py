"""Verifies a run: computes it again from its recorded inputs and compares every item, in both directions.

A difference is an item that is stored but not expected, expected but not stored, or that can't be read.
"""

from __future__ import annotations

import zlib
from collections.abc import Iterator, Mapping
from contextlib import suppress
from typing import Any

from functions.rating.commands.compute import changed_inputs, compute, run_id
from functions.rating.extracts.inventory import NotReady
from functions.rating.publication.history import History, history_of
from functions.rating.publication.items import as_schema_1, items_of
from functions.rating.publication.ledger import Entry
from functions.rating.publication.outbox import changes_items
from functions.rating.result import result
from functions.rating.run.computed import Computed
from functions.rating.run.record import RunRecord, record_from
from functions.rating.run.rules import RULES_VERSION
from functions.rating.run.standings import level_changes, standings_of
from functions.rating.services import Services
from shared.content import canonical_json, content_id
from shared.errors import ItemInvalid, RunUnknown
from shared.items import key, key_of, key_text, rulebook_from, rulebook_key, run_key, schema_of
from shared.levels import Rulebook, Standing
from shared.months import Month

Item = Mapping[str, Any]
Names = tuple[str, str]

OF_A_RUN_OR_OF_THE_HISTORY = (
    "contains(pk, :run) OR (begins_with(sk, :rating) AND contains(sk, :run)) "
    "OR pk = :pointer OR begins_with(pk, :ledger) OR pk = :outbox"
)
PREFIXES = {":rating": "RATING#", ":pointer": "POINTER", ":ledger": "LEDGER#", ":outbox": "OUTBOX"}


def verify(services: Services, run: str) -> dict[str, Any]:
    """Whether the stored items of a run are those that its inputs give. ``differences`` names the others, 100 at most.

    Raises RunUnknown if neither a record nor a line of the ledger has the run.
    """
    with services.progress.stage("read back") as facts:
        found = list(services.table.scan(OF_A_RUN_OR_OF_THE_HISTORY, {":run": run, **PREFIXES}))
        history_items = [item for item in found if key_of(item)[0].startswith(("POINTER", "LEDGER#", "OUTBOX"))]
        history_items = [item for item in history_items if not key_of(item)[0].startswith("OUTBOX#")]
        stored = {
            key_of(item): item for item in found if run in key_of(item)[0] or key_of(item)[0].startswith("AGENCY#")
        }
        history = history_of(
            history_items, str(Month.of(services.now(), services.zone).plus(-services.retention_months))
        )
        facts["items"] = len(stored)
    lines = [line for line in history.lines if line.run == run]
    differences = list(history.differences)
    record = _record(stored, run, differences)
    if record is None and not lines:
        raise RunUnknown(f"there is no run {run} in table {services.table.name}; the report of each run names its id")
    month = record.month if record else lines[-1].month
    if record:
        differences += _rulebook_differences(services, record, lines)
        differences += _held_differences(record, lines)
        differences += _run_differences(services, record, stored, history)
    differences = list(dict.fromkeys(differences))
    return result(
        "differs" if differences else "verified",
        month,
        record,
        report=services.reports.url(month, run),
        differences=differences[:100],
    )


def _record(stored: Mapping[Names, Item], run: str, differences: list[str]) -> RunRecord | None:
    item = stored.get(key_of(run_key(run)))
    if item is not None:
        with suppress(ItemInvalid):
            return record_from(item)
    differences.append(key_text(run_key(run)))
    return None


def _rulebook_differences(services: Services, record: RunRecord, lines: list[Entry]) -> Iterator[str]:
    """The keys of this run's rulebooks that are missing, damaged or expire too early.

    A run has the rulebook that it was rated by, and one for each refresh of its texts.
    """
    expires_at = services.expiry(Month.parse(record.month))
    for rulebook_id in sorted({record.rulebook, *(line.rulebook for line in lines)}):
        item = services.table.get(rulebook_key(rulebook_id))
        if item is None or _rulebook(item, rulebook_id) is None or int(item["expires_at"]["N"]) < expires_at:
            yield key_text(rulebook_key(rulebook_id))


def _rulebook(item: Item | None, rulebook_id: str) -> Rulebook | None:
    """The rulebook in an item; None if the item is absent or its content does not have this id."""
    if item is None:
        return None
    try:
        rulebook = rulebook_from(item)
    except ItemInvalid:
        return None
    same = item.keys() <= {"pk", "sk", "content", "expires_at", "schema"} and content_id(rulebook) == rulebook_id
    return rulebook if same and _is_canonical(item, rulebook) else None


def _is_canonical(item: Item, rulebook: Rulebook) -> bool:
    """Whether the stored text is exactly the rulebook's canonical JSON, without unknown fields."""
    return zlib.decompress(item["content"]["B"]).decode() == canonical_json(rulebook)


def _held_differences(record: RunRecord, lines: list[Entry]) -> Iterator[str]:
    if record.held and not any(line.action == "held" for line in lines):
        yield f"LEDGER#{record.month}: no line says that run {record.run} was held"


def _run_differences(
    services: Services, record: RunRecord, stored: Mapping[Names, Item], history: History
) -> Iterator[str]:
    """Differences among the run's own items and its level changes."""
    month = Month.parse(record.month)
    if record.rules_version != RULES_VERSION:
        yield f"the run was rated by rules version {record.rules_version}; this code has version {RULES_VERSION}"
        return
    if run_id(month, record.rulebook, record.inputs, record.compared_with) != record.run:
        yield key_text(run_key(record.run))
        return
    if inputs := changed_inputs(services, record):
        yield from inputs
        return
    rulebook = _rulebook(services.table.get(rulebook_key(record.rulebook)), record.rulebook)
    inventory = services.extracts.find(month)
    if rulebook is None or isinstance(inventory, NotReady):
        return  # _rulebook_differences or changed_inputs has named it
    try:
        computed = compute(services, month, rulebook, inventory, record.compared_with)
        expected = {key_of(item): item for item in _expected(services, computed, stored, history)}
    except (ItemInvalid, RunUnknown) as error:
        yield str(error)
        return
    schema_1 = schema_of(stored[key_of(run_key(record.run))]) == 1
    yield from _outbox_differences(services, computed, history)
    with services.progress.stage("compare"):
        for names in sorted(expected.keys() | stored.keys()):
            if schema_1 and names[0].startswith("OUTBOX#"):
                continue
            if not _same(expected.get(names), stored.get(names)):
                yield key_text(key(*names))


def _expected(services: Services, computed: Computed, stored: Mapping[Names, Item], history: History) -> Iterator[Item]:
    """Every item of the run, and its level changes against each run that it replaced or would have replaced."""
    record, expires_at = computed.record, services.expiry(computed.month)
    schema_1 = schema_of(stored[key_of(run_key(record.run))]) == 1
    for item in items_of(computed.ratings, record, expires_at):
        yield as_schema_1(item) if schema_1 else item
    standings = standings_of(computed.ratings)
    against = {None if sk == "first" else sk for pk, sk in stored if pk.startswith(f"CHANGES#{record.run}#")}
    against |= {entry.replaced for entry in history.outbox if entry.run == record.run}
    for replaced in sorted(against, key=str):
        changes = level_changes(_earlier(services, computed, replaced), standings)
        yield from changes_items(record.run, replaced, changes, expires_at)


def _outbox_differences(services: Services, computed: Computed, history: History) -> Iterator[str]:
    """Entries of the outbox whose number of level changes or pages is wrong."""
    standings = standings_of(computed.ratings)
    for entry in history.outbox:
        if entry.run == computed.run:
            changes = level_changes(_earlier(services, computed, entry.replaced), standings)
            pages = sum(1 for _ in changes_items(entry.run, entry.replaced, changes, 0))
            if (entry.changed, entry.pages) != (len(changes), pages):
                yield f"OUTBOX {entry.sequence:010d}"


def _earlier(services: Services, computed: Computed, replaced: str | None) -> Mapping[str, Standing]:
    return services.table.standings(replaced) if replaced else computed.earlier


def _same(expected: Item | None, stored: Item | None) -> bool:
    return expected is not None and stored is not None and _content(expected) == _content(stored)


def _content(item: Item) -> dict[str, Any] | None:
    """An item with its compressed texts unpacked, since versions of zlib compress differently."""
    try:
        return {name: zlib.decompress(value["B"]) if "B" in value else value for name, value in item.items()}
    except zlib.error:
        return None
