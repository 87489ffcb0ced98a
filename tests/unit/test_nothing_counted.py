"""A month of which nearly nothing counts is held, and the reason names the wrong column and three of its values."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from decimal import Decimal
from pathlib import Path

import pytest

from functions.rating.extracts.datasets import Dataset, LocalFile
from functions.rating.measuring.assemble import assemble
from functions.rating.measuring.embedded.measure import measure
from functions.rating.measuring.measured import OTHER_TAGS, MonthMeasured
from functions.rating.run.guardrails import Guardrail
from functions.rating.run.nothing_counted import nothing_counted, words_for_nothing
from shared.content import content_id
from shared.levels import Removed, RuleSettings
from shared.months import Month
from tests.worlds import SHANGHAI

OCTOBER = Month(2026, 10)
SETTINGS = RuleSettings()
ROWS = 1000
Order = Callable[[int], str]


def usual(i: int) -> str:
    return f"o{i},c{i},2026-10-05,100,"


def month(folder: Path, order: Order = usual, agency: str = "A1", tag: str = "", rows: int = ROWS) -> MonthMeasured:
    texts = {
        Dataset.AGENCIES: "agency_id,name,joined_at\nA1,甲,2020-01-01\n",
        Dataset.CREATORS: "creator_id,agency_id,bind_time,unbind_time,power_level,risk_tag\n"
        + "".join(f"c{i},{agency},2026-01-01,,6,{tag}\n" for i in range(rows)),
        Dataset.ORDERS: "order_id,creator_id,pay_time,pay_amount,risk_tag\n"
        + "".join(f"{order(i)}\n" for i in range(rows)),
    }
    files = [LocalFile(dataset, f"{dataset}.csv", folder / f"{dataset}.csv") for dataset in texts]
    for file in files:
        file.path.write_text(texts[file.dataset], encoding="utf-8")
    return assemble(measure(files, OCTOBER, SHANGHAI, Decimal(0), folder))


def held(measured: MonthMeasured, settings: RuleSettings = SETTINGS, **before: int) -> list[Guardrail]:
    return list(nothing_counted(settings, OCTOBER, measured, before))


WRONG: dict[str, tuple[Order, str, tuple[str, ...]]] = {
    "times in another year": (
        lambda i: f"o{i},c{i},2025-10-05T00:00:{i % 60:02},100,",
        "pay_time",
        ("2025-10-05T00:00:00+08:00",),
    ),
    "one tag for all": (lambda i: f"{usual(i)}NULL", "risk_tag", ("NULL",)),
    "a word for nothing in three spellings": (
        lambda i: usual(i) + ("NULL", "None", "-")[i % 3],
        "risk_tag",
        ("-", "NULL", "None"),
    ),
    "unknown creators": (
        lambda i: f"o{i},0c{i:03},2026-10-05,100,",
        "creator_id",
        ("0c000", "0c001", "0c002"),
    ),
    "one order id for all": (lambda i: "o1,c1,2026-10-05,100,", "order_id", ("o1",)),
}


@pytest.mark.parametrize("wrong", WRONG)
def test_a_month_is_held_if_nearly_nothing_counts(wrong: str, tmp_path: Path) -> None:
    order, column, examples = WRONG[wrong]

    exceeded = held(month(tmp_path, order))

    assert exceeded
    for guardrail in exceeded:
        assert guardrail.exceeded
        assert guardrail.because
        assert f"the column {column} looks wrong" in guardrail.because.en
        assert f"{column} 列可能有误" in guardrail.because.zh
        assert any(example in guardrail.because.en for example in examples)


def test_the_reason_names_three_examples(tmp_path: Path) -> None:
    order, _, examples = WRONG["unknown creators"]

    (first, *_) = held(month(tmp_path, order))

    assert first.because
    assert first.because.en == (
        "orders: only 0 of 1,000 rows are used, less than min_used_share (0.01); the column creator_id looks wrong, "
        f"such as {', '.join(map(repr, examples))}."
    )


def test_a_month_whose_creators_are_of_unknown_agencies_is_held(tmp_path: Path) -> None:
    exceeded = held(month(tmp_path, agency="a1"))

    assert any("creators: 1,000 of 1,000 rows are of agencies" in str(guardrail.because) for guardrail in exceeded)
    assert any("'a1'" in str(guardrail.because) for guardrail in exceeded)


def test_a_month_whose_creators_all_have_one_tag_is_held(tmp_path: Path) -> None:
    (tagged,) = held(month(tmp_path, tag="false"))

    assert tagged.because
    assert tagged.because.en.startswith("creators: 1,000 of 1,000 rows carry one tag")


def test_a_usual_month_is_not_held_and_has_no_such_guardrail(tmp_path: Path) -> None:
    assert held(month(tmp_path), orders=10**6, creators=10**6, agencies=10**6) == []


def test_half_of_the_rows_may_be_lost_by_one_cause_and_one_more_may_not(tmp_path: Path) -> None:
    def flagged(number: int) -> Order:
        return lambda i: usual(i) + ("刷单" if i < number else "")

    assert not held(month(tmp_path, flagged(500)))
    (one,) = held(month(tmp_path, flagged(501)))
    assert (one.name, one.limit, one.value) == ("max_one_cause_share", Decimal("0.5"), 0.501)


def test_a_small_month_is_not_judged_unless_the_settings_say_so(tmp_path: Path) -> None:
    measured = month(tmp_path, lambda i: f"{usual(i)}NULL", rows=999)

    assert held(measured) == []
    assert held(measured, replace(SETTINGS, min_rows_judged=999))


def test_the_settings_set_the_limits(tmp_path: Path) -> None:
    measured = month(tmp_path, lambda i: f"{usual(i)}NULL")
    lenient = replace(SETTINGS, min_used_share=Decimal(0), max_one_cause_share=Decimal(1))

    assert held(measured, lenient) == []


def test_a_month_with_an_empty_dataset_that_had_rows_before_is_held_at_any_size(tmp_path: Path) -> None:
    measured = month(tmp_path, rows=0)

    assert held(measured) == []
    (emptied,) = held(measured, orders=1, creators=0)
    assert emptied.because
    assert emptied.because.en.startswith("orders: no rows, where the month before had 1.")


def test_rare_tags_that_are_counted_together_do_not_count_as_one_tag(tmp_path: Path) -> None:
    measured = month(tmp_path, lambda i: usual(i) + (f"case {i}" if i < 900 else ""))
    assert max(measured.excluded_orders, key=lambda tag: tag.count).risk_tag == OTHER_TAGS

    assert held(measured) == []
    (unused,) = held(month(tmp_path, lambda i: f"{usual(i)}case {i}"))
    assert unused.because
    assert "the column risk_tag looks wrong, such as 'case 0', 'case 1', 'case 10'." in unused.because.en


def test_words_for_nothing_are_counted_in_any_letter_case() -> None:
    tags = [Removed("NULL", 3, 0), Removed("none", 2, 0), Removed("0", 1, 0), Removed("刷单", 50, 0)]
    assert words_for_nothing(tags) == 6


def test_settings_with_the_default_limits_keep_their_id() -> None:
    explicit = replace(SETTINGS, min_rows_judged=1000, min_used_share=Decimal("0.01"))

    assert content_id(SETTINGS) == content_id(explicit) == "25c1274aaf0d36c140be"
    assert content_id(replace(SETTINGS, min_rows_judged=999)) != content_id(SETTINGS)
