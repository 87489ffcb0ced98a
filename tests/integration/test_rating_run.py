"""The rating function through its handler: months are published, held, rerun, restated, rolled back, previewed."""

from __future__ import annotations

import gzip
import json
from collections.abc import Iterator
from contextlib import AbstractContextManager
from datetime import datetime
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from functions.rating import wiring
from functions.rating.app import handler
from functions.rating.measuring.embedded import measure
from functions.rating.measuring.embedded.duckdb_engine import DuckDB, open_engine
from functions.rating.publication import ledger
from functions.rating.publication.outbox import changes_key, events, outbox_entry_from
from local.cloud.invocation import Context
from shared.errors import (
    EventInvalid,
    ItemInvalid,
    MonthNotOver,
    PublicationConflict,
    RunSuperseded,
    RunUnknown,
    SettingsMissing,
    WorkbookFaulty,
)
from shared.items import key
from tests.cloud import FUNCTION_SECONDS, WORKBOOK, Cloud, small_cloud
from tests.wire import at_call, on_each_call

MAY, JUNE = {"scheduled_at": "2026-06-02T18:00:00Z"}, {"scheduled_at": "2026-07-02T18:00:00Z"}
DECIDED = {"by": "Li", "reason": "checked"}
TWO_LEVELS = {
    "levels": "level,name,description\n1,一级,\n2,二级,\n",
    "thresholds": "effective_month,level,channel,six,gmv\n,1,1,1,\n,2,1,2,100\n",
    "benefits": "benefit,name,description,kind,1,2\ncontact,达人建联机构,,flag,,TRUE\n",
}
BIG, MIDDLE, SMALL, NONE = (5, 500_000), (2, 10_000), (1, 0), (0, 0)


@pytest.fixture(scope="module")
def beginning(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cloud]:
    with small_cloud(tmp_path_factory.mktemp("cloud")) as cloud:
        cloud.put_month("2026-05", {"a": BIG, "b": MIDDLE, "c": SMALL, "d": NONE})
        cloud.remember()
        yield cloud


@pytest.fixture
def cloud(beginning: Cloud) -> Cloud:
    return beginning.bring_back()


def test_a_firing_publishes_the_month_before(cloud: Cloud) -> None:
    answer = cloud.rate(MAY)
    assert answer["outcome"] == "published"
    assert answer["month"] == "2026-05"
    assert answer["agencies"] == 4
    assert answer["levels"] == {"1": 1, "2": 1, "3": 1, "unrated": 1, "awaiting_first_rating": 0}
    assert answer["moves"] == {"up": 0, "down": 0, "same": 0, "new": 4, "left": 0}
    assert cloud.levels() == {"a": 3, "b": 2, "c": 1, "d": None}


def test_the_next_firing_does_not_change_a_published_month(cloud: Cloud) -> None:
    first, before = cloud.rate(MAY), cloud.items()
    again = cloud.rate(MAY)
    assert (again["outcome"], again["run"], again["inputs_changed"]) == ("unchanged", first["run"], False)
    assert again["levels"] == first["levels"]
    assert cloud.items() == before


def test_without_success_nothing_is_written_and_the_next_firing_tries_again(cloud: Cloud) -> None:
    cloud.s3.delete_object(Bucket="extracts", Key="in/orders/month=2026-05/_SUCCESS")
    answer = cloud.rate(MAY)
    assert (answer["outcome"], answer["missing"], cloud.items()) == ("not_ready", ["orders"], {})
    cloud.put_object("orders", "2026-05", "_SUCCESS", b"")
    assert cloud.rate(MAY)["outcome"] == "published"


def test_the_summary_line_says_what_was_found_instead_of_the_data(
    cloud: Cloud, caplog: pytest.LogCaptureFixture
) -> None:
    cloud.s3.delete_object(Bucket="extracts", Key="in/orders/month=2026-05/_SUCCESS")
    caplog.set_level("INFO", logger="rating")
    answer = cloud.rate(MAY)
    (line,) = [vars(record) for record in caplog.records if record.getMessage() == "run done"]
    assert (line["outcome"], line["missing"], line["found"]) == ("not_ready", ["orders"], answer["found"])
    assert "s3://extracts/in/orders/month=2026-05/_SUCCESS is not there; found 1 object(s)" in line["found"][0]


