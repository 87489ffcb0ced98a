"""CSV split into records: every line of a file is a row, one line of a row with several, or a bad row."""

from __future__ import annotations

import csv
import io
import re
from collections import Counter
from dataclasses import dataclass
from pathlib import Path

import pytest
from hypothesis import event, given, note, settings
from hypothesis import strategies as st

from functions.rating.extracts.datasets import Dataset, LocalFile
from functions.rating.extracts.formats import Format
from functions.rating.measuring.embedded.reading import csv_text
from functions.rating.measuring.embedded.reading.csv_text import open_records
from functions.rating.measuring.quarantine import BadRow
from shared.errors import ObjectInvalid

COLUMNS = ("order_id", "creator_id", "pay_time", "pay_amount", "risk_tag")


@dataclass(frozen=True)
class Found:
    """Records by row number, bad rows, and counts of lines that are not rows."""

    records: dict[int, list[str]]
    bad: list[BadRow]
    skipped: Counter[str]

    @property
    def reasons(self) -> list[tuple[int, str]]:
        return [(row.row, row.reason) for row in self.bad]


def split(folder: Path, text: str | bytes, dataset: Dataset = Dataset.ORDERS) -> Found:
    path = folder / "o.csv"
    path.write_bytes(text.encode() if isinstance(text, str) else text)
    records: dict[int, list[str]] = {}
    bad: list[BadRow] = []
    skipped: Counter[str] = Counter()
    with open_records(LocalFile(dataset, "orders/o.csv", path), Format.CSV) as opened:
        for chunk in opened.chunks():
            fields = list(csv.reader(io.StringIO(chunk.text.decode(), newline=""), strict=True))
            records |= dict(zip(chunk.rows, fields, strict=True))
            bad += chunk.bad
            skipped += chunk.skipped
    return Found(records, bad, skipped)


def header(*more: str, first: tuple[str, ...] = ()) -> str:
    return ",".join((*first, *COLUMNS, *more)) + "\n"


def order(number: int, *more: str, first: tuple[str, ...] = ()) -> str:
    return ",".join((*first, f"o{number}", "c1", "2026-10-05 12:00:00", str(number), "", *more)) + "\n"


# --- quotes that are not closed where they should be ------------------------------------------------------------------


@pytest.mark.parametrize("title_first", [True, False])
@pytest.mark.parametrize("apart", [1, 2, 700])
@pytest.mark.parametrize("second", ['closing"', '"'])
def test_rows_between_two_stray_quotes_stop_the_run_with_their_row(
    tmp_path: Path, apart: int, second: str, *, title_first: bool
) -> None:
    titles = {5: '"opening', 5 + apart: second}
    texts = [titles.get(n, "shirt") for n in range(1, 800)]
    lines = [order(n, first=(title,)) if title_first else order(n, title) for n, title in enumerate(texts, start=1)]
    heading = header(first=("title",)) if title_first else header("title")

    with pytest.raises(ObjectInvalid, match=r"orders/o\.csv, row 5: a field begins with a quote that is closed"):
        split(tmp_path, heading + "".join(lines))


@pytest.mark.parametrize("time", ["2026-10-05 12:00:00", "2026/10/5 9:03", "2026-10-05T12:00:00+08:00", "1790000000"])
@pytest.mark.parametrize("cut", ["o6,c1,{},6", "o6,c1,{}"])
def test_a_swallowed_row_with_missing_columns_is_noticed_too(tmp_path: Path, cut: str, time: str) -> None:
    lines = [order(5, '"opening'), cut.format(time) + "\n", 'end",x,y\n']

    with pytest.raises(ObjectInvalid, match=r"orders/o\.csv, row 1: a field begins with a quote that is closed"):
        split(tmp_path, header("title", "note", "colour") + "".join(lines))


@pytest.mark.parametrize(
    "line",
    [
        "so, so, 2026-10-05 opening",
        "a,b",
        "云,剪辑,2026-10-05",
        "a,b,2026-10-05 to 2026-10-09",
        ",,2026-10-05",
        "2026-10-05",
    ],
)
def test_a_line_of_text_with_commas_and_a_date_is_not_taken_for_a_row(tmp_path: Path, line: str) -> None:
    found = split(tmp_path, header("title", "note", "colour") + order(1, f'"first\n{line}\nlast"', "x", "y"))

    assert not found.bad
    assert found.records[1][5] == f"first\n{line}\nlast"


@pytest.mark.parametrize("column", range(len(COLUMNS)))
def test_a_stray_quote_in_a_column_without_newlines_makes_only_its_row_bad(tmp_path: Path, column: int) -> None:
    rows = [order(n).strip("\n").split(",") for n in range(1, 101)]
    rows[9][column] = '"' + rows[9][column]
    rows[59][column] += 'x"'

    found = split(tmp_path, header() + "".join(",".join(row) + "\n" for row in rows))

    assert {row for row, _ in found.reasons} == {10}
    assert len(found.records) == 99


@pytest.mark.parametrize("lines", [2, 3])
@pytest.mark.parametrize("column", COLUMNS)
def test_a_newline_in_a_column_without_newlines_makes_each_of_its_lines_a_bad_row(
    tmp_path: Path, column: str, lines: int
) -> None:
    cut = order(2).strip("\n").split(",")
    cut[COLUMNS.index(column)] = '"1' + "\n" * (lines - 1) + '2"'

    found = split(tmp_path, header() + order(1) + ",".join(cut) + "\n" + order(3))

    assert found.reasons == [(2 + n, f"newline_in_{column}") for n in range(lines)]
    assert [fields[0] for fields in found.records.values()] == ["o1", "o3"]


