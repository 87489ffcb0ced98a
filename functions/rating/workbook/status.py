"""The status tab: what operations read in the sheet after a check or a run, in Chinese and English. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from functions.rating.workbook.faults import Location
from shared.levels import Measure
from shared.money import yuan

SHOWN_FAULTS = 500
SHOWN_MOVERS = 200
_SHOWN_LENGTH = 500

OUTCOMES = {
    "published": "等级已发布 levels published",
    "unchanged": "没有变化，维持已发布的等级 nothing changed, the published levels stay",
    "held": "触发保护上限，暂缓发布 held by a guardrail, nothing published",
    "previewed": "试算完成，未发布 previewed, nothing published",
    "checked": "仅检查，未发布 checked only",
    "refreshed": "文字改动已发布 changed texts published",
    "pending": "有影响评级的改动，尚未生效 changes that rate are waiting for their month",
    "not_ready": "数据未就绪，稍后自动重试 the month's data is not ready, tried again later",
    "rolled_back": "已回滚 rolled back",
    "verified": "复核一致 verified",
    "differs": "复核不一致 differs",
    "faulty": "表格有错误，未发布任何内容 the sheet has errors, nothing was published",
}
_SEVERITIES = {"error": "错误 error", "warning": "提醒 warning"}
_STANDINGS = {"unrated": "未达标 unrated", "awaiting": "待首次评级 awaiting", "absent": "无 none"}


@dataclass(frozen=True, slots=True)
class StatusCell:
    """A cell of the status tab; ``to`` is the cell of the sheet that a click on it leads to."""

    text: str
    to: Location | None = None
    bold: bool = False


StatusRow = tuple[StatusCell, ...]


def status_rows(answer: Mapping[str, Any], at: datetime) -> list[StatusRow]:
    """What the tab says about an answer of the rating function, at a local time.

    ``answer``: its ``outcome``, ``month``, ``rulebook`` (the version) and ``faults``, and where there is one its
    ``preview`` of who would move with its ``effective_month``. For a sheet with errors the outcome is ``faulty``.
    """
    faults = answer.get("faults", ())
    rows = [*_summary(answer, at, faults), (), *_faults(faults)]
    if preview := answer.get("preview"):
        rows += [(), *_moves(preview)]
    return rows


def _summary(answer: Mapping[str, Any], at: datetime, faults: Sequence[Mapping[str, Any]]) -> Iterator[StatusRow]:
    errors = sum(fault["severity"] == "error" for fault in faults)
    verdict = "可用 valid" if not errors else "有错误，改好之前不会发布 faulty, nothing is published until it is fixed"
    yield _line("检查时间 checked at", f"{at:%Y-%m-%d %H:%M} ({at.tzinfo})")
    yield _line("表格 spreadsheet", verdict)
    yield _line("结果 outcome", OUTCOMES[answer["outcome"]])
    if because := answer.get("held_because"):
        yield _line("原因 because", because)
    yield _line("考核月 rating month", answer.get("month") or "")
    yield _line("规则版本 rulebook version", answer.get("rulebook") or "")
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
    return "未评级 none" if level is None else str(level)


def _line(name: str, text: str) -> StatusRow:
    return StatusCell(name, bold=True), _cell(text)


def _header(*names: str) -> StatusRow:
    return tuple(StatusCell(name, bold=True) for name in names)


def _row(*texts: str) -> StatusRow:
    return tuple(map(_cell, texts))


def _cell(text: str) -> StatusCell:
    return StatusCell(text if len(text) <= _SHOWN_LENGTH else f"{text[:_SHOWN_LENGTH]}…")