def test_a_month_is_compared_with_the_newest_earlier_publication(cloud: Cloud) -> None:
    cloud.rate(MAY)
    cloud.put_month("2026-06", {"a": MIDDLE, "b": MIDDLE, "d": SMALL, "e": SMALL})
    answer = cloud.rate(JUNE)
    assert answer["moves"] == {"up": 1, "down": 1, "same": 1, "new": 1, "left": 1}


def test_a_level_that_is_no_longer_on_the_ladder_is_shown_with_its_number(cloud: Cloud) -> None:
    cloud.rate(MAY)
    cloud.put_month("2026-06", {"a": BIG, "b": MIDDLE})
    cloud.write_workbook(**TWO_LEVELS)
    answer = cloud.rate(JUNE)
    assert cloud.levels() == {"a": 2, "b": 2}
    assert "</span> 3 → 二级<" in cloud.report(answer["report"])


def test_a_month_that_is_not_over_is_refused(cloud: Cloud) -> None:
    with pytest.raises(MonthNotOver, match="2099-01"):
        cloud.rate({"month": "2099-01"})
    assert cloud.items() == {}


def test_an_undocumented_event_is_refused(cloud: Cloud) -> None:
    with pytest.raises(EventInvalid):
        cloud.rate({"monht": "2026-05"})


