"""A Parquet object that is read in several tasks, some row groups in each: the result has the same bytes."""

from __future__ import annotations

import csv
import gzip
import io
import random
from collections import Counter
from collections.abc import Callable, Sequence
from pathlib import Path

import duckdb
import pytest

from functions.rating.extracts.datasets import Dataset, LocalFile
from functions.rating.measuring.relations import relations_of
from functions.rating.measuring.spark.objects import read_into
from functions.rating.measuring.spark.row_groups import Content, RowGroups, split, write
from shared.errors import ExtractError
from shared.months import Month
from tests import worlds
from tests.engines import AT_MOST, Engine, by_row_groups, duckdb_engine
from tests.worlds import SHANGHAI, Maker, grouped, regrouped

OCTOBER = Month(2026, 10)
ROWS = 30  # each a row group
NUMBERS = range(1, ROWS + 1)


def content_in(content: bytes) -> Content:
    return lambda start, end: io.BytesIO(content[start:end])


def content_of(path: Path) -> Content:
    return content_in(path.read_bytes())


def delivered(engine: Engine, files: Sequence[LocalFile], month: Month, folder: Path) -> tuple[bytes, bytes]:
    scratch = folder / engine.__name__
    scratch.mkdir()
    try:
        totals = engine(files, month, SHANGHAI, scratch)
    except ExtractError as error:
        return type(error).__name__.encode(), str(error).encode()
    return relations_of(totals), totals.quarantine.read_bytes() if totals.quarantine else b""


def test_a_world_read_by_row_groups_delivers_the_same_bytes(tmp_path: Path) -> None:
    world = Maker(81).world()
    files = worlds.write(world, tmp_path, 81).files
    regrouped(files)

    assert delivered(by_row_groups, files, world.month, tmp_path) == delivered(
        duckdb_engine, files, world.month, tmp_path
    )


def orders(**columns: str) -> str:
    """A query for orders. ``columns``: SQL with the row number i."""
    usual = {
        "order_id": "'o' || i",
        "creator_id": "'c' || i % 7",
        "pay_time": "TIMESTAMP '2026-10-05 12:00:00' + to_hours(i)",
        "pay_amount": "CASE WHEN i % 10 = 3 THEN -i ELSE i END",
        "risk_tag": "CASE WHEN i % 11 = 5 THEN '刷单' || i END",
    }
    picked = ", ".join(f"{sql} AS {name}" for name, sql in (usual | columns).items())
    return f"SELECT {picked} FROM range(1, {ROWS} + 1) AS numbers(i)"


def not_utf8(content: bytes) -> bytes:
    return content.replace("刷单27".encode(), "刷单x".encode("gbk") + b"27z")


def damaged(content: bytes) -> bytes:
    return content[:2000] + bytes(300) + content[2300:]


def unchanged(content: bytes) -> bytes:
    return content


VALID = {
    "negative amounts": ({}, unchanged),
    "no creators": ({"creator_id": "CASE WHEN i % 9 = 0 THEN '\u3000' ELSE 'c1' END"}, unchanged),
    "no ids": ({"order_id": "CASE WHEN i > 20 THEN NULL ELSE ' o' || i // 2 END"}, unchanged),
    "no end": ({"pay_time": "CASE WHEN i = 14 THEN TIMESTAMP 'infinity' ELSE TIMESTAMP '2026-10-05' END"}, unchanged),
    "not UTF-8": ({}, not_utf8),
}
INVALID = {
    "damaged": ({}, damaged),
    "dates": ({"pay_amount": "DATE '2026-10-05'"}, unchanged),
    "fine": ({}, unchanged),
}


@pytest.mark.parametrize("objects", [VALID, INVALID], ids=["valid", "invalid"])
def test_faults_in_some_row_groups_are_reported_as_faults_of_the_object(
    objects: dict[str, tuple[dict[str, str], Callable[[bytes], bytes]]], tmp_path: Path
) -> None:
    agencies, creators = tmp_path / "agencies", tmp_path / "creators"
    agencies.write_text("agency_id,name,joined_at\nA1,x,2024-05-06\n")
    creators.write_text("creator_id,agency_id,bind_time,power_level\nc1,A1,2026-01-01,6\n")
    files = [LocalFile(Dataset.AGENCIES, "agencies/a", agencies), LocalFile(Dataset.CREATORS, "creators/c", creators)]
    for name, (columns, change) in objects.items():
        path = tmp_path / name
        grouped(path, orders(**columns))
        content = change(path.read_bytes())
        assert (content == path.read_bytes()) == (change is unchanged)
        path.write_bytes(content)
        assert len(split(content_in(content), len(content), AT_MOST)) > 2
        files.append(LocalFile(Dataset.ORDERS, f"orders/{name}", path))

    found = delivered(by_row_groups, files, OCTOBER, tmp_path)

    assert found == delivered(duckdb_engine, files, OCTOBER, tmp_path)
    if objects is VALID:
        rows = csv.DictReader(io.StringIO(gzip.decompress(found[1]).decode()))
        assert Counter(row["object"].partition("/")[2] for row in rows) == {
            "negative amounts": 3,
            "no creators": 6,
            "no ids": 12,
            "no end": 4,
            "not UTF-8": 4,
        }
    else:
        assert b"damaged: the object can't be read" in found[1]
        assert b"dates: column pay_amount" in found[1]


