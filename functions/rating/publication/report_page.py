"""The pages of reports, in Chinese and English: of a run, and of one that stopped. They load nothing from outside."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import cache
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined, Template

from functions.rating.measuring.quarantine import MOST_OF_STOPPED
from functions.rating.run.nothing_counted import WORDS_FOR_NOTHING
from shared.levels import Measure, Removed
from shared.money import yuan

SHOWN_MOVERS = 1000  # on the page; the JSON document has all of them

WORDS = {
    "unrated": ("未定级", "unrated"),
    "awaiting_first_rating": ("等待首次考核", "awaiting first rating"),
    "up": ("升级", "up"),
    "down": ("降级", "down"),
    "same": ("不变", "same"),
    "new": ("新定级", "new"),
    "left": ("离开平台", "left"),
    "read": ("文件中的行", "rows in the files"),
    "quarantined": ("隔离的坏行", "quarantined"),
    "duplicate": ("重复", "duplicate"),
    "out_of_month": ("不在考核月", "out of month"),
    "excluded": ("风控剔除", "excluded (flagged)"),
    "unbound": ("无机构绑定", "unbound"),
    "used": ("计入", "used"),
    "awaiting": ("等待首次考核", "awaiting first rating"),
    "absent": ("不在平台", "not on the platform"),
}

GUARDRAILS = {
    "max_changed_share": ("等级变化的机构占比", "agencies whose level changes"),
    "max_downgraded_share": ("降级的机构占比", "agencies that are downgraded"),
    "max_gmv_change_share": ("支付 GMV 与上月相差", "paid GMV, compared with the month before"),
    "max_rows_change_share": ("数据行数与上月相差", "rows of a dataset, compared with the month before"),
    "min_rows": ("数据集没有任何行", "a dataset is empty"),
    "min_used_share": ("计入的订单行占比（下限）", "order rows that count (at least)"),
    "max_one_cause_share": ("同一原因的行占比", "rows with one thing in common"),
}
ACTIONS = {
    "published": ("已发布", "published"),
    "restated": ("更正后重新发布", "restated"),
    "held": ("暂缓", "held"),
    "accepted": ("人工确认后发布", "accepted"),
    "rolled_back": ("回退到此批次", "rolled back to this run"),
    "refreshed": ("更新文字", "texts refreshed"),
}


def report_page(document: Mapping[str, Any]) -> str:
    """The page of a run's report. ``document``: the report as data."""
    record, metrics = document["record"], document["moves"]["metrics"]
    level_names = {level: document["level_names"][level] for level in sorted(document["level_names"], key=int)}

    def amount(metric: str, value: int) -> str:
        return money(value) if metrics[metric]["measure"] == Measure.PAID_GMV else f"{value:,}"

    return template("report.html.j2").render(
        {"engine": None, "quarantine": None, "changes": [], **document},
        level_names=level_names,
        words=WORDS,
        guardrail_words=GUARDRAILS,
        actions=ACTIONS,
        amount=amount,
        money=money,
        percent=percent,
        decision=decision(document),
        movers=losers_first(document["moves"]["movers"]),
        matrix=matrix_rows(document["moves"]["matrix"], list(level_names)),
        shown=SHOWN_MOVERS,
        most_in_level=max(record["levels"].values()),
        most_in_moves=max(record["moves"].values()),
        excluded=_excluded_by_tag(record["quality"]),
        nameless=WORDS_FOR_NOTHING,
    )


def stopped_page(document: Mapping[str, Any], quarantine: str | None) -> str:
    """The page of a run that stopped. ``quarantine``: where its first bad rows are kept; None without any."""
    return template("stopped.html.j2").render(document, quarantine=quarantine, most_rows=f"{MOST_OF_STOPPED:,}")


@cache
def template(name: str) -> Template:
    """A template, compiled once in a process: that takes longer than all else of a page."""
    environment = Environment(
        loader=FileSystemLoader(Path(__file__).parent),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    return environment.get_template(name)


def decision(document: Mapping[str, Any]) -> Mapping[str, Any] | None:
    """The newest ledger line that published this run or replaced it by another; None if there is none."""
    run = document["record"]["run"]
    lines = [
        line
        for line in document["ledger"]
        if (line["run"] == run and line["action"] != "held") or line.get("replaced") == run
    ]
    return lines[-1] if lines else None


def losers_first(movers: Sequence[Mapping[str, Any]]) -> list[Mapping[str, Any]]:
    """Movers sorted by loss: most levels first, then most benefits. Agencies that gain come last."""

    def lost(mover: Mapping[str, Any]) -> tuple[int, int, str]:
        levels = (mover["new_level"] or 0) - (mover["old_level"] or 0)
        return levels, -len(mover["benefits_lost"]), mover["agency_id"]

    return sorted(movers, key=lost)


def matrix_rows(pairs: Sequence[Mapping[str, Any]], levels: Sequence[str]) -> dict[str, dict[str, int]]:
    """Old standing -> new standing -> number of agencies, highest level first. Empty rows and columns are left out."""
    counts = {(pair["from"], pair["to"]): pair["agencies"] for pair in pairs}
    order = [*reversed(levels), "unrated", "awaiting", "absent"]
    order += sorted({standing for pair in counts for standing in pair} - set(order))
    rows = [old for old in order if any(pair[0] == old for pair in counts)]
    columns = [new for new in order if any(pair[1] == new for pair in counts)]
    return {old: {new: counts.get((old, new), 0) for new in columns} for old in rows}


def money(fen: int) -> str:
    """Fen as yuan with separators: ``1,234.56``."""
    whole, _, cents = yuan(fen).partition(".")
    return f"{int(whole):,}.{cents}"


def percent(share: float | str | None) -> str:
    """A share as text: ``12.5 %``."""
    return "–" if share is None else f"{100 * float(share):.4g} %"


def _excluded_by_tag(quality: Mapping[str, Any]) -> list[tuple[str, int, int, int]]:
    """For each tag: the tag, creators, orders, and the orders' amount in fen."""
    creators = {removed["risk_tag"]: Removed(**removed) for removed in quality["excluded_creators"]}
    orders = {removed["risk_tag"]: Removed(**removed) for removed in quality["excluded_orders"]}
    none = Removed("", 0, 0)
    return [
        (tag, creators.get(tag, none).count, orders.get(tag, none).count, orders.get(tag, none).amount)
        for tag in sorted(creators.keys() | orders.keys())
    ]
