"""Small invented months for measuring: every special case is frequent, in every notation and file format.

Cells are texts as in a CSV file. A world's rows can be split over files of any format.
"""

from __future__ import annotations

import csv
import gzip
import random
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta, timezone
from functools import cache
from itertools import chain, pairwise
from pathlib import Path
from typing import Literal
from zoneinfo import ZoneInfo

import duckdb

from functions.rating.extracts.datasets import Dataset, LocalFile
from shared.months import Month
from tests.months import COLUMNS

Row = dict[str, str | None]
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
SHANGHAI = ZoneInfo("Asia/Shanghai")
TIMES = ("joined_at", "bind_time", "unbind_time", "pay_time")
NUMBERS = ("power_level", "pay_amount")


@dataclass
class MonthRows:
    """The rows of one month. ``previous``: None if the month before has no creators extract."""

    month: Month
    zone: ZoneInfo
    agencies: list[Row] = field(default_factory=list)
    creators: list[Row] = field(default_factory=list)
    orders: list[Row] = field(default_factory=list)
    previous: list[Row] | None = None

    def datasets(self) -> dict[Dataset, list[Row]]:
        found = {Dataset.AGENCIES: self.agencies, Dataset.CREATORS: self.creators, Dataset.ORDERS: self.orders}
        return found if self.previous is None else found | {Dataset.PREVIOUS_CREATORS: self.previous}


@dataclass(frozen=True)
class Written:
    """The files of a world, and the origin of each file row: (key, row from 1) -> (dataset, index)."""

    files: tuple[LocalFile, ...]
    rows: Mapping[tuple[str, int], tuple[str, int]]


# --- making a world ---------------------------------------------------------------------------------------------------


