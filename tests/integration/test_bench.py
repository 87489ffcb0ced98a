"""The bench: its months have what makes measuring hard, it counts all costs, and it refuses results that differ."""

from __future__ import annotations

import sys
from dataclasses import replace
from decimal import Decimal
from pathlib import Path

import duckdb
import pytest

from bench import trees
from bench.agencies import agencies
from bench.compared import Compared
from bench.contestants import duckdb_group_by, ours
from bench.measuring import MEGABYTE, Cost, ResultsDiffer, exponent, promise, refuse_differing
from bench.months import MONTH, Form, Months
from bench.publishing import decision_graph
from bench.spark import extrapolated, line
from functions.rating.extracts.datasets import Dataset, LocalFile
from functions.rating.measuring.assemble import assemble
from functions.rating.measuring.embedded.measure import measure
from tools.docs.example import ZONE, shipped_rulebook

ORDERS = 20_000


@pytest.mark.parametrize("scattered", [False, True])
@pytest.mark.parametrize("form", Form)
def test_the_function_and_the_plainest_query_give_the_same_fen(form: Form, scattered: bool, tmp_path: Path) -> None:
    month = Months(tmp_path, scattered=scattered).month(ORDERS, form, chunk=7_000)

    gmv = {agency: fen for agency, fen in ours(month).items() if fen}

    assert gmv == dict(duckdb_group_by(month))
    assert len(list((month / "orders").iterdir())) == 3


BUSY_ORPHAN = """
import os, sys, time
if os.fork() == 0:
    time.sleep(0.3)  # the parent is gone
    while time.process_time() < 0.5:
        pass
    os._exit(0)
print("said")
time.sleep(0.2)
"""


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="counts processes by /proc")
def test_the_time_of_a_process_that_lives_longer_than_its_parent_is_counted() -> None:
    tree = trees.run([sys.executable, "-c", BUSY_ORPHAN], {})

    assert tree.cpu > 0.5
    assert tree.peak > 2 * 5 * MEGABYTE, "two processes"
    assert tree.said == "said\n"


def test_the_cost_of_large_months_is_extrapolated_from_small_ones() -> None:
    fixed, slope = line([5_000_000, 20_000_000, 60_000_000], [75, 150, 350])

    assert [fixed, slope] == pytest.approx([50, 5])
    # (50 + 5,000) s on 36 processors and two minutes to start; ten workers of 0.44 USD an hour
    assert extrapolated(fixed, slope, 1_000) == ("1,000", "1.4", "4", "0.32")


def _share_of_the_largest(month: Path, count: int) -> float:
    """The share of the orders that belongs to this number of creators, those with most orders."""
    orders = (
        f"(SELECT creator_id, count(*) AS n FROM '{month}/orders/*.parquet' GROUP BY ALL ORDER BY n DESC LIMIT {count})"
    )
    with duckdb.connect() as connection:
        [(counted,)] = connection.execute(f"SELECT sum(n) FROM {orders}").fetchall()
    return float(counted) / ORDERS


@pytest.mark.parametrize(("skew", "share"), [(0, 0.1), (0.5, 0.3), (1, 0.65), (2, 0.99)])
def test_creators_are_as_unequal_as_the_skew_says(skew: float, share: float, tmp_path: Path) -> None:
    """The hundred creators with most orders, of a thousand, have this share of the orders."""
    month = Months(tmp_path, skew).month(ORDERS, Form.PARQUET)

    assert _share_of_the_largest(month, 100) == pytest.approx(share, abs=0.05)


@pytest.mark.parametrize(
    ("form", "one_in", "repeated"),
    [(Form.PARQUET, 200, ORDERS // 200), (Form.PARQUET, 3, ORDERS // 3), (Form.UNIQUE, 200, 0)],
)
def test_its_months_have_repeats_flags_and_movers(form: Form, one_in: int, repeated: int, tmp_path: Path) -> None:
    month = Months(tmp_path, one_in=one_in).month(ORDERS, form)
    files = [
        LocalFile(Dataset(path.parent.name), path.name, path)
        for path in sorted(month.glob("*/*"), key=lambda path: path.parent.name)
    ]

    measured = assemble(measure(files, MONTH, ZONE, Decimal(0), tmp_path))

    assert measured.order_rows.read == ORDERS
    assert measured.order_rows.duplicate == repeated
    assert measured.order_rows.excluded == pytest.approx(ORDERS / 101, rel=0.1)
    assert measured.order_rows.unbound == 0
    assert measured.datasets[Dataset.CREATORS].rows == 1_000 + 1_000 // 20


def test_scattered_digits_are_harder_to_compress(tmp_path: Path) -> None:
    rising, scattered = (Months(tmp_path, scattered=how).month(ORDERS, Form.UNIQUE) for how in (False, True))

    assert _size(scattered) > 1.3 * _size(rising)


def _size(month: Path) -> int:
    return sum(path.stat().st_size for path in (month / "orders").iterdir())


def test_results_that_differ_by_a_fen_are_refused() -> None:
    valid = Cost(1.0, 1.0, 1, "digest", 100)

    refuse_differing({"floor": [replace(valid, digest=None, total=0)], "ours": [valid], "peer": [valid, valid]})
    with pytest.raises(ResultsDiffer):
        refuse_differing({"ours": [valid], "peer": [valid, replace(valid, digest="other", total=101)]})


def test_the_goal_is_the_cheapest_query() -> None:
    costs = {
        "ours": [Cost(1, 3.0, 100, None, 0)],
        "duckdb_group_by": [Cost(1, 4.0, 900, None, 0)],
        "polars": [Cost(1, 3.5, 500, None, 0)],
    }
    assert [row[1:] for row in promise(costs, 5_000_000)] == [
        ("3.00", "3.50 (polars)", "met"),
        ("0", "0 (polars)", "met"),
    ]
    assert [row[-1] for row in promise(costs, 60_000_000)] == ["met", "MISSED"]
    assert promise({**costs, "ours": [Cost(1, 3.5, 101, None, 0)]}, 5_000_000)[0][-1] == "MISSED"


def test_growth_is_the_exponent_of_the_fitted_power() -> None:
    assert exponent([1, 4, 16], [3, 12, 48]) == pytest.approx(1)
    assert exponent([1, 10, 100], [5, 5, 5]) == pytest.approx(0)


def test_a_goal_is_missed_only_above_it() -> None:
    assert not Compared("", 2.0, 1.0, goal=2.0).missed
    assert Compared("", 2.1, 1.0, goal=2.0).missed


def test_the_rule_engine_gets_the_whole_ladder_from_the_top() -> None:
    rulebook = shipped_rulebook(MONTH)
    ladder = rulebook.ladder(str(MONTH))

    rows = decision_graph(ladder, rulebook.metrics)["nodes"][1]["content"]["rules"]

    assert len(rows) == sum(len(rung.channels) for rung in ladder.rungs)
    assert [rows[0]["level"], rows[-1]["level"]] == [str(len(ladder.rungs)), "1"]


def test_its_agencies_are_the_same_in_every_run() -> None:
    assert list(agencies(50)) == list(agencies(50))
