"""Limits that are always on: a month in which nearly nothing counts is held, because a column must be wrong. Pure.

Examples: times in another unit, `NULL` as the tag of every order, ids that lost their leading zeros. The rows are all
there, but nearly none counts. These guardrails are part of a run only when they are exceeded.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from decimal import Decimal
from fractions import Fraction
from typing import NamedTuple

from functions.rating.measuring.measured import OTHER_TAGS, Cause, MonthMeasured
from functions.rating.run.guardrails import Because, Guardrail
from shared.levels import Removed, RuleSettings
from shared.months import Month

WORDS_FOR_NOTHING = frozenset({"null", "none", "nan", "0", "false", "-"})
"""Tags that mean "no tag" to most writers. By the contract they are flags, as any other text, in any letter case."""


def words_for_nothing(removed: Iterable[Removed]) -> int:
    """The number of flagged rows whose tag is a word for "nothing", such as NULL."""
    return sum(tag.count for tag in removed if _is_word_for_nothing(tag))


def _is_word_for_nothing(tag: Removed) -> bool:
    return tag.risk_tag.casefold() in WORDS_FOR_NOTHING


def nothing_counted(
    settings: RuleSettings, month: Month, measured: MonthMeasured, rows_before: Mapping[str, int]
) -> tuple[Guardrail, ...]:
    """The exceeded limits.

    ``rows_before``: rows of each dataset in the month compared with; empty if there is none.
    """
    return (*_emptied(measured, rows_before), *_unused(settings, measured), *_one_cause(settings, month, measured))


def _emptied(measured: MonthMeasured, rows_before: Mapping[str, int]) -> Iterator[Guardrail]:
    for dataset, counts in measured.datasets.items():
        before = rows_before.get(dataset, 0)
        if before and not counts.rows:
            en = (
                f"{dataset}: no rows, where the month before had {before:,}. See whether the extract was written whole."
            )
            zh = f"{dataset}：没有任何数据行，而上月有 {before:,} 行。请检查数据导出是否完整。"
            yield Guardrail("min_rows", Decimal(1), 0.0, exceeded=True, because=Because(en, zh))


def _unused(settings: RuleSettings, measured: MonthMeasured) -> Iterator[Guardrail]:
    rows = measured.order_rows
    if rows.read < settings.min_rows_judged or Fraction(rows.used, rows.read) >= Fraction(settings.min_used_share):
        return
    losses = {
        "order_id": (rows.duplicate, Cause.DUPLICATE),
        "pay_time": (rows.out_of_month, Cause.OUT_OF_MONTH),
        "risk_tag": (rows.excluded, None),
        "creator_id": (rows.unbound, Cause.UNKNOWN_CREATOR),
    }
    column, (_, cause) = max(losses.items(), key=lambda loss: loss[1][0])
    examples = measured.examples.get(cause, ()) if cause else _tags(measured.excluded_orders)
    en = (
        f"orders: only {rows.used:,} of {rows.read:,} rows are used, less than min_used_share "
        f"({settings.min_used_share}); the column {column} looks wrong{_such_as(examples)}."
    )
    zh = (
        f"orders：{rows.read:,} 行中仅 {rows.used:,} 行计入，低于 min_used_share（{settings.min_used_share}）；"
        f"{column} 列可能有误{_such_as_zh(examples)}。"
    )
    yield Guardrail(
        "min_used_share", settings.min_used_share, rows.used / rows.read, exceeded=True, because=Because(en, zh)
    )


def _one_cause(settings: RuleSettings, month: Month, measured: MonthMeasured) -> Iterator[Guardrail]:
    limit = settings.max_one_cause_share
    for share in _shares(month, measured):
        if share.rows >= settings.min_rows_judged and Fraction(share.number, share.rows) > Fraction(limit):
            because = Because(
                f"{share.dataset}: {share.number:,} of {share.rows:,} rows {share.en}, a larger share than "
                f"max_one_cause_share ({limit}); the column {share.column} looks wrong{_such_as(share.examples)}.",
                f"{share.dataset}：{share.rows:,} 行中有 {share.number:,} 行{share.zh}，占比超过 max_one_cause_share"
                f"（{limit}）；{share.column} 列可能有误{_such_as_zh(share.examples)}。",
            )
            value = share.number / share.rows
            yield Guardrail("max_one_cause_share", limit, value, exceeded=True, because=because)


class _Share(NamedTuple):
    """Rows of a dataset with one thing in common, and the column that is probably wrong."""

    dataset: str
    rows: int
    number: int
    column: str
    en: str
    zh: str
    examples: Sequence[str]


def _shares(month: Month, measured: MonthMeasured) -> Iterator[_Share]:
    counts = {str(name): of for name, of in measured.datasets.items()}
    orders, creators = counts["orders"], counts["creators"]
    of_orders, of_creators = ("orders", orders.rows), ("creators", creators.rows)
    outside, unknown = measured.order_rows.out_of_month, orders.counters["unknown_creator"]
    times = measured.examples.get(Cause.OUT_OF_MONTH, ())
    yield _Share(*of_orders, outside, "pay_time", f"are outside of {month}", f"不在 {month} 内", times)
    said = "are of creators that the creators extract does not have", "的达人不在 creators 数据中"
    yield _Share(*of_orders, unknown, "creator_id", *said, measured.examples.get(Cause.UNKNOWN_CREATOR, ()))
    said = "are of agencies that the agencies extract does not have", "的机构不在 agencies 数据中"
    agencies = measured.examples.get(Cause.UNKNOWN_AGENCY, ())
    yield _Share(*of_creators, creators.counters["unknown_agency"], "agency_id", *said, agencies)
    for of, removed in ((of_orders, measured.excluded_orders), (of_creators, measured.excluded_creators)):
        if named := [tag for tag in removed if tag.risk_tag != OTHER_TAGS]:
            worst = max(named, key=lambda tag: tag.count)
            yield _Share(*of, worst.count, "risk_tag", "carry one tag", "带同一个标签", (worst.risk_tag,))
        words = _tags([tag for tag in removed if _is_word_for_nothing(tag)])
        if len(words) > 1:
            said = "carry tags that are words for nothing", "的标签是表示“无”的词"
            yield _Share(*of, words_for_nothing(removed), "risk_tag", *said, words)


def _tags(removed: Sequence[Removed]) -> tuple[str, ...]:
    """The most usual tags; rare ones that are counted together are no tag of the extract."""
    named = (tag for tag in removed if tag.risk_tag != OTHER_TAGS)
    most = sorted(named, key=lambda tag: (-tag.count, tag.risk_tag))
    return tuple(tag.risk_tag for tag in most[:3])


def _such_as(examples: Sequence[str]) -> str:
    return f", such as {', '.join(map(repr, examples))}" if examples else ""


def _such_as_zh(examples: Sequence[str]) -> str:
    return f"，例如 {'、'.join(examples)}" if examples else ""
