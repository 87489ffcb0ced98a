"""Builds ladders from the thresholds and checks them: complete, monotone, and all cases pass. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from functions.rating.run.rules import computed_level
from functions.rating.workbook.cells import Language, blank, plain_text
from functions.rating.workbook.description import Column, Text
from functions.rating.workbook.faults import first_blocked
from functions.rating.workbook.levels_and_metrics import Levels, Metrics
from functions.rating.workbook.tables import Once, Row, Table
from shared.levels import Case, Channel, Ladder, Level, Metric, Rung, Threshold

SINCE_EVER = Text("since ever", "一直有效")
JUMP = 10  # a number so many times larger or smaller than before is probably a typing error
UNRATED = Text("none (unrated)", "无（未定级）")


@dataclass(frozen=True, slots=True)
class ChannelRow:
    """One row of thresholds. ``required``: without blank cells. ``unsure``: metrics whose cell is faulty.

    ``since``: the effective month; empty for "since ever", so that ladders sort by it.
    """

    row: Row
    since: str
    level: int
    channel: int
    required: Mapping[str, int]
    unsure: frozenset[str]

    def asks(self, metric: str) -> int:
        """The required value of a metric. Blank counts as 0."""
        return self.required.get(metric, 0)

    def asks_no_more_than(self, other: ChannelRow) -> bool:
        return all(required <= other.asks(metric) for metric, required in self.required.items())


@dataclass(frozen=True, slots=True)
class Ladders:
    """The ladders of the thresholds tab, ascending by their effective month.

    ``ladders``: without later ones that have an error. ``as_read``: all of them. ``tried``: the ladders that cases are
    tried on, the one in force and later ones; empty if the one in force is incomplete. ``ends``: the first later month
    that has an error; None without. ``levels``: from a month on, how many levels there are.
    """

    ladders: tuple[Ladder, ...]
    as_read: tuple[Ladder, ...]
    tried: tuple[Ladder, ...]
    ends: str | None
    levels: Mapping[str, int]


def read_ladders(table: Table, levels: Levels, metrics: Metrics, cells: Mapping[str, Column]) -> Ladders:
    """Every ladder of the thresholds tab. The one for the rating month and later ones must be complete and monotone."""
    faults, month = table.faults, table.faults.month
    read = _read_rows(table, levels, metrics, cells)
    by_month: dict[str, list[ChannelRow]] = {}
    for row in sorted(read.rows, key=lambda row: (row.since, row.level, row.channel)):
        by_month.setdefault(row.since, []).append(row)
    in_force = max((since for since in by_month if since <= month), default=None)
    if in_force is None and read.rows and not read.lost:
        read.rows[0].row.fault("ladder_absent", "effective_month", since="", month=month)
    every_column_there = metrics.usable and {column.key for column in metrics.columns.required} <= set(table.more)
    faulty, complete = set(read.faulty), set[str]()
    checked = [since for since in by_month if since >= (in_force or "")]
    for since in checked:
        of_month, before = by_month[since], len(faults.faults)
        whole = every_column_there and levels.usable and not read.lost & {since, None}
        ends = min((later for later in by_month if later > since), default=None)
        earlier = max((other for other in by_month if other < since), default=None)
        dropped = _levels_dropped(by_month[earlier], of_month) if earlier is not None else range(0)
        if whole and _is_complete(of_month, levels, metrics, ends, dropped) and not any(row.unsure for row in of_month):
            complete.add(since)
        _find_steps_down(of_month, table.more, levels, metrics)
        if whole:
            _find_dominated(of_month)
        if whole and earlier is not None and since >= month:
            _find_likely_errors(by_month[earlier], of_month, table.more)
        if since > month and (faults.later_after(before) or since not in complete):
            faulty.add(since)
    known = [level.level for level in levels.levels]
    valid = {since: _ladder(since, rows, known) for since, rows in by_month.items() if since not in faulty}
    named = (sorted({*known, *(row.level for row in rows)}) for rows in by_month.values())
    as_read = tuple(_ladder(since, by_month[since], levels) for since, levels in zip(by_month, named, strict=True))
    tried = tuple(valid[since] for since in checked if since in valid) if in_force in complete else ()
    return Ladders(tuple(valid.values()), as_read, tried, first_blocked(faults.faults), _levels_from(tried, levels))


def read_cases(
    table: Table, ladders: Ladders, levels: Levels, metrics: Metrics, cells: Mapping[str, Column]
) -> tuple[Case, ...]:
    """The cases by name. Each is tried on the present ladder and on all later ones. A blank metric is 0.

    A case that fails only after a level or a metric begins, later than the rating month, is a warning.
    """
    once = Once()
    cases: dict[str, Case] = {}
    for row in table:
        before = len(table.faults.faults)
        name, expected = row.text("case"), levels.admits(row, "expected_level")
        values, unsure = _metric_cells(row, metrics, cells)
        if name is None or not once.admit(name, row, "case"):
            continue
        cases[name] = Case(name, {key: values.get(key, 0) for key in metrics.valid_keys}, expected)
        known = not unsure and (expected is None or expected <= len(levels.levels))
        if ladders.tried and known and len(table.faults.faults) == before:
            begins = _begins(values, expected, levels, metrics)
            states = _states(ladders.tried, levels, metrics, begins)
            _try(cases[name], (state for state in states if ladders.ends is None or state[1] < ladders.ends), row)
    return tuple(case for _, case in sorted(cases.items()))


@dataclass(frozen=True, slots=True)
class _Read:
    """The rows of the tab whose ladder, level and channel are known, and the ladders that others belong to.

    ``lost``: ladders with a row whose level or channel is not known; None stands for a row whose ladder is not known.
    ``faulty``: later ladders with a row that has an error.
    """

    rows: list[ChannelRow]
    lost: set[str | None]
    faulty: set[str]


def _read_rows(table: Table, levels: Levels, metrics: Metrics, cells: Mapping[str, Column]) -> _Read:
    """The rows of the thresholds tab. Faults: a cell that can't be read, a channel of a level twice in one ladder."""
    once, read = Once(), _Read([], set(), set())
    for row in table:
        before = len(table.faults.faults)
        month, level, channel = row.text("effective_month"), levels.admits(row, "level"), row.whole("channel")
        required, unsure = _metric_cells(row, metrics, cells)
        if row.since <= table.faults.month:
            later = {key for key in unsure if metrics.begins(key) > table.faults.month}
            unsure -= metrics.later | later
        month_known = month is not None or row.blank("effective_month")
        if level is None or channel is None or not month_known:
            read.lost.add((month or "") if month_known else None)
        elif once.admit(
            (month, level, channel),
            row,
            "channel",
            found=f"{month or blank(table.faults.language)}, {level}, {channel}",
        ):
            read.rows.append(ChannelRow(row, month or "", level, channel, required, unsure))
        if month and row.left_out(before):
            read.faulty.add(month)
    return read


