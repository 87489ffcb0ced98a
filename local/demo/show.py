"""The tables of the demo: Chinese as in the data, with English next to it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from rich import box
from rich.console import Group, RenderableType
from rich.panel import Panel
from rich.progress_bar import ProgressBar
from rich.table import Table
from rich.text import Text

from functions.rating.run.nothing_counted import WORDS_FOR_NOTHING
from shared.money import yuan

Json = Mapping[str, Any]

_LEVEL_WORDS = {"unrated": "未定级 unrated", "awaiting_first_rating": "等待首次考核 awaiting first rating"}
_MOVES = {"up": "升级 up", "down": "降级 down", "same": "不变 same", "new": "新定级 new", "left": "离开 left"}
_FATES = {
    "used": "计入 used",
    "excluded": "风控剔除 excluded (flagged)",
    "unbound": "无机构绑定 unbound",
    "duplicate": "重复 duplicate",
    "out_of_month": "不在考核月 out of month",
    "quarantined": "坏行隔离 quarantined",
}
_STATUSES = {
    "rated": "已定级 rated",
    "below_ladder": "未达标 below the ladder",
    "awaiting_first_rating": "等待首次考核 awaiting first rating",
    "overridden": "人工调整 set by hand",
}


def levels_per_month(results: Sequence[Json], names: Mapping[str, str]) -> RenderableType:
    """How many agencies have each level in each month, highest level first."""
    return _by_month(
        "机构等级 Agencies per level",
        results,
        ((names.get(key, _LEVEL_WORDS.get(key, key)), [r["levels"][key] for r in results]) for key in _levels(results)),
        total=("机构数 agencies", [r["agencies"] for r in results]),
    )


def moves_per_month(results: Sequence[Json]) -> RenderableType:
    """How many agencies moved against the month before."""
    rows = ((label, [r["moves"][key] for r in results]) for key, label in _MOVES.items())
    return _by_month("等级变动 Moves", results, rows)


def order_rows(results: Sequence[Json]) -> RenderableType:
    """The outcome of every order row; the sum is the number of rows in the files."""
    fates = [r["quality"]["order_rows"] for r in results]
    rows = ((label, [fate[key] for fate in fates]) for key, label in _FATES.items())
    return _by_month(
        "订单行去向 Order rows", results, rows, total=("文件行数 rows in files", [f["read"] for f in fates])
    )


def left_out(results: Sequence[Json]) -> RenderableType:
    """The newest month's bad rows by reason, and rows flagged by risk control by tag."""
    quality = results[-1]["quality"]
    bad = _table("坏行 Bad rows", "数据集 dataset", "原因 reason", "行 rows")
    for dataset, facts in quality["datasets"].items():
        for reason, count in sorted(facts["bad_rows"].items()):
            bad.add_row(dataset, reason, f"{count:,}")
    flagged = _table("风控剔除 Flagged", "标签 tag", "达人 creators", "订单 orders", "金额（元） yuan")
    creators = {removed["risk_tag"]: removed["count"] for removed in quality["excluded_creators"]}
    for removed in quality["excluded_orders"]:
        tag = removed["risk_tag"]
        flagged.add_row(tag_name(tag), f"{creators.get(tag, 0):,}", f"{removed['count']:,}", yuan(removed["amount"]))
    return Group(bad, flagged)


def stage_seconds(results: Sequence[Json]) -> RenderableType:
    """How long each stage of each month took."""
    stages = list(dict.fromkeys(stage for r in results for stage in r["stages"]))
    rows = ((stage, [r["stages"].get(stage, 0.0) for r in results]) for stage in stages)
    return _by_month("各阶段用时（秒） Seconds per stage", results, rows, form="{:.2f}")


def card(card: Json) -> RenderableType:
    """An agency as creators and merchants see it."""
    level = "–" if card["level"] is None else f"{card['level']} {card['level_name']}"
    lines = (
        f"[bold]{card['name']}[/]  {card['agency_id']} · {card['city'] or ''} · {card['month']}",
        f"等级 Level  [bold green]{level}[/]   {_STATUSES[card['status']]}",
        card["introduction"] or "",
        f"权益 Benefits  {'、'.join(card['benefits'])}",
    )
    return Panel("\n".join(lines), title="公开名片 Public card", title_align="left", box=box.ROUNDED)


def own_view(view: Json, ladder: Json) -> RenderableType:
    """An agency's own view: level, reasons, gaps to the next level, benefits, removed rows."""
    names = {metric["metric"]: f"{metric['name']}（{metric['unit']}）" for metric in ladder["metrics"]}
    above = view["next_level"]
    sections: list[RenderableType] = [_standing(view)]
    if view["channels"]:
        sections.append(_thresholds(f"达标情况 Why level {view['computed_level']}", view["channels"], names))
    if above:
        sections.append(_gaps(above, names))
    sections += [
        _lines("权益 Benefits", (_benefit(benefit) for benefit in view["benefits"])),
        _lines("建议 Tips", (tip["tip"] for tip in view["tips"])),
        _lines("剔除 Left out", _excluded(view["excluded"])),
    ]
    title = f"机构自己的视图 Own view: [bold]{view['name']}[/]  {view['agency_id']} · {view['month']}"
    return Panel(Group(*sections), title=title, title_align="left", box=box.ROUNDED)


