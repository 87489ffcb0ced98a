"""Every engine gives the results of the plain loops in tests/reference.py, and the engines give equal bytes."""

from __future__ import annotations

import csv
import gzip
from collections.abc import Sequence
from dataclasses import asdict
from functools import cache
from pathlib import Path
from string import Template
from zoneinfo import ZoneInfo

import numpy as np
import numpy.typing as npt
import pytest

from functions.rating.extracts.datasets import Dataset, LocalFile
from functions.rating.measuring.assemble import assemble
from functions.rating.measuring.embedded import measure as measuring
from functions.rating.measuring.embedded.duckdb_engine import MEMORY_LIMIT
from functions.rating.measuring.embedded.duplicates import Repeats
from functions.rating.measuring.measured import MonthMeasured
from functions.rating.measuring.relations import relations_of
from shared.errors import ExtractError, NotReconciled
from tests.engines import ENGINES, Engine, duckdb_engine, plain_sql
from tests.reference import expect
from tests.worlds import Maker, MonthRows, Written, write


@pytest.fixture(autouse=True)
def small_table_of_hot_creators(monkeypatch: pytest.MonkeyPatch) -> None:
    """So that the small worlds have creators in the table of hot ones and in the other."""
    monkeypatch.setattr(measuring, "_HOT", 2)
    monkeypatch.setattr(measuring, "_SAMPLE", 20)


def bad_rows(measured: MonthMeasured, written: Written) -> set[tuple[str, int, str]]:
    """The quarantined rows: dataset and row in the world, and the reason."""
    if measured.quarantine is None:
        return set()
    with gzip.open(measured.quarantine, "rt", encoding="utf-8", newline="") as text:
        rows = list(csv.DictReader(text))
    return {(*written.rows[row["object"], int(row["row"])], row["reason"]) for row in rows}


def assert_agreement(world: MonthRows, folder: Path, seed: int, engine: Engine = duckdb_engine) -> None:
    written = write(world, folder, seed)
    start, end = world.month.start(world.zone), world.month.end(world.zone)
    expected = expect(world.agencies, world.creators, world.orders, world.previous, start, end, world.zone)

    measured = assemble(engine(written.files, world.month, world.zone, folder))

    assert measured.agencies == expected.agencies
    assert asdict(measured.order_rows) == expected.fates
    assert measured.paid_gmv == expected.paid_gmv
    assert measured.excluded_creators == expected.excluded_creators
    assert measured.excluded_orders == expected.excluded_orders
    assert {str(name): counts.counters for name, counts in measured.datasets.items()} == expected.counters
    assert bad_rows(measured, written) == expected.bad


@pytest.mark.parametrize("seed", range(30))
def test_agrees_with_the_reference(seed: int, tmp_path: Path) -> None:
    assert_agreement(Maker(seed).world(), tmp_path, seed)


@pytest.mark.parametrize("seed", range(40, 60))
def test_the_plain_sql_agrees_with_the_reference(seed: int, tmp_path: Path) -> None:
    assert_agreement(Maker(seed).world(), tmp_path, seed, plain_sql)


@pytest.mark.parametrize("seed", range(60, 75))
def test_engines_deliver_the_same_bytes(seed: int, tmp_path: Path) -> None:
    world = Maker(seed).world()
    files = write(world, tmp_path, seed).files

    assert delivered(duckdb_engine, world, files, tmp_path) == delivered(plain_sql, world, files, tmp_path)


@pytest.mark.parametrize("wrong", ["an object cut off", "two objects cut off", "a bad agency", "two of one agency"])
def test_engines_refuse_the_same_data_with_the_same_error(wrong: str, tmp_path: Path) -> None:
    world = Maker(3).world()
    files = [*write(world, tmp_path, 3).files]
    agencies = {"a bad agency": "x,X,soon\ny,Y,soon\n", "two of one agency": "x,X,2025-01-01\nx,Z,2025-01-01\n"}
    if wrong in agencies:
        text = "agency_id,name,joined_at\n" + agencies[wrong]
        files.insert(0, new_object(Dataset.AGENCIES, tmp_path / "wrong.csv", text.encode()))
    else:
        count = 2 if wrong.startswith("two") else 1
        files += [new_object(Dataset.ORDERS, tmp_path / f"{n}.parquet", b"PAR1 cut") for n in range(count)]

    errors = [delivered(engine, world, files, tmp_path) for engine in (duckdb_engine, plain_sql)]

    assert errors[0] == errors[1]
    assert errors[0][0] in (b"ObjectInvalid", b"AgenciesInvalid")
    assert str(tmp_path).encode() not in errors[0][1]