def _metric_cells(row: Row, metrics: Metrics, cells: Mapping[str, Column]) -> tuple[dict[str, int], frozenset[str]]:
    """A row's metric cells as creators or fen, and the metrics whose cell is faulty."""
    values: dict[str, int] = {}
    unsure: set[str] = set()
    for key in row.table.more:
        metric = metrics.by_key[key]
        value = row.read(key, cells[metric.measure], metrics.begins(key)) if metric else None
        if isinstance(value, int):
            values[key] = value
        elif not row.blank(key):
            unsure.add(key)
    return values, frozenset(unsure)


def _levels_from(ladders: Sequence[Ladder], levels: Levels) -> dict[str, int]:
    """How many levels there are from each month on in which a ladder or a level begins."""
    starts = {ladder.effective_month or "" for ladder in ladders} | {level.from_month or "" for level in levels.levels}
    counts = {}
    for month in sorted(starts if ladders else ()):
        in_force = [ladder for ladder in ladders if (ladder.effective_month or "") <= month]
        if in_force:
            begun = sum((level.from_month or "") <= month for level in levels.levels)
            counts[month] = min(begun, in_force[-1].top)
    return counts


def _levels_dropped(before: Sequence[ChannelRow], rows: Sequence[ChannelRow]) -> range:
    """The highest levels of the ladder before that a ladder ends without: it has fewer, on purpose or by a slip."""
    had = {row.level for row in before}
    top = max(had)
    return range(max(row.level for row in rows) + 1, top + 1) if had == {*range(1, top + 1)} else range(0)


