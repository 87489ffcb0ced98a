"""The thresholds of the shipped example are invented: a stack publishes with them only if a parameter allows it."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from functions.rating.publication.items import load_record
from shared.errors import ExampleThresholds
from tests.cloud import Cloud, small_cloud

EXAMPLE = Path(__file__).parents[2] / "config" / "workbook"
MONTH = "2026-09"


@pytest.fixture(scope="module")
def beginning(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cloud]:
    """A month that is ready, and the example's workbook, as `make sheet` or the package gives it."""
    with small_cloud(tmp_path_factory.mktemp("cloud")) as cloud:
        shutil.copytree(EXAMPLE, cloud.workbook, dirs_exist_ok=True)
        cloud.put_month(MONTH, {"A": (2, 500_000), "B": (0, 100)})
        cloud.remember()
        yield cloud


@pytest.fixture
def cloud(beginning: Cloud) -> Cloud:
    return beginning.bring_back()


def test_a_month_is_not_rated_with_the_examples_thresholds(cloud: Cloud) -> None:
    with pytest.raises(ExampleThresholds, match="thresholds are those of the shipped example"):
        cloud.rate({"month": MONTH})
    assert cloud.items() == {}


def test_a_preview_with_the_examples_thresholds_is_allowed(cloud: Cloud) -> None:
    assert cloud.rate({"month": MONTH, "mode": "preview"})["outcome"] == "previewed"
    assert cloud.items() == {}


def test_changed_texts_do_not_count_as_changed_thresholds(cloud: Cloud) -> None:
    levels = cloud.workbook / "levels.csv"
    levels.write_text(levels.read_text("utf-8").replace("级", "星级"), encoding="utf-8")
    with pytest.raises(ExampleThresholds):
        cloud.rate({"month": MONTH})


def test_if_it_is_allowed_record_and_report_say_so(cloud: Cloud, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("EXAMPLE_THRESHOLDS", "allow")
    answer = cloud.rate({"month": MONTH})
    assert answer["outcome"] == "published"
    assert "Example thresholds" in cloud.report(answer["report"])
    assert load_record(cloud.table, answer["run"]).example_thresholds
    assert '"example_thresholds": true' in cloud.report(answer["report"].replace(".html", ".json"))


def test_with_other_thresholds_record_and_report_do_not_mention_an_example(cloud: Cloud) -> None:
    shutil.rmtree(cloud.workbook)
    cloud.workbook.mkdir()
    cloud.write_workbook()
    answer = cloud.rate({"month": MONTH})
    assert answer["outcome"] == "published"
    assert not load_record(cloud.table, answer["run"]).example_thresholds
    assert "Example thresholds" not in cloud.report(answer["report"])