def delivered(engine: Engine, world: MonthRows, files: Sequence[LocalFile], folder: Path) -> tuple[bytes, bytes]:
    """The bytes that would be stored: relations and quarantine, or the class and the message of the error."""
    scratch = folder / engine.__name__
    scratch.mkdir()
    try:
        totals = engine(files, world.month, world.zone, scratch)
    except ExtractError as error:
        return type(error).__name__.encode(), str(error).encode()
    return relations_of(totals), totals.quarantine.read_bytes() if totals.quarantine else b""


def new_object(dataset: Dataset, path: Path, content: bytes) -> LocalFile:
    path.write_bytes(content)
    return LocalFile(dataset, f"{dataset}/{path.name}", path)


@pytest.mark.parametrize("seed", range(5))
@pytest.mark.parametrize("zone", ["America/New_York", "UTC"])
def test_agrees_with_the_reference_in_other_time_zones(zone: str, seed: int, tmp_path: Path) -> None:
    assert_agreement(Maker(seed, ZoneInfo(zone)).world(), tmp_path, seed)


@pytest.mark.parametrize("seed", range(10))
def test_agrees_where_the_ids_of_candidates_are_read_first(
    seed: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Repeats, "by_chance", lambda _: 10**9)

    assert_agreement(Maker(seed).world(), tmp_path, seed)