def _is_complete(
    rows: Sequence[ChannelRow], levels: Levels, metrics: Metrics, ends: str | None, dropped: range
) -> bool:
    """Whether every level has a channel and every channel has a threshold. ``rows``: of one ladder.

    ``ends``: the month in which the next ladder begins. A level that begins then or later needs no channel here. A
    threshold for a metric that begins later does not count yet.
    """
    later = {key for key, metric in metrics.by_key.items() if metric and (metric.from_month or "") > rows[0].since}
    complete = True
    month = rows[0].since or SINCE_EVER
    here = (one.level for one in levels.levels if ends is None or (one.from_month or "") < ends)
    for level in (level for level in here if level not in dropped):
        channels = [row for row in rows if row.level == level]
        empty = [row for row in channels if not row.required.keys() - later and not row.unsure]
        if len(empty) < len(channels):
            for row in empty:
                row.row.fault("channel_without_threshold", "channel", since=max(row.since, levels.begins(level)))
        else:
            at, found = (
                (empty[0].row, None)
                if empty
                else (rows[-1].row, _level_gone(level, rows[-1].row.table.faults.language))
            )
            begins = max(at.since, levels.begins(level))
            at.fault("level_without_threshold", "level", since=begins, found=found, level=level, ladder=month)
        if (channels and not empty) or levels.begins(level) > rows[0].row.table.faults.month:
            continue
        complete = False
    return complete


def _level_gone(level: int, language: Language) -> str:
    name = f"等级 {level}：" if language == "zh" else f"level {level}: "
    return name + blank(language)


def _find_steps_down(rows: Sequence[ChannelRow], keys: Sequence[str], levels: Levels, metrics: Metrics) -> None:
    """Faults: within a channel, a level that asks less of a metric than the next lower level."""
    lower_of: dict[int, ChannelRow] = {}
    for higher in rows:
        lower = lower_of.get(higher.channel)
        lower_of[higher.channel] = higher
        for key in keys if lower else ():
            if lower and higher.asks(key) < lower.asks(key) and key not in higher.unsure:
                since = max(higher.since, levels.begins(higher.level), metrics.begins(key))
                least, other = plain_text(lower.row.raw(key)), lower.row.location(key)
                higher.row.fault("ladder_not_monotone", key, since=since, least=least, level=lower.level, other=other)


def _find_dominated(rows: Sequence[ChannelRow]) -> None:
    """Warnings: a channel never decides if another of the same or a higher level never asks more."""
    candidates = [row for row in rows if row.required and not row.unsure]
    undominated: list[ChannelRow] = []
    for level in sorted({row.level for row in candidates}, reverse=True):
        peers = [row for row in candidates if row.level == level]
        decisive: list[ChannelRow] = []
        for row in peers:
            rival = next((other for other in (*undominated, *peers) if _dominates(other, row)), None)
            if rival is None:
                decisive.append(row)
            else:
                row.row.fault("channel_dominated", "channel", other=rival.row.location("channel"))
        undominated += decisive


