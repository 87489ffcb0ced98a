"""Rating months: text, bounds in UTC, renewal day."""

from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.months import Month

SHANGHAI = ZoneInfo("Asia/Shanghai")
months = st.builds(Month, st.integers(2000, 2100), st.integers(1, 12))


def test_a_month_starts_and_ends_at_midnight_in_shanghai() -> None:
    october = Month.parse("2026-10")
    assert october.start(SHANGHAI) == datetime(2026, 9, 30, 16, tzinfo=UTC)
    assert october.end(SHANGHAI) == datetime(2026, 10, 31, 16, tzinfo=UTC)


def test_the_last_microsecond_belongs_to_the_month_and_the_next_does_not() -> None:
    october = Month.parse("2026-10")
    last = october.end(SHANGHAI) - timedelta(microseconds=1)
    assert Month.of(last, SHANGHAI) == october
    assert Month.of(last + timedelta(microseconds=1), SHANGHAI) == Month.parse("2026-11")


def test_december_is_renewed_on_the_3rd_of_january() -> None:
    assert Month.parse("2026-12").renewed_on == date(2027, 1, 3)


@pytest.mark.parametrize(
    "text", ["2026-13", "2026-1", "26-10", "2026/10", "../etc", "2026-10 ", "０２０２-10", "", "0000-01"]
)
def test_anything_but_yyyy_mm_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="YYYY-MM"):
        Month.parse(text)


@given(months)
def test_a_month_is_parsed_from_its_own_text(month: Month) -> None:
    assert Month.parse(str(month)) == month


@given(months, st.integers(-400, 400))
def test_adding_and_subtracting_the_same_number_of_months_changes_nothing(month: Month, distance: int) -> None:
    assert month.plus(distance).plus(-distance) == month


@given(months, months)
def test_months_and_their_texts_have_the_same_order(one: Month, other: Month) -> None:
    assert (one < other) == (str(one) < str(other))


@given(months)
def test_a_month_ends_where_the_next_one_starts(month: Month) -> None:
    assert month.end(SHANGHAI) == month.plus(1).start(SHANGHAI)