@pytest.mark.parametrize("seed", range(10))
def test_agrees_where_repeats_are_handled_in_many_batches(
    seed: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(measuring, "_REPEATED_ROW", MEMORY_LIMIT // 3)

    assert_agreement(Maker(seed).world(), tmp_path, seed)


@pytest.mark.parametrize("seed", range(10))
def test_agrees_where_every_order_is_a_candidate_for_a_repeat(
    seed: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Hashes only name candidates: candidates that are not repeated change no result."""
    added = 0

    def add(_: Repeats, hashes: npt.NDArray[np.uint64]) -> None:
        nonlocal added
        added += hashes.size

    monkeypatch.setattr(Repeats, "add", add)
    monkeypatch.setattr(Repeats, "rows", lambda _, at_once: [np.arange(added, dtype=np.uint32)])

    assert_agreement(Maker(seed).world(), tmp_path, seed)


BROKEN_RULES = {
    "the earliest binding holds": (
        "touching.bind_time DESC, touching.agency_id",
        "touching.bind_time, touching.agency_id",
    ),
    "the larger agency_id wins a tie": (
        "touching.bind_time DESC, touching.agency_id,",
        "touching.bind_time DESC, touching.agency_id DESC,",
    ),
    "the lower power level wins a tie": ("touching.power_level DESC", "touching.power_level"),
    "clean wins over flagged": ("touching.risk_tag NULLS LAST", "touching.risk_tag NULLS FIRST"),
    "a binding ends inclusively": ("pay_time < others.attributed_until", "pay_time <= others.attributed_until"),
    "a hot creator's binding ends inclusively": ("pay_time < hot.attributed_until", "pay_time <= hot.attributed_until"),
    "a hot creator's orders are nobody's": ("WHEN hot.agency_number IS NOT NULL THEN hot.agency_number", ""),
    "creators that are not hot are unknown": (
        "FROM numbered_attributions WHERE NOT hot",
        "FROM numbered_attributions WHERE FALSE",
    ),
    "repeats are taken back from the last agency of the month": (
        "repeated_orders.pay_time < numbered_attributions.attributed_until",
        "numbered_attributions.attributed_until = $month_end",
    ),
    "the month ends inclusively": ("pay_time < $month_end", "pay_time <= $month_end"),
    "the month begins a microsecond late": ("pay_time >= $month_start", "pay_time > $month_start"),
    "the largest amount of repeats counts": ("min(pay_amount) AS pay_amount", "max(pay_amount) AS pay_amount"),
    "the largest amount of repeats decides the agency": (
        "ORDER BY pay_amount, pay_time",
        "ORDER BY pay_amount DESC, pay_time",
    ),
    "the latest of equal amounts decides the agency": ("pay_amount, pay_time, c", "pay_amount, pay_time DESC, c"),
    "the largest creator decides the agency": ("pay_time, creator_id) AS", "pay_time, creator_id DESC) AS"),
    "a repeat's flag is forgotten": ("min(tag) AS tag", "CASE WHEN count(tag) = count(*) THEN min(tag) END AS tag"),
    "whitespace around a flag matters": ("$trimmed_tag AS risk_tag", "risk_tag"),
    "all flags are the same": ("row_number() OVER (ORDER BY risk_tag)", "1"),
    "repeats count twice": ("FROM ranked WHERE priority = 1", "FROM ranked"),
    "repeats are not taken back": (
        "SELECT agency_number, tag, -count(*) AS orders",
        "SELECT agency_number, tag, 0 AS orders",
    ),
    "repeats are taken back, but not their amounts": ("-sum(pay_amount) AS amount", "0 AS amount"),
    "repeats within one agency are lost": (
        "FROM repeated_ids WHERE disputed_id IS NULL",
        "FROM repeated_ids WHERE FALSE",
    ),
    "the first agency has the disputed orders": (
        "WHEN agency_number <> other_agency_number THEN order_id",
        "WHEN FALSE THEN order_id",
    ),
    "agencies are those of the month's first instant": (
        "attributed_until = $month_end AND",
        "attributed_from = $month_start AND",
    ),
    "the base of slots includes flagged creators": ("AND covering.risk_tag IS NULL", ""),
    "kept means kept by the same agency": (
        "ON still.creator_id = covering.creator_id\n",
        "ON still.creator_id = covering.creator_id AND covering.agency_id = 'A2'\n",
    ),
    "a single binding holds before it begins": (
        "creator_id, greatest(bind_time, $month_start), least(until",
        "creator_id, $month_start, least(until",
    ),
    "a single binding holds after its end": (
        "least(until, $month_end), agency_id",
        "$month_end, agency_id",
    ),
    "a creator is known before a single binding": ("WHERE bind_time > $month_start", "WHERE FALSE"),
    "a creator is known after a single binding": ("WHERE until < $month_end", "WHERE FALSE"),
    "orders of unknown creators are the first agency's": ("THEN -1", "THEN 0"),
    "other months are unknown creators": ("ELSE -2", "ELSE -1"),
    "overlapping bindings are not counted": ("THEN 1 END), 0) AS overlapping", "THEN 0 END), 0) AS overlapping"),
    "the month before ends inclusively": ("unbind_time >= $month_start)", "unbind_time > $month_start)"),
}


# Rules of the plain SQL alone, and some that it shares.
BROKEN_PLAIN_RULES = {
    **{rule: BROKEN_RULES[rule] for rule in ("the earliest binding holds", "clean wins over flagged")},
    "a binding ends inclusively": (
        "pay_time < attributions.attributed_until",
        "pay_time <= attributions.attributed_until",
    ),
    "the month ends inclusively": ("pay_time < $month_end", "pay_time <= $month_end"),
    "the month begins a microsecond late": ("pay_time >= $month_start", "pay_time > $month_start"),
    "the largest amount of repeats counts": ("ORDER BY pay_amount, pay_time", "ORDER BY pay_amount DESC, pay_time"),
    "the latest of equal amounts counts": ("pay_amount, pay_time, c", "pay_amount, pay_time DESC, c"),
    "the largest creator counts": ("pay_time, creator_id) AS", "pay_time, creator_id DESC) AS"),
    "a repeat's flag is forgotten": ("min(tag) OVER (PARTITION BY order_id) AS tag", "tag"),
    "repeats count twice": ("WHERE priority = 1", ""),
    "unknown creators are known": ("attributed OR NOT in_month", "TRUE"),
    "all flags are the same": ("row_number() OVER (ORDER BY risk_tag) AS tag", "1 AS tag"),
}
# Most broken rules change the result of the first world; these change few worlds, so one of those is tried first.
SHOWN_IN = {
    "clean wins over flagged": 33,
    "the month begins a microsecond late": 33,
    "whitespace around a flag matters": 36,
    "the base of slots includes flagged creators": 36,
    "kept means kept by the same agency": 36,
    "a single binding holds after its end": 33,
    "a creator is known before a single binding": 33,
    "a creator is known after a single binding": 31,
    "the month before ends inclusively": 88,
}
BROKEN = [("DuckDB", rule) for rule in BROKEN_RULES] + [("plain SQL", rule) for rule in BROKEN_PLAIN_RULES]


@pytest.mark.parametrize(("engine", "rule"), BROKEN)
def test_a_broken_rule_is_noticed(engine: str, rule: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    measure, sql = ENGINES[engine]
    valid, broken = (BROKEN_RULES if engine == "DuckDB" else BROKEN_PLAIN_RULES)[rule]
    assert any(valid in template.template for template in sql.values())
    for name, template in sql.items():
        monkeypatch.setitem(sql, name, Template(template.template.replace(valid, broken)))

    seeds = sorted(largest_worlds(), key=lambda seed: seed != SHOWN_IN.get(rule))
    assert not all(agrees(seed, tmp_path, measure) for seed in seeds)


@cache
def largest_worlds() -> list[int]:
    """The seeds of a hundred worlds, the largest first: more rules matter where more rows are."""
    worlds = {seed: Maker(seed).world() for seed in range(100)}
    return sorted(worlds, key=lambda seed: len(worlds[seed].creators) + len(worlds[seed].orders), reverse=True)


def agrees(seed: int, folder: Path, engine: Engine) -> bool:
    (folder / str(seed)).mkdir()
    try:
        assert_agreement(Maker(seed).world(), folder / str(seed), seed, engine)
    except (AssertionError, NotReconciled):
        return False
    return True
