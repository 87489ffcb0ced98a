"""Thresholds become ladders, held against what operations must have meant: complete, monotone, all cases. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from functions.rating.run.rules import computed_level
from functions.rating.workbook.cells import Language, blank, plain_text
from functions.rating.workbook.description import Column, Text
from functions.rating.workbook.levels_and_metrics import Levels, Metrics
from functions.rating.workbook.tables import Once, Row, Table
from shared.levels import Case, Channel, Ladder, Level, Metric, Rung, Threshold

SINCE_EVER = Text("since ever", "一直有效")
JUMP = 10  # a number so many times larger or smaller than before is more likely a slip than meant
UNRATED = Text("none (unrated)", "无（未定级）")


@dataclass(frozen=True, slots=True)
class ChannelRow:
    """One row of thresholds. ``required`` lacks blank cells; ``unsure`` names the metrics whose cell is faulty.

    ``since`` is the effective month, empty for since ever, so that ladders sort by it.
    """

    row: Row
    since: str
    level: int
    channel: int
    required: Mapping[str, int]
    unsure: frozenset[str]

    def asks(self, metric: str) -> int:
        """The least value of a metric; blank counts as 0."""
        return self.required.get(metric, 0)

    def asks_no_more_than(self, other: ChannelRow) -> bool:
        return all(required <= other.asks(metric) for metric, required in self.required.items())


@dataclass(frozen=True, slots=True)
class Ladders:
    """All ladders by month. ``evaluable``: those in force and to come are complete, so that cases can be tried.

    ``month``: the rating month that they were checked for.
    """

    month: str
    ladders: tuple[Ladder, ...]
    checked: tuple[Ladder, ...]
    evaluable: bool


def read_ladders(table: Table, levels: Levels, metrics: Metrics, cells: Mapping[str, Column], month: str) -> Ladders:
    """Every ladder of the thresholds tab; that in force for ``month`` and later ones must be complete and monotone."""
    rows, every_row_known = _read_rows(table, levels, metrics, cells)
    by_month: dict[str, list[ChannelRow]] = {}
    for row in sorted(rows, key=lambda row: (row.since, row.level, row.channel)):
        by_month.setdefault(row.since, []).append(row)
    in_force = max((since for since in by_month if since <= month), default=None)
    if in_force is None and rows and every_row_known:
        rows[0].row.fault("ladder_absent", "effective_month", month=month)
    checked = [since for since in by_month if since >= (in_force or "")]
    every_column_there = metrics.columns.complete and set(table.more) == set(metrics.by_key)
    whole = every_row_known and every_column_there and levels.columns.complete
    evaluable = whole and in_force is not None and not any(row.unsure for row in rows)
    for since in checked:
        if whole:
            ends = min((later for later in by_month if later > since), default=None)
            evaluable &= _is_complete(by_month[since], levels, metrics, ends)
        _find_steps_down(by_month[since], table.more)
        if whole:
            _find_dominated(by_month[since])
        earlier = max((other for other in by_month if other < since), default=None)
        if whole and earlier is not None and since >= month:
            _find_slips(by_month[earlier], by_month[since], table.more)
    ladders = {since: _ladder(since, of_month, levels) for since, of_month in by_month.items()}
    return Ladders(month, tuple(ladders.values()), tuple(ladders[since] for since in checked), evaluable)


def read_cases(
    table: Table, ladders: Ladders, levels: Levels, metrics: Metrics, cells: Mapping[str, Column]
) -> tuple[Case, ...]:
    """The cases by name, each tried on every ladder that is in force or to come. A blank metric is 0.

    A case that fails only once a level or a metric begins, after the rating month, is a warning: nothing waits for it.
    """
    once = Once()
    cases: dict[str, Case] = {}
    for row in table:
        before = len(table.faults.faults)
        name, expected = row.text("case"), levels.admits(row, "expected_level")
        values, _ = _metric_cells(row, metrics, cells)
        if name is None or not once.admit(name, row, "case"):
            continue
        cases[name] = Case(name, {key: values.get(key, 0) for key in metrics.by_key}, expected)
        if ladders.evaluable and len(table.faults.faults) == before:
            begins = _begins(values, expected, levels, metrics)
            _try(cases[name], _states(ladders.checked, levels, metrics, begins), row, ladders.month)
    return tuple(case for _, case in sorted(cases.items()))


def _read_rows(
    table: Table, levels: Levels, metrics: Metrics, cells: Mapping[str, Column]
) -> tuple[list[ChannelRow], bool]:
    """The rows, and whether it is known of each to which ladder, level and channel it belongs."""
    once, every_row_known = Once(), True
    rows: list[ChannelRow] = []
    for row in table:
        month, level, channel = row.text("effective_month"), levels.admits(row, "level"), row.whole("channel")
        required, unsure = _metric_cells(row, metrics, cells)
        if level is None or channel is None or (month is None and not row.blank("effective_month")):
            every_row_known = False
        elif once.admit(
            (month, level, channel),
            row,
            "channel",
            found=f"{month or blank(table.faults.language)}, {level}, {channel}",
        ):
            rows.append(ChannelRow(row, month or "", level, channel, required, unsure))
    return rows, every_row_known


def _metric_cells(row: Row, metrics: Metrics, cells: Mapping[str, Column]) -> tuple[dict[str, int], frozenset[str]]:
    """A row's metric cells as whole creators or fen, and the metrics that can't be told."""
    values: dict[str, int] = {}
    unsure: set[str] = set()
    for key in row.table.more:
        metric = metrics.by_key[key]
        value = row.read(key, cells[metric.measure]) if metric else None
        if isinstance(value, int):
            values[key] = value
        elif not row.blank(key):
            unsure.add(key)
    return values, frozenset(unsure)


def _is_complete(rows: Sequence[ChannelRow], levels: Levels, metrics: Metrics, ends: str | None) -> bool:
    """Whether every level has channels and every channel a threshold. ``rows`` are of one ladder.

    ``ends``: the month in which the next ladder begins. A level that only begins with that one needs no channel here,
    and what a metric asks that only begins later is no threshold yet.
    """
    later = {key for key, metric in metrics.by_key.items() if metric and (metric.from_month or "") > rows[0].since}
    complete = True
    month = rows[0].since or SINCE_EVER
    for level in (one.level for one in levels.levels if ends is None or (one.from_month or "") < ends):
        channels = [row for row in rows if row.level == level]
        empty = [row for row in channels if not row.required.keys() - later and not row.unsure]
        if len(empty) < len(channels):
            for row in empty:
                row.row.fault("channel_without_threshold", "channel")
        else:
            at, found = (
                (empty[0].row, None)
                if empty
                else (rows[-1].row, _level_gone(level, rows[-1].row.table.faults.language))
            )
            at.fault("level_without_threshold", "level", found=found, level=level, ladder=month)
        complete &= bool(channels) and not empty
    return complete


def _level_gone(level: int, language: Language) -> str:
    name = f"等级 {level}：" if language == "zh" else f"level {level}: "
    return name + blank(language)


def _find_steps_down(rows: Sequence[ChannelRow], metrics: Sequence[str]) -> None:
    """Within a channel, no level may ask less of a metric than the next lower level that has the channel."""
    lower_of: dict[int, ChannelRow] = {}
    for higher in rows:
        lower = lower_of.get(higher.channel)
        lower_of[higher.channel] = higher
        for metric in metrics if lower else ():
            if lower and higher.asks(metric) < lower.asks(metric) and metric not in higher.unsure:
                least, other = plain_text(lower.row.raw(metric)), lower.row.location(metric)
                higher.row.fault("ladder_not_monotone", metric, least=least, level=lower.level, other=other)


def _find_dominated(rows: Sequence[ChannelRow]) -> None:
    """A channel can't decide when another of the same or a higher level asks no more of anything."""
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