class Maker:
    """Makes a random world from a seed."""

    def __init__(self, seed: int, zone: ZoneInfo = SHANGHAI) -> None:
        self.random = random.Random(seed)
        self.month = Month(2026, self.random.choice((2, 3, 10, 12)))
        self.zone = zone
        start, end = self.month.start(zone), self.month.end(zone)
        micro = timedelta(microseconds=1)
        middle = start + timedelta(days=self.random.randrange(1, 27))
        self.instants = [
            *(start - timedelta(days=40), start - micro, start, start + micro, start + timedelta(days=3, hours=5)),
            *(middle, middle + micro, middle + timedelta(seconds=7), end - timedelta(days=1)),
            *(end - micro, end, end + micro, end + timedelta(days=2)),
        ]
        self.creators_with_whitespace = self.random.random() < 0.5  # in orders
        self.tags = (None, None, None, "", "\\N", "刷单", "云剪辑", "虚假交易", "null", "0", " 刷单\u3000")

    def world(self) -> MonthRows:
        agencies = [self.agency(f"A{number}") for number in range(self.random.randrange(1, 5))]
        agencies += self.random.sample(agencies, self.random.randrange(2) if agencies else 0)
        creators = self.bindings(self.random.randrange(self.random.choice((12, 40))), self.month.end(self.zone))
        previous = self.bindings(self.random.randrange(40), self.month.start(self.zone))
        orders = [self.order() for _ in range(self.random.randrange(100))]
        orders += self.random.sample(orders, self.random.choice((0, len(orders) // 4, len(orders))))
        orders += [self.sibling(row, self.order()) for row in orders if self.random.random() < 0.2]
        return MonthRows(
            self.month, self.zone, agencies, creators, orders, previous if self.random.random() < 0.7 else None
        )

    def agency(self, agency_id: str) -> Row:
        return {
            "agency_id": self.with_whitespace(agency_id),
            "name": self.with_whitespace(self.random.choice(("甲机构", "乙, 机构", "丙\n机构", '丁"机构'))),
            "joined_at": self.time(self.random.choice(self.instants)),
            "city": self.random.choice((None, "", "杭州", "\\N")),
            "introduction": self.random.choice((None, "第一行\r\n第二行", "=1+1")),
            "logo_url": None,
        }

    def bindings(self, count: int, last: datetime) -> list[Row]:
        """Bindings, many of which end exactly at another's instant."""
        found = [self.binding(last) for _ in range(count)]
        return found + [
            self.sibling(row, self.binding(self.instants[0])) for row in found if self.random.random() < 0.4
        ]

    def sibling(self, row: Row, other: Row) -> Row:
        """A row that differs from another in one cell, or in none: it makes ties between bindings, and repeats."""
        ties = (
            "agency_id",
            "power_level",
            "pay_time",
            "pay_amount",
            "risk_tag",
            "risk_tag",
            "creator_id",
            "creator_id",
        )
        cell = self.random.choice([name for name in ties if name in row])
        return row | {cell: other[cell]}

    def binding(self, last: datetime) -> Row:
        start, end = self.random.choice(self.instants), self.random.choice((*self.instants, last, last, last))
        if end < start and self.random.random() < 0.9:
            start, end = end, start
        open_end = self.random.random() < 0.4
        row: Row = {
            "creator_id": self.with_whitespace(f"c{self.random.randrange(8)}"),
            "agency_id": self.with_whitespace(self.random.choice(("A0", "A0", "A1", "A2", "A9"))),
            "bind_time": self.time(start),
            "unbind_time": self.random.choice((None, "", "0", "\\N", "-0")) if open_end else self.time(end),
            "power_level": self.with_whitespace(str(self.random.choice((0, 3, 5, 6, 6, 6, 7, 7)))),
            "risk_tag": self.random.choice(self.tags),
        }
        return self.sometimes_invalid(
            row,
            ("creator_id", ""),
            ("agency_id", "\\N"),
            ("bind_time", None),
            ("bind_time", "2026-02-30"),
            ("unbind_time", "soon"),
            ("power_level", "8"),
            ("power_level", "-1"),
            ("power_level", "6.0"),
            ("power_level", None),
        )

    def order(self) -> Row:
        creator_id = f"c{self.random.randrange(9)}"
        row: Row = {
            "order_id": self.with_whitespace(self.random.choice(("7", "007", "o{}")).format(self.random.randrange(40))),
            "creator_id": self.with_whitespace(creator_id) if self.creators_with_whitespace else creator_id,
            "pay_time": self.time(self.random.choice(self.instants)),
            "pay_amount": self.with_whitespace(str(self.random.choice((0, 1, 1, 99, 100, 5999, 10**15)))),
            "risk_tag": self.random.choice((None, None, None, *self.tags)),
        }
        return self.sometimes_invalid(
            row,
            ("order_id", " "),
            ("creator_id", None),
            ("pay_time", "2026-10-01 24:00:00"),
            ("pay_time", "2026-10-01T23:59:60Z"),
            ("pay_time", "1760000000000"),
            ("pay_time", "2026-10-01 00:00:00 +08:00"),
            ("pay_time", "2026-1-01"),
            ("pay_time", "0000-01-01"),
            ("pay_amount", "-1"),
            ("pay_amount", "1e3"),
            ("pay_amount", "5.999"),
            ("pay_amount", "１２"),
            ("pay_amount", "+5"),
            ("pay_amount", "9223372036854775808"),
            ("pay_amount", ""),
        )

    def sometimes_invalid(self, row: Row, *faults: tuple[str, str | None]) -> Row:
        """The row; sometimes with an invalid cell."""
        if self.random.random() < 0.1:
            column, cell = self.random.choice(faults)
            row[column] = cell
        return row

    def with_whitespace(self, text: str) -> str:
        spaces = ("", "", "", " ", "\t", "\u3000", "\xa0 ")
        return self.random.choice(spaces) + text + self.random.choice(spaces)

    def time(self, instant: datetime) -> str:
        return self.with_whitespace(self.random.choice(notations(instant, self.zone)))


def notations(instant: datetime, zone: ZoneInfo) -> list[str]:
    """Every way to write an instant."""
    local = instant.astimezone(zone)
    here = [local.isoformat(" "), local.isoformat(), local.isoformat(timespec="microseconds")]
    naive = [text[: -len("+08:00")] for text in here]
    elsewhere = [
        instant.astimezone(UTC).isoformat().replace("+00:00", "Z"),
        instant.astimezone(UTC).isoformat().replace("+00:00", "z").replace("T", "t"),
        instant.astimezone(timezone(-timedelta(hours=9, minutes=30))).isoformat(" "),
        instant.astimezone(timezone(timedelta(hours=9))).isoformat()[: -len(":00")],
        here[0][:-3] + here[0][-2:],
        naive[2] + "999",
        naive[2].replace(".", ",") + "0001Z" if zone.key == "UTC" else naive[2] + "9",
    ]
    found = [*here, *naive, *elsewhere]
    if not instant.microsecond:
        found += [str((instant - EPOCH) // timedelta(seconds=1))] * 3
    if not instant.microsecond and not local.second:
        found.append(local.strftime("%Y-%m-%d %H:%M"))
    if (local.hour, local.minute, local.second, local.microsecond) == (0, 0, 0, 0):
        found += [local.strftime("%Y-%m-%d")] * 3
    return found


# --- writing it into files --------------------------------------------------------------------------------------------


def write(world: MonthRows, folder: Path, seed: int) -> Written:
    """Write the world as files of all formats; its rows are shuffled and split over one to three files per dataset."""
    chance = random.Random(seed)
    files: list[LocalFile] = []
    rows: dict[tuple[str, int], tuple[str, int]] = {}
    for dataset, dataset_rows in world.datasets().items():
        order = list(range(len(dataset_rows)))
        chance.shuffle(order)
        cuts = [0, *sorted(chance.randrange(len(order) + 1) for _ in range(chance.randrange(3))), len(order)]
        for number, indexes in enumerate(order[start:end] for start, end in pairwise(cuts)):
            suffix = chance.choice((".csv", ".csv.gz", ".parquet"))
            file = LocalFile(
                dataset,
                f"{dataset}/part {number}{suffix}",
                folder / f"{dataset}-{number}{suffix}",
                chance.random() < 0.5,
            )
            write_rows(file, [dataset_rows[index] for index in indexes], chance)
            files.append(file)
            rows |= {(file.key, row): (str(dataset), index) for row, index in enumerate(indexes, start=1)}
    return Written(tuple(files), rows)


def write_rows(file: LocalFile, rows: Sequence[Row], chance: random.Random) -> None:
    """Write the rows of one file: headers in any order and letter case, with an unknown column."""
    columns = [*COLUMNS[file.dataset], "unknown"]
    chance.shuffle(columns)
    named = [chance.choice((name, name.upper(), name.title())) for name in columns]
    cells = [[row.get(name) for name in columns] for row in rows]
    if file.path.suffix == ".parquet":
        write_parquet(file.path, named, cells)
    else:
        write_csv(file.path, named, cells, chance)


def write_csv(path: Path, header: Sequence[str], rows: Sequence[Sequence[str | None]], chance: random.Random) -> None:
    ending = chance.choice(("\n", "\r\n"))
    quoting: Literal[0, 1] = csv.QUOTE_ALL if chance.random() < 0.5 else csv.QUOTE_MINIMAL
    opened = gzip.open if path.suffix == ".gz" else open
    with opened(path, "wt", encoding=chance.choice(("utf-8", "utf-8-sig")), newline="") as text:
        writer = csv.writer(text, lineterminator=ending, quoting=quoting)
        writer.writerow(header)
        writer.writerows(rows)


def write_parquet(path: Path, header: Sequence[str], rows: Sequence[Sequence[str | None]]) -> None:
    names = ", ".join(f'"{name}" VARCHAR' for name in header)
    with _writer().cursor() as connection:
        connection.execute(f"CREATE OR REPLACE TEMP TABLE rows ({names})")
        if rows:
            row = f"({', '.join('?' * len(header))})"
            connection.execute(f"INSERT INTO rows VALUES {', '.join([row] * len(rows))}", list(chain(*rows)))
        connection.execute(f"COPY rows TO '{path}' (FORMAT parquet)")


@cache
def _writer() -> duckdb.DuckDBPyConnection:
    """An engine that writes files, started once, since starting takes longer than writing."""
    return duckdb.connect()


def regrouped(files: Iterable[LocalFile]) -> None:
    """Write each Parquet file again with one row per row group."""
    for file in files:
        if file.path.suffix == ".parquet":
            copy = file.path.with_suffix(".copy")
            grouped(copy, f"SELECT * FROM read_parquet('{file.path}')")
            copy.rename(file.path)


def grouped(path: Path, query: str, bytes_of_each: int = 1) -> None:
    """Write a query as Parquet with row groups of this number of bytes; with one byte, each row is a group."""
    with _writer().cursor() as connection:
        connection.execute("SET TimeZone = 'UTC'")
        options = f"FORMAT parquet, COMPRESSION uncompressed, ROW_GROUP_SIZE_BYTES {bytes_of_each}"
        connection.execute(f"COPY ({query}) TO '{path}' ({options})")