def test_every_missing_variable_is_named_at_once(cloud: Cloud, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("TABLE_NAME")
    monkeypatch.setenv("REPORTS", "/tmp/reports")
    with pytest.raises(SettingsMissing, match=r"TABLE_NAME.*REPORTS"):
        cloud.rate(MAY)


def test_a_faulty_sheet_stops_the_month_and_nothing_is_written(cloud: Cloud) -> None:
    cloud.write_workbook(
        thresholds=WORKBOOK["thresholds"].replace("1000", "1,000"), levels="level,name\n1,一级\n3,三级\n"
    )
    with pytest.raises(WorkbookFaulty) as raised:
        cloud.rate(MAY)
    assert len(raised.value.faults) >= 2
    assert all({"tab", "cell", "found", "expected", "fix"} <= fault.keys() for fault in raised.value.faults)
    assert cloud.items() == {}


def test_check_lists_faults_and_writes_nothing(cloud: Cloud) -> None:
    assert (cloud.rate({"mode": "check"})["outcome"], cloud.rate({"mode": "check"})["valid"]) == ("checked", True)
    cloud.write_workbook(levels="level,name\n1,一级\n")
    answer = cloud.rate({"mode": "check"})
    assert not answer["valid"]
    assert answer["faults"]
    assert cloud.items() == {}


# --- reruns, restatements, rollback -----------------------------------------------------------------------------------


def test_the_schedule_never_restates_a_month_but_says_that_inputs_changed(cloud: Cloud) -> None:
    first = cloud.rate(MAY)
    cloud.put_month("2026-05", {"a": SMALL, "b": MIDDLE})
    answer = cloud.rate(MAY)
    assert (answer["outcome"], answer["run"], answer["inputs_changed"]) == ("unchanged", first["run"], True)
    assert cloud.levels()["a"] == 3


def test_an_event_with_the_month_restates_it_and_the_old_run_stays_readable(cloud: Cloud) -> None:
    first = cloud.rate(MAY)
    cloud.put_month("2026-05", {"a": SMALL, "b": MIDDLE})
    second = cloud.rate({"month": "2026-05"})
    assert (second["outcome"], second["replaced"], second["restated"]) == ("published", first["run"], 2)
    assert json.loads(cloud.report(second["report"].replace(".html", ".json")))["restates"] == {
        "run": first["run"],
        "changes": [
            {"agency_id": "a", "old_level": 3, "new_level": 1},
            {"agency_id": "c", "old_level": 1, "new_level": None},
        ],
    }
    assert f"<code>{first['run']}</code> · 2 " in cloud.report(second["report"])
    assert cloud.levels() == {"a": 1, "b": 2}
    assert len(cloud.table.standings(first["run"])) == 4
    assert [e.action for e in ledger.entries(cloud.table, "2026-05")] == ["published", "restated"]
    assert cloud.table.pointer().publications["2026-05"].action == "restated"


def test_a_rollback_makes_the_earlier_publication_valid_again_and_the_schedule_respects_it(cloud: Cloud) -> None:
    first = cloud.rate(MAY)
    cloud.put_month("2026-05", {"a": SMALL})
    second = cloud.rate({"month": "2026-05"})
    answer = cloud.rate({"rollback": first["run"], **DECIDED})
    assert (answer["outcome"], answer["replaced"]) == ("rolled_back", second["run"])
    assert cloud.levels() == {"a": 3, "b": 2, "c": 1, "d": None}
    again = cloud.rate(MAY)
    assert (again["outcome"], again["run"], again["inputs_changed"]) == ("unchanged", first["run"], True)
    assert cloud.table.pointer().publications["2026-05"].action == "rolled_back"
    entry = list(ledger.entries(cloud.table, "2026-05"))[-1]
    assert (entry.action, entry.by, entry.reason, entry.replaced) == (
        "rolled_back",
        "Li",
        "checked",
        second["run"],
    )


def test_a_month_can_be_rolled_back_only_to_a_run_that_was_valid(cloud: Cloud) -> None:
    cloud.rate(MAY)
    with pytest.raises(RunUnknown, match="nothing-like-it"):
        cloud.rate({"rollback": "nothing-like-it", **DECIDED})


def test_a_backfill_does_not_lower_the_current_month(cloud: Cloud) -> None:
    cloud.rate(MAY)
    cloud.put_month("2026-03", {"a": SMALL})
    assert cloud.rate({"month": "2026-03"})["outcome"] == "published"
    assert cloud.levels() == {"a": 3, "b": 2, "c": 1, "d": None}
    assert cloud.levels("2026-03") == {"a": 1}


def test_verify_recomputes_a_run_to_the_byte_and_reports_changed_inputs(cloud: Cloud) -> None:
    run = cloud.rate(MAY)["run"]
    assert cloud.rate({"verify": run})["outcome"] == "verified"
    cloud.write_workbook(settings="setting,value\nnew_agency_wait_months,3\n")
    assert cloud.rate({"verify": run})["outcome"] == "verified"
    cloud.put("orders", "2026-05", [])
    answer = cloud.rate({"verify": run})
    assert answer["outcome"] == "differs"
    assert "in/orders/month=2026-05/part-0.csv" in answer["differences"][0]


def test_verify_finds_one_changed_item(cloud: Cloud) -> None:
    run = cloud.rate(MAY)["run"]
    (pk, sk), item = next((k, i) for k, i in cloud.items().items() if k[0] == "AGENCY#b")
    altered = item | {"rating": {"S": item["rating"]["S"].replace('"level":2', '"level":3')}}
    cloud.table.client.put_item(TableName="levels", Item=altered)
    answer = cloud.rate({"verify": run})
    assert (answer["outcome"], answer["differences"]) == ("differs", [f"{pk} {sk}"])


# --- guardrails -------------------------------------------------------------------------------------------------------

HALF = "setting,value\nmax_downgraded_share,0.4\n"


@pytest.fixture(scope="module")
def june(beginning: Cloud) -> dict[str, Any]:
    """The answer to a firing that holds June."""
    beginning.bring_back().rate(MAY)
    beginning.write_workbook(settings=HALF)
    beginning.put_month("2026-06", {"a": SMALL, "b": SMALL, "c": SMALL, "d": NONE})
    answer = beginning.rate(JUNE)
    beginning.remember("June is held")
    return answer


@pytest.fixture
def held(cloud: Cloud, june: dict[str, Any]) -> dict[str, Any]:
    """The same answer; the cloud is brought back to the state in which June is held."""
    cloud.bring_back("June is held")
    return june


def test_an_exceeded_guardrail_holds_the_month_and_the_old_levels_stay(cloud: Cloud, held: dict[str, Any]) -> None:
    assert held["outcome"] == "held"
    assert cloud.levels() == {"a": 3, "b": 2, "c": 1, "d": None}
    assert "max_downgraded_share" in cloud.report(held["report"])


def test_the_next_firing_does_not_hold_the_month_a_second_time(cloud: Cloud, held: dict[str, Any]) -> None:
    run, before = held["run"], cloud.items()
    again = cloud.rate(JUNE)
    assert (again["outcome"], again["run"], cloud.items()) == ("held", run, before)


def test_a_held_month_is_rated_again_when_its_inputs_change(cloud: Cloud, held: dict[str, Any]) -> None:
    run = held["run"]
    cloud.put_month("2026-06", {"a": BIG, "b": MIDDLE, "c": SMALL, "d": NONE})
    answer = cloud.rate(JUNE)
    assert answer["outcome"] == "published"
    assert answer["run"] != run


def test_accepting_publishes_the_held_run_and_records_who_decided(cloud: Cloud, held: dict[str, Any]) -> None:
    run = held["run"]
    answer = cloud.rate({"accept": run, **DECIDED})
    assert (answer["outcome"], answer["run"]) == ("published", run)
    assert cloud.levels() == {"a": 1, "b": 1, "c": 1, "d": None}
    assert [(e.action, e.by) for e in ledger.entries(cloud.table, "2026-06")] == [("held", None), ("accepted", "Li")]
    assert cloud.rate({"accept": run, **DECIDED})["outcome"] == "unchanged"


def test_a_held_run_that_was_compared_with_a_replaced_run_is_not_accepted(cloud: Cloud, held: dict[str, Any]) -> None:
    run = held["run"]
    cloud.put_month("2026-05", {"a": SMALL})
    cloud.rate({"month": "2026-05"})
    with pytest.raises(PublicationConflict, match="was compared with"):
        cloud.rate({"accept": run, **DECIDED, "anyway": True})


def test_a_held_run_whose_extracts_have_changed_is_accepted_only_with_anyway(
    cloud: Cloud, held: dict[str, Any]
) -> None:
    run = held["run"]
    cloud.put_month("2026-06", {"a": BIG, "b": MIDDLE, "c": SMALL, "d": NONE})
    cloud.put_object("orders", "2026-06", "part-1.csv", b"order_id\n")
    cloud.s3.delete_object(Bucket="extracts", Key="in/creators/month=2026-05/part-0.csv")
    with pytest.raises(RunSuperseded, match='accept the run with "anyway": true') as refused:
        cloud.rate({"accept": run, **DECIDED})
    since = str(refused.value).partition("since then: ")[2].partition(". Nothing was published")[0]
    assert since.split("; ") == [
        "in/creators/month=2026-05/part-0.csv is no longer there",
        "in/creators/month=2026-06/part-0.csv has changed since the run read it",
        "in/orders/month=2026-06/part-0.csv has changed since the run read it",
        "in/orders/month=2026-06/part-1.csv appeared after the run read",
    ]
    assert cloud.rate({"accept": run, **DECIDED, "anyway": True})["outcome"] == "published"
    assert cloud.levels() == {"a": 1, "b": 1, "c": 1, "d": None}


def test_a_held_run_of_a_month_published_since_then_is_accepted_only_with_anyway(
    cloud: Cloud, held: dict[str, Any]
) -> None:
    run = held["run"]
    held_extracts = {"a": SMALL, "b": SMALL, "c": SMALL, "d": NONE}
    cloud.put_month("2026-06", {"a": BIG, "b": MIDDLE, "c": SMALL, "d": NONE})
    other = cloud.rate(JUNE)["run"]
    cloud.put_month("2026-06", held_extracts)
    with pytest.raises(RunSuperseded, match=f"run {other} was published"):
        cloud.rate({"accept": run, **DECIDED})
    assert cloud.rate({"accept": run, **DECIDED, "anyway": True})["run"] == run
    assert cloud.levels() == {"a": 1, "b": 1, "c": 1, "d": None}


def test_texts_that_changed_since_then_do_not_supersede_a_held_run(cloud: Cloud) -> None:
    cloud.rate(MAY)
    cloud.put_month("2026-06", {"a": BIG, "b": MIDDLE, "c": SMALL, "d": NONE})
    cloud.rate(JUNE)
    cloud.write_workbook(settings=HALF)
    cloud.put_month("2026-06", {"a": SMALL, "b": SMALL, "c": SMALL, "d": NONE})
    restated = cloud.rate({"month": "2026-06"})
    assert restated["outcome"] == "held"
    cloud.write_workbook(settings=HALF, levels=WORKBOOK["levels"].replace("一级", "新芽机构"))
    assert cloud.rate({"mode": "refresh"})["outcome"] == "refreshed"
    assert cloud.rate({"accept": restated["run"], **DECIDED})["outcome"] == "published"


@pytest.mark.parametrize("call", range(1, 12))
def test_of_two_accepts_at_once_one_publishes_and_the_other_finds_it_published(
    cloud: Cloud, held: dict[str, Any], call: int
) -> None:
    run = held["run"]
    others: list[dict[str, Any]] = []
    with at_call(call, lambda: others.append(cloud.rate({"accept": run, **DECIDED}))):
        answer = cloud.rate({"accept": run, **DECIDED})
    [other] = others
    assert sorted([answer["outcome"], other["outcome"]]) == ["published", "unchanged"]
    assert [entry.action for entry in ledger.entries(cloud.table, "2026-06")] == ["held", "accepted"]


def test_the_ledger_has_the_order_of_the_pointer_also_if_a_clock_is_wrong(
    cloud: Cloud, held: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    run = held["run"]
    in_the_past = SimpleNamespace(now=lambda zone: datetime(2026, 1, 1, tzinfo=zone))
    with monkeypatch.context() as patch:
        patch.setattr(wiring, "datetime", in_the_past)
        cloud.rate({"accept": run, **DECIDED})
    assert [entry.action for entry in ledger.entries(cloud.table, "2026-06")] == ["held", "accepted"]
    assert cloud.rate({"accept": run, **DECIDED})["outcome"] == "unchanged"


def test_only_a_held_run_can_be_accepted(cloud: Cloud) -> None:
    run = cloud.rate(MAY)["run"]
    cloud.put_month("2026-05", {"a": SMALL})
    cloud.rate({"month": "2026-05"})
    with pytest.raises(RunUnknown, match="not held"):
        cloud.rate({"accept": run, **DECIDED})


# --- preview and refresh ----------------------------------------------------------------------------------------------


def test_a_preview_lists_the_movers_and_publishes_nothing(cloud: Cloud) -> None:
    cloud.rate(MAY)
    before = cloud.items()
    cloud.write_workbook(thresholds=WORKBOOK["thresholds"].replace(",3,1,5,5000", ",3,1,6,5000"))
    answer = cloud.rate({"month": "2026-05", "mode": "preview"})
    assert (answer["outcome"], cloud.items()) == ("previewed", before)
    [mover] = answer["preview"]["movers"]
    assert (mover["agency_id"], mover["old_level"], mover["new_level"]) == ("a", 3, 2)
    assert mover["decided_by"] == {"metric": "six", "required": 6, "actual": 5}
    assert {"from": "3", "to": "2", "agencies": 1} in answer["preview"]["matrix"]
    assert "机构 a" in cloud.report(answer["report"])


def test_refresh_publishes_changed_texts_with_the_stored_levels(cloud: Cloud) -> None:
    run = cloud.rate(MAY)["run"]
    cloud.write_workbook(levels=WORKBOOK["levels"].replace("三级", "领航"))
    answer = cloud.rate({"mode": "refresh"})
    assert (answer["outcome"], answer["run"]) == ("refreshed", run)
    publication = cloud.table.pointer().current()
    assert publication.run == run
    assert cloud.table.rulebook(publication.rulebook).level(3).name == "领航"
    assert cloud.rate({"mode": "refresh"})["outcome"] == "unchanged"


def test_refresh_does_not_publish_a_changed_threshold_but_says_from_when_it_counts_and_who_would_move(
    cloud: Cloud,
) -> None:
    cloud.rate(MAY)
    before = cloud.items()
    cloud.write_workbook(thresholds=WORKBOOK["thresholds"].replace(",3,1,5,5000", ",3,1,6,5000"))
    answer = cloud.rate({"mode": "refresh"})
    assert (answer["outcome"], answer["effective_month"], answer["effective_on"]) == (
        "pending",
        "2026-06",
        "2026-07-03",
    )
    assert [mover["agency_id"] for mover in answer["preview"]["movers"]] == ["a"]
    assert cloud.items() == before


def test_refresh_lists_the_movers_of_a_ladder_for_a_later_month(cloud: Cloud) -> None:
    cloud.rate(MAY)
    later = "".join(line.replace(",", "2026-09,", 1) + "\n" for line in WORKBOOK["thresholds"].splitlines()[1:])
    cloud.write_workbook(thresholds=WORKBOOK["thresholds"] + later.replace(",3,1,5,5000", ",3,1,6,5000"))
    answer = cloud.rate({"mode": "refresh"})
    assert (answer["outcome"], answer["effective_month"], answer["effective_on"]) == (
        "unchanged",
        "2026-09",
        "2026-10-03",
    )
    assert [mover["agency_id"] for mover in answer["preview"]["movers"]] == ["a"]


def test_refresh_before_the_first_month_only_checks(cloud: Cloud) -> None:
    assert cloud.rate({"mode": "refresh"})["outcome"] == "checked"
    assert cloud.items() == {}


# --- events and reports -----------------------------------------------------------------------------------------------


def sent(cloud: Cloud) -> list[dict[str, Any]]:
    """Every event that the outbox says was sent."""
    found: list[dict[str, Any]] = []
    for item in cloud.table.query("OUTBOX"):
        entry = outbox_entry_from(item)
        pages = [cloud.table.get(changes_key(entry.run, entry.replaced, page)) for page in range(entry.pages)]
        changes = [change for page in pages if page for change in json.loads(page["changes"]["S"])]
        found += list(events(entry, iter(changes)))[: int(item["sent"]["N"])]
    return found


def test_a_publication_sends_one_event_for_each_agency_whose_level_changed(cloud: Cloud) -> None:
    cloud.rate(MAY)
    cloud.put_month("2026-06", {"a": MIDDLE, "b": MIDDLE, "c": SMALL, "d": NONE})
    run = cloud.rate(JUNE)["run"]
    june = [event for event in sent(cloud) if event["detail"]["month"] == "2026-06"]
    assert [event["type"] for event in june] == ["LevelsPublished", "AgencyLevelChanged"]
    detail = june[1]["detail"]
    assert {k: detail[k] for k in ("run", "agency_id", "old_level", "new_level")} == {
        "run": run,
        "agency_id": "a",
        "old_level": 3,
        "new_level": 2,
    }


def test_every_publication_of_the_same_run_has_its_own_events_with_a_sequence(cloud: Cloud) -> None:
    first = cloud.rate(MAY)["run"]
    cloud.put_month("2026-05", {"a": SMALL})
    second = cloud.rate({"month": "2026-05"})["run"]
    for run in (first, second, first, second):
        cloud.rate({"rollback": run, **DECIDED})
    details = [event["detail"] for event in sent(cloud)]
    published = [detail for detail in details if "changed" in detail]
    assert [(detail["run"], detail["sequence"]) for detail in published] == list(
        zip((first, second) * 3, range(1, 7), strict=True)
    )
    assert len({detail["event_id"] for detail in details}) == len(details)


def test_names_from_extracts_are_escaped_in_the_report(cloud: Cloud) -> None:
    cloud.put("agencies", "2026-05", [("a", "<script>alert(1)</script>", "2025-01-01")])
    page = cloud.report(cloud.rate(MAY)["report"])
    assert "&lt;script&gt;" in page
    assert "<script" not in page
    assert "src=" not in page
    assert "href=" not in page


def test_the_json_report_has_inputs_quality_and_versions(cloud: Cloud) -> None:
    answer = cloud.rate(MAY)
    document = json.loads(cloud.report(answer["report"].replace(".html", ".json")))
    assert document["record"]["quality"]["order_rows"]["read"] == 4
    assert {i["dataset"] for i in document["record"]["inputs"]} == {"agencies", "creators", "orders"}
    assert document["code_version"]


def test_each_stage_writes_one_log_line_with_its_results(cloud: Cloud, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level("INFO", logger="rating")
    cloud.rate(MAY)
    lines = {line["stage"]: line for line in map(vars, caplog.records) if line["message"] == "stage done"}
    assert list(lines) == ["sheet", "recall", "measure", "rate", "stage", "publish"]
    assert all(line["seconds"] >= 0 and line["peak_memory_mb"] > 0 for line in lines.values())
    assert (lines["measure"]["orders"], lines["measure"]["quarantined"]) == (4, 0)
    assert lines["rate"]["agencies"] == 4
    assert lines["stage"]["items"] > 2


@pytest.mark.parametrize(("of_function", "of_engine"), [("1024", 512), ("3008", 1002), ("10240", 3413)])
def test_the_engine_gets_a_share_of_the_functions_memory(
    cloud: Cloud, monkeypatch: pytest.MonkeyPatch, of_function: str, of_engine: int
) -> None:
    limits: list[int] = []

    def seen(folder: Path, memory_limit: int) -> AbstractContextManager[DuckDB]:
        limits.append(memory_limit // 1024**2)
        return open_engine(folder, memory_limit)

    monkeypatch.setattr(measure, "open_engine", seen)
    handler(MAY, Context("rating", FUNCTION_SECONDS, memory_limit_in_mb=int(of_function)))
    assert limits == [of_engine]


@pytest.mark.parametrize("next_event", [MAY, {"mode": "refresh"}])
def test_a_crash_between_publishing_and_sending_loses_no_event(cloud: Cloud, next_event: dict[str, Any]) -> None:
    def crash(name: str) -> None:
        if name == "eventbridge.PutEvents":
            raise KeyboardInterrupt

    with on_each_call(crash), pytest.raises(KeyboardInterrupt):
        cloud.rate(MAY)
    assert sent(cloud) == []
    assert cloud.rate(next_event)["outcome"] == "unchanged"
    assert len(sent(cloud)) == 4


def test_bad_rows_of_a_published_month_are_stored_beside_its_report(cloud: Cloud) -> None:
    cloud.write_workbook(settings="setting,value\nmax_bad_row_share,0.5\n")
    cloud.put_month("2026-05", {"a": (5, 500_000), "b": (2, 10_000)})
    cloud.put_object("creators", "2026-05", "part-1.csv", b"creator_id,agency_id,bind_time,power_level\nx,a,soon,6\n")
    answer = cloud.rate({"month": "2026-05"})
    assert answer["outcome"] == "published"
    bucket, _, key = answer["report"].removeprefix("s3://").partition("/")
    packed = cloud.s3.get_object(Bucket=bucket, Key=key.replace("report.html", "quarantine.csv.gz"))["Body"].read()
    assert b"soon" in gzip.decompress(packed)


def test_an_item_that_only_the_next_publication_may_write_is_an_error_if_it_exists_already(cloud: Cloud) -> None:
    """It must not be taken for another publication that came first, or the run retries until its time is up."""
    cloud.rate(MAY)
    early = key("OUTBOX", f"{cloud.table.pointer().version + 1:010d}")
    copied = next(item for key, item in cloud.items().items() if key[0] == "OUTBOX")
    cloud.table.client.put_item(TableName="levels", Item={**copied, **early})
    before = cloud.items()
    cloud.put_month("2026-05", {"a": SMALL, "b": SMALL, "c": SMALL, "d": NONE})
    with pytest.raises(ItemInvalid, match=rf"item OUTBOX {early['sk']['S']} is there already"):
        cloud.rate({"month": "2026-05"})
    after = cloud.items()
    assert {key: after[key] for key in before} == before
