"""The status tab: what operations read in the sheet after a check or a run, in Chinese and English. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal

from functions.rating.workbook.faults import Location
from shared.levels import Measure
from shared.money import yuan

SHOWN_FAULTS = 500
SHOWN_MOVERS = 200
SHOWN_CHANGES = 200
_SHOWN_LENGTH = 500

OUTCOMES = {
    "published": "等级已发布 levels published",
    "unchanged": "没有变化，维持已发布的等级 nothing changed, the published levels stay",
    "held": "暂缓发布，旧等级继续有效 held, the levels that are out stay",
    "previewed": "试算完成，未发布 previewed, nothing published",
    "checked": "仅检查，未发布 checked only",
    "refreshed": "文字改动已发布 changed texts published",
    "pending": "有改动尚未生效，见下表 changes are waiting, listed below",
    "not_ready": "数据未就绪，稍后自动重试 the month's data is not ready, tried again later",
    "rolled_back": "已回滚 rolled back",
    "repaired": "已发布的数据已重新写入 the published items were written again",
    "verified": "复核一致 verified",
    "differs": "复核不一致 differs",
    "failed": "运行失败，没有发布任何内容 the run failed, nothing was published",
    "faulty": "表格有错误，未发布任何内容 the sheet has errors, nothing was published",
}
_SEVERITIES = {"error": "错误 error", "warning": "提醒 warning"}
_STANDINGS = {
    "unrated": "未定级 unrated",
    "awaiting": "待首次评级 awaiting",
    "awaiting_first_rating": "待首次评级 awaiting",
    "absent": "无 none",
}


Colour = Literal["green", "orange", "red"]
_COLOURS: Mapping[str, Colour] = {
    **dict.fromkeys(
        ("published", "unchanged", "previewed", "checked", "refreshed", "rolled_back", "verified", "repaired"), "green"
    ),
    **dict.fromkeys(("held", "pending", "not_ready", "measuring"), "orange"),
}


@dataclass(frozen=True, slots=True)
class StatusCell:
    """A cell of the status tab; ``to`` is the cell of the sheet that a click on it leads to."""

    text: str
    to: Location | None = None
    bold: bool = False
    colour: Colour | None = None


StatusRow = tuple[StatusCell, ...]


def status_rows(answer: Mapping[str, Any], at: datetime) -> list[StatusRow]:
    """What the tab says about an answer of the rating function, at a local time.

    ``answer``: its ``outcome``, ``month``, ``rulebook`` (the version) and ``faults``, and where there is one its
    ``preview`` of who would move with its ``effective_month``, and the ``changes`` of what is in force. For a sheet
    with errors the outcome is ``faulty``; for a run that failed ``failed``, with its ``cause``. Without ``faults``
    nothing is said of the sheet, because it was not read.
    """
    faults = answer.get("faults")
    rows = [*_summary(answer, at, faults)]
    if faults is not None:
        rows += [(), *_faults(faults)]
    if changes := answer.get("changes"):
        rows += [(), *_changes(changes)]
    for step in answer.get("prepared", ())[1:]:
        when = f"{step['effective_month']}，发布日 published on {step['effective_on']}"
        rows += [(), _line("更晚的改动 takes effect from", when), *_moves(step["preview"])]
    if preview := answer.get("preview"):
        rows += [(), *_moves(preview)]
    return rows


def _summary(
    answer: Mapping[str, Any], at: datetime, faults: Sequence[Mapping[str, Any]] | None
) -> Iterator[StatusRow]:
    errors = sum(fault["severity"] == "error" for fault in faults or ())
    outcome, colour = OUTCOMES[answer["outcome"]], _COLOURS.get(answer["outcome"], "red")
    verdict = "可用 valid" if not errors else "有错误，改好之前不会发布 faulty, nothing is published until it is fixed"
    yield _line("检查时间 checked at", f"{at:%Y-%m-%d %H:%M} ({at.tzinfo})")
    if faults is not None:
        yield _line("表格 spreadsheet", verdict)
    yield StatusCell("结果 outcome", bold=True, colour=colour), StatusCell(outcome, bold=True, colour=colour)
    if cause := answer.get("cause"):
        yield _line("原因 cause", cause)
    if because := answer.get("held_because"):
        yield _line("原因 because", because)
    yield _line("考核月 rating month", answer.get("month") or "")
    yield _line("规则版本 rulebook version", answer.get("rulebook") or "")
    for name, key in (("批次 run", "run"), ("报告 report", "report"), ("数据月份 measured month", "measured_month")):
        if value := answer.get(key):
            yield _line(name, value)
    if levels := answer.get("levels"):
        counts = (f"{_standing(level)}: {count}" for level, count in levels.items())
        yield _line("等级分布 levels", "、".join(counts))
    if month := answer.get("effective_month"):
        yield _line("生效考核月 takes effect from", f"{month}，发布日 published on {answer.get('effective_on', '')}")


def _faults(faults: Sequence[Mapping[str, Any]]) -> Iterator[StatusRow]:
    errors = sum(fault["severity"] == "error" for fault in faults)
    yield _line("问题 faults", f"{errors} 个错误 errors, {len(faults) - errors} 个提醒 warnings")
    if faults:
        yield _header("级别 severity", "单元格 cell", "发现 found", "应为 expected", "处理 how to fix", "代码 code")
    for fault in faults[:SHOWN_FAULTS]:
        place = Location(fault["tab"], fault["cell"])
        expected, fix = (f"{fault[part]['zh']}\n{fault[part]['en']}" for part in ("expected", "fix"))
        texts = (_cell(text) for text in (fault["found"], expected, fix, fault["code"]))
        yield StatusCell(_SEVERITIES[fault["severity"]]), StatusCell(str(place), to=place), *texts
    yield from _more(len(faults) - SHOWN_FAULTS)


def _changes(changes: Sequence[Mapping[str, Any]]) -> Iterator[StatusRow]:
    """What the sheet changes of what is in force, with the cells; what takes something away is orange."""
    yield _line("与正在生效的规则相比 against what is in force", f"{len(changes)} 处改动 changes")
    yield _header("单元格 cell", "内容 what", "原来 old", "现在 new", "何时生效 when")
    for change in changes[:SHOWN_CHANGES]:
        location = Location(change["tab"], change["cell"])
        said = str(location) if change["cell"] else f"{change['tab']}（整行已删除 row gone）"
        what, when = (f"{change[part]['zh']}\n{change[part]['en']}" for part in ("what", "when"))
        colour: Colour | None = "orange" if change["takes_away"] else None
        cells = (_cell(text) for text in (what, change["old"] or "–", change["new"] or "–", when))
        yield StatusCell(said, to=location if change["cell"] else None, colour=colour), *cells
    yield from _more(len(changes) - SHOWN_CHANGES)


def _moves(preview: Mapping[str, Any]) -> Iterator[StatusRow]:
    yield _header("等级变化 who would move", "原等级 from", "新等级 to", "机构数 agencies")
    for entry in preview["matrix"]:
        yield _row("", _standing(entry["from"]), _standing(entry["to"]), str(entry["agencies"]))
    movers = preview["movers"]
    if movers:
        yield ()
        names = ("机构 agency", "名称 name", "变化 change", "决定性指标 decided by")
        yield _header(*names, "新增权益 benefits gained", "失去权益 benefits lost")
    for mover in movers[:SHOWN_MOVERS]:
        gained, lost = ("、".join(mover[f"benefits_{way}"]) for way in ("gained", "lost"))
        change = f"{_level(mover['old_level'])} → {_level(mover['new_level'])}"
        decided_by = _decided_by(mover["decided_by"], preview["metrics"])
        yield _row(mover["agency_id"], mover["name"], change, decided_by, gained, lost)
    yield from _more(len(movers) - SHOWN_MOVERS)


def _decided_by(check: Mapping[str, Any] | None, metrics: Mapping[str, Mapping[str, Any]]) -> str:
    """The threshold that decided, as ``name: actual / required unit``; GMV in yuan."""
    if check is None:
        return ""
    metric = metrics[check["metric"]]
    shown = yuan if metric["measure"] == Measure.PAID_GMV else str
    return f"{metric['name']}: {shown(check['actual'])} / {shown(check['required'])} {metric['unit']}".rstrip()


def _more(hidden: int) -> Iterator[StatusRow]:
    if hidden > 0:
        yield _row(f"… 另有 {hidden} 条 {hidden} more")


def _standing(standing: str) -> str:
    return _STANDINGS.get(standing, standing)


def _level(level: int | None) -> str:
    return "未定级 unrated" if level is None else str(level)


def _line(name: str, text: str) -> StatusRow:
    return StatusCell(name, bold=True), _cell(text)


def _header(*names: str) -> StatusRow:
    return tuple(StatusCell(name, bold=True) for name in names)


def _row(*texts: str) -> StatusRow:
    return tuple(map(_cell, texts))


def _cell(text: str) -> StatusCell:
    return StatusCell(text if len(text) <= _SHOWN_LENGTH else f"{text[:_SHOWN_LENGTH]}…")