def _find_slips(earlier: Sequence[ChannelRow], rows: Sequence[ChannelRow], metrics: Sequence[str]) -> None:
    """A ladder to come that has less than the one before it, or a number ten times as large or small."""
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
    """Whether a number became ten times larger or smaller; 0 asks for nothing and is no measure."""
    return bool(old and new) and (new >= JUMP * old or old >= JUMP * new)


def _dominates(rival: ChannelRow, row: ChannelRow) -> bool:
    """Of two equal channels of one level the first decides."""
    if rival is row or not rival.asks_no_more_than(row):
        return False
    return rival.level > row.level or rival.channel < row.channel or not row.asks_no_more_than(rival)


def _ladder(since: str, rows: Sequence[ChannelRow], levels: Levels) -> Ladder:
    rungs = []
    for level in levels.levels:
        channels = [row for row in rows if row.level == level.level and row.required]
        rungs.append(Rung(level.level, tuple(Channel(row.channel, _thresholds(row)) for row in channels)))
    return Ladder(since or None, tuple(rungs))


def _thresholds(row: ChannelRow) -> tuple[Threshold, ...]:
    return tuple(Threshold(metric, required) for metric, required in sorted(row.required.items()))


def _begins(values: Mapping[str, int], expected: int | None, levels: Levels, metrics: Metrics) -> str:
    """The first rating month that has the level that a case expects and every metric that it speaks of."""
    of_metrics = [metric.from_month or "" for key in values if (metric := metrics.by_key[key])]
    return max([levels.begins(expected), *of_metrics])


def _states(ladders: Sequence[Ladder], levels: Levels, metrics: Metrics, begins: str) -> Iterator[tuple[Ladder, str]]:
    """What is in force from ``begins`` on, and since when: each ladder, and again when a level or a metric joins it.

    A level or metric that only begins later is not there yet. ``ladders`` ascend.
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


def _try(case: Case, states: Iterable[tuple[Ladder, str]], row: Row, month: str) -> None:
    for ladder, since in states:
        level = computed_level(case.metrics, ladder)
        if level == case.expected_level:
            continue
        joined = since > max(month, ladder.effective_month or "")
        row.fault(
            "case_fails_later" if joined else "case_fails",
            "expected_level",
            found=f"{case.case}: {level or getattr(UNRATED, row.table.faults.language)}",
            expected=case.expected_level or UNRATED,
            ladder=(since if joined else ladder.effective_month) or SINCE_EVER,
        )