def faults(found: Sequence[Json]) -> RenderableType:
    """The spreadsheet's faults, each with its cell."""
    table = _table("表格问题 Faults of the sheet", "单元格 cell", "发现 found", "应为 expected", "处理 fix")
    for fault in found:
        expected, fix = fault["expected"], fault["fix"]
        table.add_row(
            f"{fault['tab']}!{fault['cell']}",
            fault["found"],
            f"{expected['zh']}\n{expected['en']}",
            f"{fix['zh']}\n{fix['en']}",
        )
    return table


def preview(comparison: Json, ladder: Json, most: int = 6) -> RenderableType:
    """Who would move: counts from level to level, then agencies by name with the threshold that decides."""
    names = {metric["metric"]: metric["name"] for metric in ladder["metrics"]}
    moved = [pair for pair in comparison["matrix"] if pair["from"] != pair["to"]]
    pairs = ", ".join(f"{pair['from']} → {pair['to']}: {pair['agencies']}" for pair in moved)
    table = _table(
        f"预览 Who would move — {pairs}", "机构 agency", "等级 level", "决定指标 decided by", "获得 gains", "失去 loses"
    )
    movers = comparison["movers"]
    for mover in movers[:most]:
        decided = mover["decided_by"]
        table.add_row(
            f"{mover['name']} {mover['agency_id']}",
            f"{mover['old_level']} → {mover['new_level']}",
            names[decided["metric"]] if decided else "",
            ", ".join(mover["benefits_gained"]),
            ", ".join(mover["benefits_lost"]),
        )
    if len(movers) > most:
        table.add_row(f"… {len(movers) - most}", "", "", "", "")
    return table


def tag_name(tag: str) -> str:
    """A tag as text. A word for "nothing" is shown as an unnamed tag."""
    return f"无名标签 unnamed tag ({tag})" if tag.casefold() in WORDS_FOR_NOTHING else tag


def _by_month(
    title: str,
    results: Sequence[Json],
    rows: Iterable[tuple[str, Sequence[float]]],
    *,
    total: tuple[str, Sequence[float]] | None = None,
    form: str = "{:,}",
) -> Table:
    table = _table(title, "", *(str(result["month"]) for result in results))
    for label, values in rows:
        table.add_row(label, *(form.format(value) for value in values))
    if total:
        table.add_section()
        table.add_row(total[0], *(form.format(value) for value in total[1]))
    return table


def _table(title: str, *columns: str) -> Table:
    table = Table(title=title, title_justify="left", title_style="bold", box=box.SIMPLE_HEAD, pad_edge=False)
    for column in columns:
        numeric = column[:2] == "20" or column.endswith((" rows", " creators", " orders", " yuan"))
        table.add_column(column, justify="right" if numeric else "left", overflow="fold")
    return table


def _levels(results: Sequence[Json]) -> list[str]:
    numbered = sorted((key for key in results[-1]["levels"] if key.isdigit()), key=int, reverse=True)
    return [*numbered, *_LEVEL_WORDS]


def _standing(view: Json) -> Text:
    level = "–" if view["level"] is None else f"{view['level']} {view['level_name']}"
    text = Text.assemble("等级 Level  ", (level, "bold green"), f"   {_STATUSES[view['status']]}")
    if view["change"]:
        text.append(f"   {_MOVES[view['change']]} (上月 before: {view['previous_level'] or '–'})")
    if view["first_rating_on"]:
        text.append(f"   {view['first_rating_on']}")
    return text


def _thresholds(title: str, channels: Sequence[Json], names: Mapping[str, str]) -> Table:
    table = _table(title, "通道 channel", "指标 metric", "要求 required", "实际 actual", "")
    for channel in channels:
        for check in channel["thresholds"]:
            mark = "[green]✓[/]" if check["met"] else "[red]✗[/]"
            table.add_row(
                str(channel["channel"]), names[check["metric"]], str(check["required"]), str(check["actual"]), mark
            )
    return table


def _gaps(above: Json, names: Mapping[str, str]) -> Table:
    title = (
        f"下一级 Next: {above['level']} {above['level_name']} (最接近 nearest: 通道 channel {above['nearest_channel']})"
    )
    table = _table(title, "通道 channel", "指标 metric", "要求 required", "还差 missing", "")
    for channel in above["channels"]:
        for gap in channel["gaps"]:
            table.add_row(
                str(channel["channel"]),
                names[gap["metric"]],
                str(gap["required"]),
                str(gap["missing"]),
                ProgressBar(total=1, completed=gap["progress"], width=20),
            )
    return table


def _benefit(benefit: Json) -> str:
    extent = benefit["text"] or benefit["quota"]
    return benefit["name"] if extent is None else f"{benefit['name']}: {extent}"


def _excluded(excluded: Json) -> Iterable[str]:
    for removed in excluded["creators"]:
        yield f"达人 creators {removed['count']} ({tag_name(removed['risk_tag'])})"
    for removed in excluded["orders"]:
        yield f"订单 orders {removed['count']}, {removed['amount']} 元 yuan ({tag_name(removed['risk_tag'])})"


def _lines(title: str, lines: Iterable[str]) -> Text:
    return Text.assemble((title, "bold"), *(f"\n  · {line}" for line in lines), "\n")