def _find_likely_errors(earlier: Sequence[ChannelRow], rows: Sequence[ChannelRow], metrics: Sequence[str]) -> None:
    """Warnings: a later ladder without a threshold of the one before, or with a number ten times as large or small."""
    before = {(row.level, row.channel): row for row in earlier}
    after = {(row.level, row.channel): row for row in rows}
    for (level, channel), row in before.items():
        if (level, channel) not in after:
            nearest = max((r for r in rows if r.level <= level), key=lambda r: (r.level, r.channel), default=rows[0])
            zh = nearest.row.table.faults.language == "zh"
            gone = f"{level} 级 · 通道 {channel}：–" if zh else f"level {level} · channel {channel}: –"
            nearest.row.fault("ladder_smaller", "channel", found=gone, other=row.row.location("channel"))
    for key, row in after.items():
        for metric in metrics if key in before else ():
            old, new, other = before[key].required.get(metric), row.required.get(metric), before[key].row
            if old and new is None and metric not in row.unsure:
                row.row.fault("ladder_smaller", metric, other=other.location(metric))
            elif old and new and jumps(old, new):
                row.row.fault("number_jumped", metric, old=plain_text(other.raw(metric)))


def jumps(old: int, new: int) -> bool:
    """Whether a number became ten times larger or smaller. False if one of them is 0."""
    return bool(old and new) and (new >= JUMP * old or old >= JUMP * new)


def _dominates(rival: ChannelRow, row: ChannelRow) -> bool:
    """Whether ``rival`` makes ``row`` superfluous. Of two equal channels of one level, the first decides."""
    if rival is row or not rival.asks_no_more_than(row):
        return False
    return rival.level > row.level or rival.channel < row.channel or not row.asks_no_more_than(rival)


def _ladder(since: str, rows: Sequence[ChannelRow], levels: Iterable[int]) -> Ladder:
    level_rules = []
    for level in levels:
        channels = [row for row in rows if row.level == level and row.required]
        level_rules.append(Rung(level, tuple(Channel(row.channel, _thresholds(row)) for row in channels)))
    return Ladder(since or None, tuple(level_rules))


def _thresholds(row: ChannelRow) -> tuple[Threshold, ...]:
    return tuple(Threshold(metric, required) for metric, required in sorted(row.required.items()))


def _begins(values: Mapping[str, int], expected: int | None, levels: Levels, metrics: Metrics) -> str:
    """The first rating month in which the case's expected level and all its metrics exist."""
    of_metrics = [metric.from_month or "" for key in values if (metric := metrics.by_key[key])]
    return max([levels.begins(expected), *of_metrics])


def _states(ladders: Sequence[Ladder], levels: Levels, metrics: Metrics, begins: str) -> Iterator[tuple[Ladder, str]]:
    """The ladders from ``begins`` on, each with its first month; again when a level or a metric is added.

    A level or metric that begins later is left out until then. ``ladders``: ascending.
    """
    joining_rows: tuple[Level | Metric, ...] = (*levels.levels, *metrics.valid)
    starts = sorted({row.from_month or "" for row in joining_rows})
    ends = [*((ladder.effective_month or "") for ladder in ladders[1:]), None]
    states: list[tuple[str, Ladder]] = []
    for ladder, end in zip(ladders, ends, strict=True):
        since = ladder.effective_month or ""
        joining = [month for month in starts if month > since and (end is None or month < end)]
        states += [(month, ladder) for month in (since, *joining)]
    first = max((month for month, _ in states if month <= begins), default="")
    for month, ladder in states:
        if month >= first:
            there = {metric.key for metric in metrics.valid if (metric.from_month or "") <= month}
            known = sum((level.from_month or "") <= month for level in levels.levels)
            yield ladder.only(known, there), month


def _try(case: Case, states: Iterable[tuple[Ladder, str]], row: Row) -> None:
    for ladder, since in states:
        level = computed_level(case.metrics, ladder)
        if level == case.expected_level:
            continue
        later = since > row.table.faults.month
        row.fault(
            "case_fails_later" if later else "case_fails",
            "expected_level",
            found=f"{case.case}: {level or getattr(UNRATED, row.table.faults.language)}",
            expected=case.expected_level or UNRATED,
            ladder=(since if later else ladder.effective_month) or SINCE_EVER,
        )
