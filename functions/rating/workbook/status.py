"""The status tab: the result of a check or a run, for operations, in the sheet's language. Pure."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from functions.rating.workbook.asks import choice
from functions.rating.workbook.cell_types import UNLIMITED, UNLIMITED_WORDS
from functions.rating.workbook.cells import Language
from functions.rating.workbook.description import Text
from functions.rating.workbook.distribution_tab import DistributionPage, distribution_page
from functions.rating.workbook.faults import Location
from functions.rating.workbook.status_cells import Colour, StatusCell, StatusRow
from functions.rating.workbook.status_words import (
    ACTIONS,
    CAUSES,
    GUARDRAILS,
    NOT_DELIVERED,
    OUTCOMES,
    STANDINGS,
    failure,
    one_language,
)
from shared.levels import Measure
from shared.money import yuan

SHOWN_FAULTS = 500
SHOWN_MOVERS = 200
SHOWN_CHANGES = 200
SHOWN_LEDGER = 10
_SHOWN_LENGTH = 500

_COLOURS: Mapping[str, Colour] = {
    **dict.fromkeys(
        ("published", "unchanged", "previewed", "checked", "refreshed", "rolled_back", "verified", "repaired"), "green"
    ),
    **dict.fromkeys(("held", "pending", "not_ready", "measuring", "refused"), "orange"),
}


@dataclass(frozen=True, slots=True)
class Status:
    """The rows of the tab, and the runs that the console tab offers to accept and to roll back to.

    ``distribution``: the content of the distribution tab; None leaves that tab as it is.
    """

    rows: Sequence[StatusRow]
    held: Sequence[str] = ()
    earlier: Sequence[str] = ()
    distribution: DistributionPage | None = None


StatusPage = Callable[[Language], Status]
"""Returns the status in a language."""


@dataclass(frozen=True, slots=True)
class StatusContext:
    """What the tab shows besides an answer.

    ``at``: now, in the platform's time zone. ``run``: the JSON report of the run. ``link``: an address that opens this
    report in a browser until ``link_until``. ``waiting``: ledger lines of the runs that wait for a decision.
    ``ledger``: the newest lines, newest first. ``earlier``: runs to roll back to, as month and run.
    """

    at: datetime
    run: Mapping[str, Any] = field(default_factory=dict)
    link: str | None = None
    link_until: datetime | None = None
    waiting: Sequence[Mapping[str, Any]] = ()
    ledger: Sequence[Mapping[str, Any]] = ()
    earlier: Sequence[tuple[str, str]] = ()


def status(answer: Mapping[str, Any], context: StatusContext, language: Language) -> Status:
    """The tab's content, and the runs that the console tab offers."""
    held = [choice(line["month"], line["run"]) for line in context.waiting]
    earlier = [choice(*run) for run in context.earlier]
    return Status(status_rows(answer, context, language), held, earlier, _distribution(answer, context.run, language))


def _distribution(answer: Mapping[str, Any], run: Mapping[str, Any], language: Language) -> DistributionPage | None:
    """The distributions of the preview, or of the run in the report."""
    found, moves = (answer, answer.get("preview")) if answer.get("preview") else (run, run.get("moves"))
    if not found.get("distributions") or not moves:
        return None
    month = answer.get("measured_month") or run.get("record", {}).get("month") or answer["month"]
    return distribution_page(found["distributions"], moves["metrics"], month, language)


def status_rows(answer: Mapping[str, Any], context: StatusContext, language: Language) -> list[StatusRow]:
    """The rows for an answer of the rating function. The first row is the verdict.

    The outcome of a sheet with errors is ``faulty``. The outcome of a failed run is ``failed``, with ``error`` and
    ``message``. Without ``faults`` the sheet was not read, and the rows do not mention it.
    """
    return _Page(answer, context, language).rows()


