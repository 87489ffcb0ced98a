"""Reads the overrides of the spreadsheet: levels set by hand for an agency and months. Pure."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator

from functions.rating.workbook.faults import Fault
from functions.rating.workbook.ladders import Ladders
from functions.rating.workbook.levels_and_metrics import Levels
from functions.rating.workbook.tables import Row, Table
from shared.levels import Override


def read_overrides(
    table: Table, levels: Levels, ladders: Ladders
) -> tuple[tuple[Override, ...], tuple[tuple[str, Fault], ...]]:
    """The overrides by agency and month, and for each that has not ended the fault to report if the agency is unknown.

    Faults: an end before the start, two overrides of an agency in one month. Warning: an override that has ended.
    """
    by_agency: defaultdict[str, list[tuple[Override, Row]]] = defaultdict(list)
    for row in table:
        before = len(table.faults.faults)
        override = _override(row, levels)
        if override:
            _find_month_without_level(override, row, ladders)
        if override and not row.left_out(before):
            by_agency[override.agency_id].append((override, row))
    overrides: list[Override] = []
    if_unknown: list[tuple[str, Fault]] = []
    for agency_id, of_agency in sorted(by_agency.items()):
        of_agency.sort(key=lambda pair: (pair[0].from_month or "", pair[0].until_month))
        for override, row in _without_overlaps(of_agency):
            overrides.append(override)
            if override.until_month < table.faults.month:
                row.fault("override_expired", "until_month", month=table.faults.month)
            else:
                if_unknown.append((agency_id, row.unadded_fault("override_unknown_agency", "agency_id")))
    return tuple(overrides), tuple(if_unknown)


def _override(row: Row, levels: Levels) -> Override | None:
    """The override in a row; None if a required cell is faulty or blank."""
    agency_id, level, reason = row.text("agency_id"), levels.admits(row, "level"), row.text("reason")
    from_month, until_month = row.text("from_month"), row.text("until_month")
    approved_by = row.text("approved_by")
    if from_month is not None and until_month is not None and from_month > until_month:
        row.fault("override_reversed", "until_month", least=from_month)
        return None
    unsure = from_month is None and not row.blank("from_month")
    if agency_id is None or level is None or until_month is None or unsure:
        return None
    return Override(agency_id, level, from_month, until_month, reason or "", approved_by or "")


def _find_month_without_level(override: Override, row: Row, ladders: Ladders) -> None:
    """A fault: the first month, of those still to be rated, in which the override sets a level that there is not."""
    first = max(override.from_month or "", row.table.faults.month)
    began = max((since for since in ladders.levels if since <= first), default=first)
    for since, count in sorted(ladders.levels.items()):
        without = max(since, first)
        if began <= since and without <= override.until_month and override.level > count:
            row.fault("override_without_level", "level", since=without, month=without, most=count)
            return


def _without_overlaps(of_agency: list[tuple[Override, Row]]) -> Iterator[tuple[Override, Row]]:
    """All but those that overlap an earlier one, each a fault.

    ``of_agency`` ascends by first month, so each is compared with the one that lasts longest so far.
    """
    longest, there = of_agency[0]
    yield of_agency[0]
    for override, row in of_agency[1:]:
        if (override.from_month or "") <= longest.until_month:
            row.fault("override_overlap", "from_month", other=there.location("from_month"))
        else:
            yield override, row
        if override.until_month > longest.until_month:
            longest, there = override, row
