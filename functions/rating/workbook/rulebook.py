"""Parses raw cells into a Rulebook, or into all faults at once, each with its cell. Pure.

The result does not depend on the order of tabs, columns or rows.
"""

from __future__ import annotations

from collections.abc import Collection, Set
from dataclasses import dataclass, replace
from decimal import Decimal
from typing import Any

from functions.rating.workbook.addresses import Addresses, addresses_of
from functions.rating.workbook.benefits import read_benefits
from functions.rating.workbook.causes import merge_columns_of_text
from functions.rating.workbook.cells import RawWorkbook
from functions.rating.workbook.changes import Change, compare
from functions.rating.workbook.description import Description, Text
from functions.rating.workbook.faults import Fault, FaultList, first_blocked
from functions.rating.workbook.headers import MoreColumns
from functions.rating.workbook.ladders import read_cases, read_ladders
from functions.rating.workbook.levels_and_metrics import Metrics, read_levels, read_metrics
from functions.rating.workbook.overrides import read_overrides
from functions.rating.workbook.tables import Once, Table, find_tabs, make_table
from functions.rating.workbook.unread import unread
from shared.levels import Rulebook, RuleSettings, Tip
from shared.links import is_https
from shared.months import Month

__all__ = ["Fault", "Verdict", "parse", "unknown_overrides"]


@dataclass(frozen=True, slots=True)
class Verdict:
    """The result of parsing the spreadsheet. ``rulebook`` is None exactly if there are errors.

    ``as_read``: the rulebook of what could be read, errors or not; only for comparisons. ``addresses``: the cell of
    each value. ``changes``: the differences from the rules in force, after a comparison. ``overrides``: agency ids of
    current and future overrides, each with the fault to report if the id is unknown. ``stored_as``: the objects in S3
    that were read (``RawWorkbook``).
    """

    rulebook: Rulebook | None
    as_read: Rulebook
    faults: tuple[Fault, ...]
    addresses: Addresses
    changes: tuple[Change, ...] = ()
    overrides: tuple[tuple[str, Fault], ...] = ()
    stored_as: tuple[str, ...] = ()

    @property
    def errors(self) -> tuple[Fault, ...]:
        return tuple(fault for fault in self.faults if fault.severity == "error")

    @property
    def prepared_until(self) -> str | None:
        """The first later rating month for which the sheet has errors: from then on it can't be tried. None without."""
        return first_blocked(self.faults)

    @property
    def warnings(self) -> tuple[Fault, ...]:
        return tuple(fault for fault in self.faults if fault.severity == "warning")


def parse(raw: RawWorkbook, description: Description, month: Month) -> Verdict:
    """The rulebook in these cells, and every fault.

    ``month`` is the rating month. Its ladder and all later ladders are checked as a whole and must pass the cases.
    Earlier ladders only need readable cells.
    """
    faults = FaultList(description.faults, description.language(tab.title for tab in raw.tabs), str(month))
    tabs = find_tabs(raw, description, faults)

    tables: dict[str, Table] = {}

    def table(key: str, more: MoreColumns | None = None) -> Table:
        tables[key] = make_table(tabs.get(key), description.tab(key), more, faults, typed=raw.typed)
        return tables[key]

    levels = read_levels(table("levels"), description.tab("benefits"))
    metrics = read_metrics(table("metrics"), [tab for tab in description.tabs if tab.more_columns == "metrics"])
    cells = description.metric_cells
    ladders = read_ladders(table("thresholds", metrics.columns), levels, metrics, cells)
    benefits = read_benefits(table("benefits", levels.columns), levels, description.benefit_cells)
    tips = _read_tips(table("tips"), metrics)
    overrides, if_unknown = read_overrides(table("overrides"), levels, ladders)
    cases = read_cases(table("cases", metrics.columns.optional()), ladders, levels, metrics, cells)
    settings = _read_settings(table("settings"), description)
    merge_columns_of_text(faults, tables.values())
    as_read = Rulebook(levels.levels, metrics.valid, ladders.as_read, benefits, tips, overrides, cases, settings)
    return Verdict(
        None if faults.errors_after(0) else replace(as_read, ladders=ladders.ladders),
        as_read,
        tuple(faults.faults),
        addresses_of(tables, description, faults.language),
        overrides=if_unknown,
        stored_as=raw.stored_as,
    )


def against(verdict: Verdict, in_force: Rulebook, published: Collection[str], description: Description) -> Verdict:
    """The verdict with its differences from the rulebook in force, and a warning for each likely typing error.

    ``published``: the published months, at least one. Of a sheet with errors, the cells that were read are compared.
    """
    hidden = unread(verdict.faults, verdict.addresses, description)
    compared = compare(in_force, verdict.as_read, published, verdict.addresses, description, unread=hidden)
    return replace(verdict, faults=verdict.faults + compared.warnings, changes=compared.changes)


def unknown_overrides(verdict: Verdict, known_agency_ids: Set[str]) -> tuple[Fault, ...]:
    """A warning for each override of an agency that is not in ``known_agency_ids``."""
    return tuple(fault for agency_id, fault in verdict.overrides if agency_id not in known_agency_ids)


def _read_tips(table: Table, metrics: Metrics) -> tuple[Tip, ...]:
    tips: set[Tip] = set()
    for row in table:
        metric, tip, link = row.text("metric"), row.text("tip"), row.text("link")
        if metric is not None and metrics.columns.complete and metric not in metrics.by_key:
            row.fault("metric_unknown", "metric", known=", ".join(metrics.by_key))
        if link is not None and not is_https(link):
            row.fault("link_not_https", "link")
        tips.add(Tip(metric or "", tip or "", link or ""))
    return tuple(sorted(tips, key=lambda tip: (tip.metric, tip.tip, tip.link)))


def _read_settings(table: Table, description: Description) -> RuleSettings:
    """The settings. A missing row or a blank value takes the default."""
    once = Once()
    values: dict[str, Any] = {}
    for row in table:
        name = row.text("setting")
        setting = description.setting(name)
        if name is None or not once.admit(setting.key if setting else name, row, "setting"):
            continue
        if setting is None:
            titles = [one.title for one in description.settings.values()]
            known = Text(", ".join(one.en for one in titles), "、".join(one.zh for one in titles))
            row.fault("setting_unknown", "setting", known=known)
            continue
        value = row.read("value", setting)
        if isinstance(value, int | Decimal):
            values[setting.key] = value
    return RuleSettings(**values)