@dataclass(frozen=True, slots=True)
class _Page:
    answer: Mapping[str, Any]
    context: StatusContext
    language: Language

    def rows(self) -> list[StatusRow]:
        answer, run = self.answer, self.context.run
        sections = [
            self._summary(),
            self._faults(answer.get("faults")),
            self._guardrails(run.get("record", {}).get("guardrails", ())),
            self._levels(answer.get("levels") or run.get("record", {}).get("levels") or {}),
            self._moves(answer.get("preview") or run.get("moves")),
            self._changes(answer.get("changes") or ()),
        ]
        shown = 1 if answer.get("effective_month") else 0  # a refresh has the first month in its own fields
        for step in answer.get("prepared", ())[shown:]:
            sections.append(self._prepared(step))
        sections.append(self._ledger())
        written = [rows for section in sections if (rows := list(section))]
        return [row for rows in written for row in (*rows, ())][:-1]

    def say(self, en: str, zh: str) -> str:
        return zh if self.language == "zh" else en

    # --- the verdict and the facts ------------------------------------------------------------------------------------

    def _summary(self) -> Iterator[StatusRow]:
        answer, context = self.answer, self.context
        text, colour = self._verdict()
        yield tuple(StatusCell(cell, bold=True, colour=colour) for cell in (text, *[""] * 5))
        zone = self.say(f"{context.at.tzinfo}", "北京时间" if str(context.at.tzinfo) == "Asia/Shanghai" else "")
        yield self._line("checked at", "更新时间", f"{context.at:%Y-%m-%d %H:%M} {zone}".rstrip())
        for line in context.waiting:
            what = self.say(
                f"run {line['run']} of {line['month']}, held since {self._time(line['at'])}",
                f"{line['month']} 的批次 {line['run']}，{self._time(line['at'])} 起暂缓",
            )
            yield StatusCell(self.say("waits for a decision", "等待确认"), bold=True, colour="orange"), _cell(what)
        for because in self._because():
            yield self._line("because", "原因", because)
        for en, zh, key in (
            ("rating month", "考核月", "month"),
            ("measured month", "数据月份", "measured_month"),
            ("run", "批次", "run"),
            ("rulebook version", "规则版本", "rulebook"),
            ("missing data", "缺少的数据", "missing"),
        ):
            if value := answer.get(key):
                yield self._line(en, zh, value if isinstance(value, str) else "、".join(value))
        if context.link and context.link_until:
            of = _month_of(context.link)
            until = self.say(
                f"open the report of {of} (the link works until {context.link_until:%Y-%m-%d %H:%M} at the latest)",
                f"打开 {of} 的报告（链接最晚 {context.link_until:%Y-%m-%d %H:%M} 前有效）",
            )
            yield StatusCell(self.say("report", "报告"), bold=True), StatusCell(until, to=context.link)
        if month := answer.get("effective_month"):
            day = answer.get("effective_on", "")
            yield self._line(
                "takes effect from",
                "生效考核月",
                self.say(f"rating month {month}, published on {day}", f"{month} 考核月，{day} 发布"),
            )

    def _verdict(self) -> tuple[str, Colour]:
        """One line and its colour: red if something has to be fixed, orange if somebody has to decide."""
        outcome, faults = self.answer["outcome"], self.answer.get("faults") or ()
        errors = sum(fault["severity"] == "error" for fault in faults)
        warnings = len(faults) - errors
        if outcome == "checked" and errors:
            outcome = "faulty"
        said = [self._text(OUTCOMES[outcome])]
        if month := self.answer.get("month"):
            said[0] = self.say(f"{month}: {said[0]}", f"{month}：{said[0]}")
        if errors:
            said.append(self.say(f"{errors} errors", f"{errors} 个错误"))
        elif self.answer.get("faults") is not None and outcome != "failed":
            said.append(self.say("the sheet is valid", "表格可用"))
        if warnings:
            said.append(self.say(f"{warnings} warnings", f"{warnings} 个提醒"))
        colour = _COLOURS.get(outcome, "red")
        if self.context.waiting and outcome != "held":
            count = len(self.context.waiting)
            said.append(self.say(f"{count} runs wait for a decision", f"{count} 个批次等待确认"))
            colour = "orange" if colour == "green" else colour
        return self.say("; ", "；").join(said), colour

    def _because(self) -> Iterator[str]:
        """The reasons for a failure, a refusal or a hold, one sentence each."""
        answer = self.answer
        for found in answer.get("found", ()):
            yield self.say(found, f"{NOT_DELIVERED}\n{found}")
        if answer.get("error"):
            yield failure(answer["error"], answer["message"], self.language)
        exceeded = [one for one in self.context.run.get("record", {}).get("guardrails", ()) if one["exceeded"]]
        if answer["outcome"] == "held":
            yield from (one["because"][self.language] for one in exceeded if one.get("because"))
            if because := self.context.run.get("held_because"):
                yield because[self.language]

    # --- the sheet ----------------------------------------------------------------------------------------------------

    def _faults(self, faults: Sequence[Mapping[str, Any]] | None) -> Iterator[StatusRow]:
        if not faults:
            return
        yield self._header(
            ("problem", "问题"), ("cell", "单元格"), ("found", "发现"), ("expected", "应为"), ("how to fix", "处理")
        )
        kinds: dict[str, tuple[str, Colour]] = {
            "error": (self.say("error", "错误"), "red"),
            "warning": (self.say("warning", "提醒"), "orange"),
        }
        for fault in sorted(faults, key=lambda one: one["severity"])[:SHOWN_FAULTS]:
            location = Location(fault["tab"], fault["cell"])
            texts = (fault["found"], *(fault[p][self.language] for p in ("expected", "fix")))
            kind, colour = kinds[fault["severity"]]
            yield StatusCell(kind, colour=colour), StatusCell(str(location), to=location), *map(_cell, texts)
        yield from self._more(len(faults) - SHOWN_FAULTS)

    def _changes(self, changes: Sequence[Mapping[str, Any]]) -> Iterator[StatusRow]:
        """The differences from the rules in force, with their cells. Orange: something is taken away."""
        if not changes:
            return
        yield self._line(
            "against what is in force",
            "与正在生效的规则相比",
            self.say(f"{len(changes)} changes", f"{len(changes)} 处改动"),
        )
        yield self._header(("cell", "单元格"), ("what", "内容"), ("old", "原来"), ("new", "现在"), ("when", "何时生效"))
        gone = self.say(" (row gone)", "（整行已删除）")
        for change in changes[:SHOWN_CHANGES]:
            location = Location(change["tab"], change["cell"])
            said = str(location) if change["cell"] else f"{change['tab']}{gone}"
            what, when = (change[part][self.language] for part in ("what", "when"))
            cells = (what, change["old"] or "–", change["new"] or "–", when)
            colour: Colour | None = "orange" if change["takes_away"] else None
            to = location if change["cell"] else None
            yield StatusCell(said, to=to, colour=colour), *map(_cell, cells)
        yield from self._more(len(changes) - SHOWN_CHANGES)

    # --- the levels ---------------------------------------------------------------------------------------------------

    def _guardrails(self, guardrails: Sequence[Mapping[str, Any]]) -> Iterator[StatusRow]:
        if not guardrails:
            return
        yield self._header(("guardrail", "保护上限"), ("limit", "限值"), ("this run", "本次"), ("", ""))
        for one in guardrails:
            shown = _percent if one["name"] != "min_rows" else str
            value = "–" if one["value"] is None else shown(one["value"])
            colour: Colour = "red" if one["exceeded"] else "green"
            said = self.say("exceeded", "超出") if one["exceeded"] else self.say("within", "未超出")
            name = self._text(GUARDRAILS.get(one["name"], Text(one["name"], one["name"])))
            yield _cell(name), _cell(shown(one["limit"])), _cell(value), StatusCell(said, colour=colour)

    def _levels(self, levels: Mapping[str, int]) -> Iterator[StatusRow]:
        if not levels:
            return
        yield self._header(("level", "等级"), ("agencies", "机构数"))
        for level, count in levels.items():
            yield _cell(self._standing(level)), _cell(f"{count:,}")

    def _prepared(self, step: Mapping[str, Any]) -> Iterator[StatusRow]:
        """What changes from a month on, and who would move."""
        month, day = step["effective_month"], step["effective_on"]
        said = self.say(f"rating month {month}, published on {day}", f"{month} 考核月，{day} 发布")
        yield self._line("prepared for", "已准备的改动", said)
        yield from self._moves(step["preview"])

    def _moves(self, moves: Mapping[str, Any] | None) -> Iterator[StatusRow]:
        """The movers, down before up; then how many agencies go from each level to each level."""
        if not moves or not moves["matrix"]:
            return
        movers: dict[bool, list[Mapping[str, Any]]] = {True: [], False: []}
        for mover in moves["movers"]:
            movers[(mover["new_level"] or 0) > (mover["old_level"] or 0)].append(mover)
        room = SHOWN_MOVERS
        for up, total in ((False, _moving(moves["matrix"], up=False)), (True, _moving(moves["matrix"], up=True))):
            if not total:
                continue
            name = self.say("up" if up else "down", "升级" if up else "降级")
            count = self.say(f"{total:,} agencies", f"{total:,} 家机构")
            yield StatusCell(name, bold=True, colour="green" if up else "orange"), _cell(count)
            yield self._header(
                ("agency", "机构"),
                ("name", "名称"),
                ("change", "变化"),
                ("decided by", "决定性指标"),
                ("benefits gained", "新增权益"),
                ("benefits lost", "失去权益"),
            )
            shown = movers[up][:room]
            room -= len(shown)
            yield from (self._mover(mover, moves["metrics"]) for mover in shown)
            if total > len(shown):
                more = total - len(shown)
                yield (_cell(self.say(f"and {more:,} more in the report", f"另有 {more:,} 家，见报告")),)
        yield self._header(("from", "原等级"), ("to", "新等级"), ("agencies", "机构数"))
        for entry in moves["matrix"]:
            old, new = self._standing(entry["from"]), self._standing(entry["to"])
            yield _cell(old), _cell(new), _cell(f"{entry['agencies']:,}")

    def _mover(self, mover: Mapping[str, Any], metrics: Mapping[str, Any]) -> StatusRow:
        change = " → ".join(self._level(mover[level]) for level in ("old_level", "new_level"))
        gained, lost = (list(mover[f"benefits_{way}"]) for way in ("gained", "lost"))
        for one in mover.get("benefits_changed", ()):
            before, now = (self._text(UNLIMITED_WORDS) if one[e] == UNLIMITED else one[e] for e in ("before", "now"))
            gained.append(f"{one['benefit']}: {before} → {now}")
        cells = (mover["agency_id"], mover["name"], change, self._decided_by(mover, metrics))
        return (*map(_cell, cells), _cell("、".join(gained)), _cell("、".join(lost)))

    def _decided_by(self, mover: Mapping[str, Any], metrics: Mapping[str, Mapping[str, Any]]) -> str:
        """The threshold that decided, as ``name: actual / required unit``; GMV in yuan."""
        if cause := mover.get("cause"):
            return self._text(CAUSES[cause])
        check = mover["decided_by"]
        if check is None:
            return ""
        metric = metrics[check["metric"]]
        shown = yuan if metric["measure"] == Measure.PAID_GMV else str
        return f"{metric['name']}: {shown(check['actual'])} / {shown(check['required'])} {metric['unit']}".rstrip()

    # --- the ledger ---------------------------------------------------------------------------------------------------

    def _ledger(self) -> Iterator[StatusRow]:
        if not self.context.ledger:
            return
        yield self._header(
            ("ledger, newest first", "台账，最新在前"),
            ("what", "操作"),
            ("rating month", "考核月"),
            ("run", "批次"),
            ("by", "操作人"),
            ("reason", "原因"),
        )
        for line in self.context.ledger[:SHOWN_LEDGER]:
            action = self._text(ACTIONS.get(line["action"], Text(line["action"], line["action"])))
            by, reason = line["by"] or "–", one_language(line["reason"] or "–", self.language)
            yield tuple(map(_cell, (self._time(line["at"]), action, line["month"], line["run"], by, reason)))

    # --- words --------------------------------------------------------------------------------------------------------

    def _text(self, text: Text) -> str:
        return str(getattr(text, self.language))

    def _time(self, instant: str) -> str:
        return f"{datetime.fromisoformat(instant).astimezone(self.context.at.tzinfo):%Y-%m-%d %H:%M}"

    def _standing(self, standing: str) -> str:
        return (
            self._text(STANDINGS[standing])
            if standing in STANDINGS
            else self.say(f"level {standing}", f"{standing} 级")
        )

    def _level(self, level: int | None) -> str:
        return self._text(STANDINGS["unrated"]) if level is None else str(level)

    def _line(self, en: str, zh: str, text: str) -> StatusRow:
        return StatusCell(self.say(en, zh), bold=True), _cell(text)

    def _header(self, *names: tuple[str, str]) -> StatusRow:
        return tuple(StatusCell(self.say(*name), bold=True) for name in names)

    def _more(self, hidden: int) -> Iterator[StatusRow]:
        if hidden > 0:
            yield (_cell(self.say(f"and {hidden:,} more", f"另有 {hidden:,} 条")),)


def _month_of(link: str) -> str:
    """The month in a report's address."""
    found = re.search(r"month(?:=|%3D)([0-9]{4}-[0-9]{2})", link)
    return found[1] if found else ""


def _moving(matrix: Sequence[Mapping[str, Any]], *, up: bool) -> int:
    """How many agencies go up or down. Unrated, awaiting and absent rank below 1. Agencies that left don't count."""

    def rank(standing: str) -> int:
        return int(standing) if standing.isdecimal() else 0

    pairs = [(rank(one["from"]), rank(one["to"]), one["agencies"]) for one in matrix if one["to"] != "absent"]
    return sum(agencies for old, new, agencies in pairs if (new > old if up else new < old))


def _percent(share: Any) -> str:
    return f"{100 * float(share):.4g} %"


def _cell(text: str) -> StatusCell:
    return StatusCell(text if len(text) <= _SHOWN_LENGTH else f"{text[:_SHOWN_LENGTH]}…")