def test_neighbouring_row_groups_are_read_together_up_to_the_size_and_no_row_is_lost(tmp_path: Path) -> None:
    path, some = tmp_path / "o", tmp_path / "some"
    grouped(path, orders())
    size = path.stat().st_size

    runs = split(content_of(path), size, 1000)

    assert 3 < len(runs) < ROWS // 2
    assert all(run.end - run.start <= 1000 for run in runs)
    found: list[tuple[str]] = []
    with duckdb.connect() as connection:
        for run in runs:
            write(content_of(path), size, run, some)
            assert len(found) == run.rows_before
            found += connection.execute(f"SELECT order_id FROM read_parquet('{some}')").fetchall()
            groups = connection.execute(f"SELECT num_row_groups FROM parquet_file_metadata('{some}')").fetchall()
            assert groups == [(run.last - run.first + 1,)]
    assert found == [(f"o{n}",) for n in NUMBERS]


def test_only_the_footer_and_the_bytes_of_the_row_groups_are_read(tmp_path: Path) -> None:
    path = tmp_path / "o"
    grouped(path, orders())
    size = path.stat().st_size
    read: list[int] = []

    def content(start: int, end: int) -> io.BytesIO:
        read.append(end - start)
        return io.BytesIO(path.read_bytes()[start:end])

    run = split(content_of(path), size, 1)[7]
    write(content, size, run, tmp_path / "some")

    footer = int.from_bytes(path.read_bytes()[-8:-4], "little")
    assert sorted(read) == sorted([8, footer, run.end - run.start])


@pytest.mark.parametrize(
    "spoil",
    [
        lambda content: b"order_id,pay_amount\n" + content,
        lambda content: content[:-1],
        lambda content: content[:-8] + (1 << 30).to_bytes(4, "little") + b"PAR1",
        lambda content: content[:-8] + (100).to_bytes(4, "little") + b"PAR1",
        lambda content: content[: -len(content) // 2],
        lambda content: b"PAR1",
        lambda content: b"",
    ],
    ids=["another format", "cut", "a footer longer than all", "half a footer", "half", "four bytes", "nothing"],
)
def test_an_object_that_is_not_valid_parquet_is_not_split(spoil: Callable[[bytes], bytes], tmp_path: Path) -> None:
    path = tmp_path / "o"
    grouped(path, orders())
    content = spoil(path.read_bytes())

    assert split(content_in(content), len(content), 1) == []


def test_a_footer_with_random_changes_is_split_or_not_and_never_fails(tmp_path: Path) -> None:
    """An object that is not split is read as a whole, which reports what is wrong."""
    path = tmp_path / "o"
    grouped(path, orders(), bytes_of_each=1000)
    chance, whole = random.Random(1), path.read_bytes()
    footer = int.from_bytes(whole[-8:-4], "little")
    refused = 0
    for _ in range(300):
        spoiled = bytearray(whole)
        spoiled[len(whole) - 8 - chance.randrange(1, footer)] = chance.randrange(256)
        refused += not split(content_in(bytes(spoiled)), len(whole), 1)
    assert 0 < refused < 300


def test_one_row_group_is_not_split(tmp_path: Path) -> None:
    path = tmp_path / "o"
    grouped(path, orders(), bytes_of_each=10**9)

    assert split(content_of(path), path.stat().st_size, 1) == []


def test_row_numbers_may_be_larger_than_32_bits(tmp_path: Path) -> None:
    path = tmp_path / "o"
    grouped(path, orders(), bytes_of_each=10**9)
    before = 5 * 10**9
    groups = RowGroups(40, 41, 4, path.stat().st_size, before)

    counts = read_into(
        tmp_path, LocalFile(Dataset.ORDERS, "o", path), OCTOBER, SHANGHAI, int96_is_utc=True, groups=groups
    )

    assert counts.examples is not None
    assert [row for row, _ in counts.examples["negative_pay_amount"]] == [before + n for n in (3, 13, 23)]
    with gzip.open(tmp_path / "bad.csv.gz", "rt") as text:
        assert [int(row) for _, row, *_ in csv.reader(text)] == [before + n for n in NUMBERS if n % 10 == 3]
