"""A rulebook as cells: each value under its tab, row and column, as in the spreadsheet. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, fields
from decimal import Decimal
from typing import TypeAlias

from functions.rating.workbook.addresses import RowKey
from functions.rating.workbook.cell_types import UNLIMITED, UNLIMITED_WORDS
from functions.rating.workbook.cells import Language
from functions.rating.workbook.description import Text
from functions.rating.workbook.levels_and_metrics import level_key
from shared.levels import Benefit, Grant, Measure, Rulebook, RuleSettings
from shared.money import yuan

Held: TypeAlias = str | int | Decimal | bool


@dataclass(frozen=True, slots=True)
class FlatRow:
    """One row: its filled cells by column, and its name in words."""

    name: Text
    cells: Mapping[str, Held]


def flat(rulebook: Rulebook) -> dict[tuple[str, RowKey], FlatRow]:
    """Every row by tab and key. Settings with their default value are left out."""
    return dict(_rows(rulebook))


def column_name(tab: str, column: str, rulebook: Rulebook, titles: Mapping[str, Text]) -> Text:
    """A column in words: a metric or a level by its name, others by their header."""
    if tab in ("thresholds", "cases"):
        metric = next((metric for metric in rulebook.metrics if metric.key == column), None)
        if metric:
            return Text(metric.name, metric.name)
    if tab == "benefits" and column.isdecimal():
        return Text(f"level {column}", f"{column} 级")
    return titles.get(column, Text(column, column))


def shown_value(tab: str, column: str, value: Held | None, rulebook: Rulebook, language: Language) -> str | None:
    """A value as the sheet writes it; None for a blank cell."""
    if value is None:
        return None
    if tab in ("thresholds", "cases") and isinstance(value, int):
        of_money = any(m.key == column and m.measure is Measure.PAID_GMV for m in rulebook.metrics)
        return yuan(value) if of_money else str(value)
    if value is True:
        return "✓"
    return str(getattr(UNLIMITED_WORDS, language)) if value == UNLIMITED else str(value)


def _rows(rulebook: Rulebook) -> Iterator[tuple[tuple[str, RowKey], FlatRow]]:
    for level in rulebook.levels:
        cells: dict[str, Held | None] = {
            "name": level.name,
            "description": level.description,
            "from_month": level.from_month,
        }
        yield ("levels", (str(level.level),)), _row(Text(f"level {level.level}", f"{level.level} 级"), cells)
    for metric in rulebook.metrics:
        powers: dict[str, Held | None] = {"min_power": metric.min_power, "max_power": metric.max_power}
        cells = {"name": metric.name, "measure": metric.measure.value, **powers, "unit": metric.unit}
        yield ("metrics", (metric.key,)), _row(_same(metric.key), {**cells, "from_month": metric.from_month})
    for ladder in rulebook.ladders:
        since = ladder.effective_month or ""
        for rung in ladder.rungs:
            for channel in rung.channels:
                asked = {threshold.metric: threshold.required for threshold in channel.thresholds}
                en, zh = f"level {rung.level} · channel {channel.channel}", f"{rung.level} 级 · 通道 {channel.channel}"
                name = Text(f"{since} · {en}", f"{since} · {zh}") if since else Text(en, zh)
                yield ("thresholds", (since, str(rung.level), str(channel.channel))), _row(name, asked)
    for benefit in rulebook.benefits:
        cells = {"name": benefit.name, "description": benefit.description, "kind": benefit.kind.value}
        grants = {level_key(grant.level): _granted(benefit, grant) for grant in benefit.grants}
        name = _same(benefit.name or benefit.key)
        yield ("benefits", (benefit.key,)), _row(name, {**cells, **grants, "from_month": benefit.from_month})
    for tip in rulebook.tips:
        yield ("tips", (tip.metric, tip.tip)), _row(_same(tip.metric), {"tip": tip.tip, "link": tip.link})
    for override in rulebook.overrides:
        cells = {"level": override.level, "until_month": override.until_month}
        why = {"reason": override.reason, "approved_by": override.approved_by}
        key = (override.agency_id, override.from_month or "")
        yield ("overrides", key), _row(_same(override.agency_id), {**cells, **why})
    for case in rulebook.cases:
        values = {key: value for key, value in case.metrics.items() if value}
        yield ("cases", (case.case,)), _row(_same(case.case), {**values, "expected_level": case.expected_level})
    standard = RuleSettings()
    for setting in fields(RuleSettings):
        value = getattr(rulebook.settings, setting.name)
        if value != getattr(standard, setting.name):
            yield ("settings", (setting.name,)), _row(_same(setting.name), {"value": value})


def _row(name: Text, cells: Mapping[str, Held | None]) -> FlatRow:
    return FlatRow(name, {column: value for column, value in cells.items() if value is not None and value != ""})


def _granted(benefit: Benefit, grant: Grant) -> Held:
    if grant.text is not None:
        return grant.text
    if benefit.kind == "quota":
        return UNLIMITED if grant.quota is None else grant.quota
    return True


def _same(text: str) -> Text:
    return Text(text, text)