def test_a_newline_at_the_end_of_an_id_is_whitespace(tmp_path: Path) -> None:
    found = split(tmp_path, header() + order(1).replace("c1", '"c1\n"'))

    assert not found.bad
    assert found.records[1][1].strip() == "c1"


@pytest.mark.parametrize("title", ['"a\nb"', '"a, b\nc, d\n\ne ""f"""', '"\n"', '"a\r\nb"'])
@pytest.mark.parametrize("title_first", [True, False])
def test_text_of_several_lines_is_one_row(tmp_path: Path, title: str, *, title_first: bool) -> None:
    heading = header(first=("title",)) if title_first else header("title")
    middle = order(2, first=(title,)) if title_first else order(2, title)
    around = [order(n, first=("x",)) if title_first else order(n, "x") for n in (1, 3)]

    found = split(tmp_path, heading + around[0] + middle + around[1])

    assert not found.bad
    assert list(found.records) == [1, 2, 3]


def test_a_record_of_several_lines_with_a_wrong_column_count_makes_only_its_first_line_bad(tmp_path: Path) -> None:
    found = split(tmp_path, header() + 'o1,c1,"open\n' + order(2) + 'x",y\n' + order(4))

    assert [row for row, _ in found.reasons] == [1, 3]
    assert sorted(found.records) == [2, 4]


@pytest.mark.parametrize(
    "title",
    [r'"say \"hi\""', r'"\"hi\""', r'"hi\""', r'"a \"b, c\" d"', r"a\, b", "a\\"],
)
def test_backslash_escapes_are_recognised(tmp_path: Path, title: str) -> None:
    found = split(tmp_path, header("title") + order(1, title) + order(2, "x"))

    if title == "a\\":  # at the end of a line with all columns it is an ordinary character
        assert list(found.records) == [1, 2]
    else:
        assert found.reasons == [(1, "backslash_escape")]


# --- lines that are not rows ------------------------------------------------------------------------------------------


@pytest.mark.parametrize("line", [",,", ",,,,,,", ' , ,"",', '"",""'])
def test_lines_of_commas_only_are_skipped(tmp_path: Path, line: str) -> None:
    found = split(tmp_path, header() + order(1) + f"{line}\n" * 3)

    assert not found.bad
    assert found.skipped == {"empty_rows": 3}


def test_a_repeated_header_with_other_columns_is_a_bad_row(tmp_path: Path) -> None:
    again = '\ufeff"Order_ID","creator_id","pay_time","pay_amount"\n'

    found = split(tmp_path, header("x") + order(1, "y") + again)

    assert found.reasons == [(2, "wrong_column_count")]  # the file's header has one more column


# --- for any file -----------------------------------------------------------------------------------------------------

FRAGMENTS = st.sampled_from(['"', '""', ",", "\n", "\\", '\\"', "a", " ", "云", "\r", "\r\n", "'", "|"])
TITLES = st.one_of(st.just("shirt"), st.lists(FRAGMENTS, max_size=6).map("".join))
POSITIONS = st.integers(0, len(COLUMNS))


@settings(max_examples=400, deadline=None, derandomize=True)
@given(titles=st.lists(TITLES, min_size=1, max_size=12), at=POSITIONS, block=st.sampled_from([60, 300, 10_000]))
def test_every_row_of_a_file_with_unquoted_text_is_read_or_bad(
    tmp_path_factory: pytest.TempPathFactory, titles: list[str], at: int, block: int
) -> None:
    """Titles are written without quoting. A row is read with its own values, or its line is bad, or the run stops."""
    columns = [*COLUMNS[:at], "title", *COLUMNS[at:]]
    lines = []
    for number, title in enumerate(titles, start=1):
        row = order(number).strip("\n").split(",")
        lines.append(",".join([*row[:at], title, *row[at:]]))
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(csv_text, "BLOCK", block)
        patched.setattr(csv_text, "_SLICE", block // 3)
        try:
            found = split(tmp_path_factory.mktemp("law"), ",".join(columns) + "\n" + "\n".join(lines) + "\n")
        except ObjectInvalid as stopped:
            event(f"the run stops: {', row ' in str(stopped)}")
            return
    ids, amounts = columns.index("order_id"), columns.index("pay_amount")
    note(f"{lines} {found}")
    read = {fields[ids].strip('"') for fields in found.records.values()}
    bad = {match for row in found.bad for match in re.findall(r"\bo\d+\b", row.text)}
    assert read | bad >= {f"o{number}" for number in range(1, len(titles) + 1)}
    whole = [
        fields
        for fields in found.records.values()
        if fields[amounts].isdigit() and re.fullmatch(r'"?o\d+"?', fields[ids])
    ]
    assert all(fields[ids].strip('"') == f"o{fields[amounts]}" for fields in whole)


@settings(max_examples=200, deadline=None, derandomize=True)
@given(titles=st.lists(st.text(alphabet='",\n\r\\a云 ', max_size=8), min_size=1, max_size=12), at=POSITIONS)
def test_every_row_of_a_file_with_quoted_text_is_read(
    tmp_path_factory: pytest.TempPathFactory, titles: list[str], at: int
) -> None:
    """Titles are quoted as RFC 4180 says."""
    content = io.StringIO(newline="")
    writer = csv.writer(content, quoting=csv.QUOTE_ALL)
    writer.writerow([*COLUMNS[:at], "title", *COLUMNS[at:]])
    for number, title in enumerate(titles, start=1):
        row = order(number).strip("\n").split(",")
        writer.writerow([*row[:at], title, *row[at:]])

    found = split(tmp_path_factory.mktemp("law"), content.getvalue())

    assert not found.bad
    assert [fields[at] for fields in found.records.values()] == titles
