"""What the rating function says about a changed sheet before the change counts: in check, preview, refresh and run."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import UTC, datetime

import pytest

from functions.rating.publication import ledger
from shared.errors import WorkbookFaulty
from tests.cloud import WORKBOOK, Cloud, small_cloud
from tests.published import World

BIG, MIDDLE, SMALL, NONE = (5, 500_000), (2, 10_000), (1, 0), (0, 0)
MAY, JUNE = {"month": "2026-05"}, {"month": "2026-06"}
REFRESH = {"mode": "refresh"}
RAISED = WORKBOOK["thresholds"].replace(",3,1,5,5000", ",3,1,6,5000")
WITHOUT_CONTACT_AT_2 = WORKBOOK["benefits"].replace(",flag,,TRUE,TRUE", ",flag,,,TRUE")
RENAMED = WORKBOOK["levels"].replace("三级", "领航")


@pytest.fixture(scope="module")
def beginning(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cloud]:
    """The small cloud with May published: a has level 3, b has 2, c has 1, d is unrated."""
    with small_cloud(tmp_path_factory.mktemp("cloud")) as cloud:
        cloud.put_month("2026-05", {"a": BIG, "b": MIDDLE, "c": SMALL, "d": NONE})
        assert cloud.rate(MAY)["outcome"] == "published"
        cloud.remember()
        yield cloud


@pytest.fixture
def cloud(beginning: Cloud) -> Cloud:
    return beginning.bring_back()


@pytest.mark.parametrize("event", [{"mode": "check"}, REFRESH, {**MAY, "mode": "preview"}, {**MAY}])
def test_every_answer_about_the_sheet_names_the_changed_cell(cloud: Cloud, event: dict[str, str]) -> None:
    cloud.write_workbook(thresholds=RAISED)
    (change,) = cloud.rate(event)["changes"]
    assert (change["tab"], change["cell"], change["old"], change["new"]) == ("thresholds", "D6", "5", "6")
    assert change["what"]["zh"] == "3 级 · 通道 1 · 6级达人"
    assert (change["from_month"], change["past_months"]) == ("2026-06", ["2026-05"])


def test_answers_to_firings_name_the_changes_until_they_are_published(cloud: Cloud) -> None:
    cloud.write_workbook(thresholds=RAISED)
    cloud.put_month("2026-06", {"a": BIG, "b": MIDDLE, "c": SMALL, "d": NONE})
    june = {"scheduled_at": "2026-07-02T18:00:00Z"}
    first, again = cloud.rate(june), cloud.rate(june)
    assert [(answer["outcome"], [one["cell"] for one in answer["changes"]]) for answer in (first, again)] == [
        ("published", ["D6"]),
        ("unchanged", []),
    ]
    cloud.write_workbook(thresholds=WORKBOOK["thresholds"])
    (change,) = cloud.rate(june)["changes"]
    assert (change["old"], change["new"]) == ("6", "5")


def test_the_sheet_in_force_has_no_changes(cloud: Cloud) -> None:
    assert cloud.rate({"mode": "check"})["changes"] == []


def test_a_removed_benefit_waits_while_new_names_are_published(cloud: Cloud) -> None:
    cloud.write_workbook(levels=RENAMED, benefits=WITHOUT_CONTACT_AT_2)
    answer = cloud.rate(REFRESH)
    assert (answer["outcome"], answer["texts_published"]) == ("pending", True)
    assert [(c["cell"], c["takes_away"]) for c in answer["changes"] if c["effect"] == "waits"] == [("F2", True)]
    in_force = cloud.table.rulebook(cloud.table.pointer().current().rulebook)
    assert in_force.level(3).name == "领航"
    assert [grant.level for grant in in_force.benefits[0].grants] == [2, 3]
    again = cloud.rate(REFRESH)
    assert (again["outcome"], again["texts_published"]) == ("pending", False)


def test_a_confirmed_removal_is_published_and_the_ledger_says_who_confirmed_it(cloud: Cloud) -> None:
    cloud.write_workbook(benefits=WITHOUT_CONTACT_AT_2)
    answer = cloud.rate({**REFRESH, "by": "Li", "reason": "agreed with the agencies"})
    assert answer["outcome"] == "refreshed"
    in_force = cloud.table.rulebook(cloud.table.pointer().current().rulebook)
    assert [grant.level for grant in in_force.benefits[0].grants] == [3]
    line = list(ledger.entries(cloud.table, "2026-05"))[-1]
    assert (line.action, line.by, line.reason) == ("refreshed", "Li", "agreed with the agencies")
    assert cloud.rate(REFRESH)["outcome"] == "unchanged"


def test_a_removal_is_published_with_the_next_month(cloud: Cloud) -> None:
    cloud.write_workbook(benefits=WITHOUT_CONTACT_AT_2)
    cloud.put_month("2026-06", {"a": BIG, "b": MIDDLE, "c": SMALL, "d": NONE})
    assert cloud.rate(JUNE)["outcome"] == "published"
    assert cloud.rate(REFRESH)["outcome"] == "unchanged"


def test_a_removed_guardrail_is_pending_until_it_is_confirmed(cloud: Cloud) -> None:
    cloud.write_workbook(settings="setting,value\nmax_changed_share,0.3\n", levels=RENAMED)
    assert cloud.rate(REFRESH)["outcome"] == "refreshed"
    cloud.write_workbook(settings="setting,value\n", levels=RENAMED)
    assert cloud.rate(REFRESH)["outcome"] == "pending"
    cloud.rate({**REFRESH, "by": "Li", "reason": "no longer needed"})
    assert cloud.rate(REFRESH)["outcome"] == "unchanged"


def test_names_are_published_while_a_threshold_waits_for_its_month(cloud: Cloud) -> None:
    cloud.write_workbook(thresholds=RAISED, levels=RENAMED)
    answer = cloud.rate(REFRESH)
    assert (answer["outcome"], answer["texts_published"]) == ("pending", True)
    in_force = cloud.table.rulebook(cloud.table.pointer().current().rulebook)
    assert in_force.level(3).name == "领航"
    assert in_force.ladders[0].rung(3).channels[0].thresholds[1].required == 5


def test_every_prepared_ladder_is_tried_in_order(cloud: Cloud) -> None:
    def ladder(month: str, sixes: int) -> str:
        rows = WORKBOOK["thresholds"].splitlines()[1:]
        return "".join(f"{month}{row}\n" for row in rows).replace(",3,1,5,5000", f",3,1,{sixes},5000")

    cloud.write_workbook(thresholds=WORKBOOK["thresholds"] + ladder("2026-09", 6) + ladder("2026-12", 5))
    answer = cloud.rate(REFRESH)
    steps = [
        (step["effective_month"], [m["new_level"] for m in step["preview"]["movers"]]) for step in answer["prepared"]
    ]
    assert steps == [("2026-09", [2]), ("2026-12", [])]


def later(month: str, thresholds: str = RAISED) -> str:
    """The rows of a ladder from a later month on."""
    return "".join(f"{month}{row}\n" for row in thresholds.splitlines()[1:])


@pytest.mark.parametrize("event", [{"mode": "check"}, {**MAY, "mode": "preview"}, MAY, JUNE])
def test_every_answer_about_the_sheet_shows_what_is_prepared_and_who_would_move(
    cloud: Cloud, event: dict[str, str]
) -> None:
    cloud.write_workbook(thresholds=WORKBOOK["thresholds"] + later("2026-09"))
    cloud.put_month("2026-06", {"a": BIG, "b": MIDDLE, "c": SMALL, "d": NONE})
    (step,) = cloud.rate(event)["prepared"]
    assert (step["effective_month"], step["effective_on"]) == ("2026-09", "2026-10-03")
    assert [(mover["agency_id"], mover["new_level"]) for mover in step["preview"]["movers"]] == [("a", 2)]


def test_a_prepared_ladder_with_errors_is_a_warning_until_its_month(cloud: Cloud) -> None:
    """It blocks only its own month, and no preview is made of it."""
    cloud.write_workbook(thresholds=WORKBOOK["thresholds"] + later("2026-09"))
    assert cloud.rate(REFRESH)["outcome"] == "unchanged"
    cloud.write_workbook(thresholds=WORKBOOK["thresholds"] + later("2026-09").replace(",3,1,6,", ",3,1,six,"))
    cloud.put_month("2026-06", {"a": BIG, "b": MIDDLE, "c": SMALL, "d": NONE})
    answer = cloud.rate(JUNE)
    (fault,) = answer["faults"]
    assert (answer["outcome"], answer["prepared"]) == ("published", [])
    assert (fault["severity"], fault["code"], fault["cell"]) == ("warning", "not_whole", "D11")
    assert "2026-09" in fault["fix"]["en"]
    with pytest.raises(WorkbookFaulty):
        cloud.rate({"month": "2026-09", "mode": "preview"})


def test_a_sheet_with_an_error_shows_the_changes_of_its_other_rows(cloud: Cloud) -> None:
    cloud.write_workbook(
        thresholds=RAISED.replace(",1,1,", ",1,one,", 1), levels=RENAMED, benefits=WITHOUT_CONTACT_AT_2
    )
    answer = cloud.rate({"mode": "check"})
    assert not answer["valid"]
    assert [(change["tab"], change["cell"]) for change in answer["changes"]] == [("levels", "B4"), ("benefits", "F2")]
    for event in (REFRESH, JUNE):
        with pytest.raises(WorkbookFaulty) as raised:
            cloud.rate(event)
        assert [change["cell"] for change in raised.value.changes] == ["B4", "F2"]


def test_a_removed_override_is_pending_until_it_is_confirmed(cloud: Cloud) -> None:
    cloud.write_workbook(overrides=OVERRIDES.format("d"))
    cloud.put_month("2026-06", {"a": BIG, "b": MIDDLE, "c": SMALL, "d": NONE})
    assert cloud.rate(JUNE)["outcome"] == "published"
    cloud.write_workbook(overrides=OVERRIDES.splitlines()[0] + "\n")
    waiting = cloud.rate(REFRESH)
    assert (waiting["outcome"], waiting["effective_month"]) == ("pending", "2026-07")
    assert [(change["tab"], change["takes_away"]) for change in waiting["changes"]] == [("overrides", True)]
    assert [mover["agency_id"] for mover in waiting["preview"]["movers"]] == ["d"]
    assert cloud.rate({**REFRESH, "by": "Li", "reason": "the gala is off"})["outcome"] == "refreshed"
    line = list(ledger.entries(cloud.table, "2026-06"))[-1]
    assert (line.action, line.by, line.reason) == ("refreshed", "Li", "the gala is off")
    assert cloud.levels()["d"] == 3
    assert cloud.rate(REFRESH)["outcome"] == "unchanged"
    cloud.put_month("2026-07", {"a": BIG, "b": MIDDLE, "c": SMALL, "d": NONE})
    cloud.rate({"month": "2026-07"})
    assert cloud.levels()["d"] is None


def test_a_confirmed_removal_is_published_while_a_threshold_waits_for_its_month(cloud: Cloud) -> None:
    guarded = "setting,value\nmax_changed_share,0.3\n"
    cloud.write_workbook(settings=guarded)
    cloud.rate(REFRESH)
    cloud.put_month("2026-06", {"a": BIG, "b": MIDDLE, "c": SMALL, "d": NONE})
    assert cloud.rate(JUNE)["outcome"] == "published"
    cloud.write_workbook(settings="setting,value\n", thresholds=RAISED)
    answer = cloud.rate({**REFRESH, "by": "Li", "reason": "no longer needed"})
    assert answer["outcome"] == "pending"
    (change,) = cloud.rate(REFRESH)["changes"]
    assert (change["cell"], change["takes_away"]) == ("D6", False)


def test_a_ladder_with_fewer_levels_removes_levels_from_its_month_on(cloud: Cloud) -> None:
    """In check, run, report and lookup. Months published before keep their levels."""
    fewer = later("2026-06", WORKBOOK["thresholds"]).replace("2026-06,3,1,5,5000\n", "")
    cloud.write_workbook(thresholds=WORKBOOK["thresholds"] + fewer)
    checked = cloud.rate({"mode": "check"})
    assert (checked["valid"], {fault["code"] for fault in checked["faults"]}) == (True, {"ladder_smaller"})
    assert [(one["agency_id"], one["new_level"]) for one in checked["prepared"][0]["preview"]["movers"]] == [("a", 2)]
    cloud.put_month("2026-06", {"a": BIG, "b": MIDDLE, "c": SMALL, "d": NONE})
    answer = cloud.rate(JUNE)
    assert (answer["outcome"], answer["levels"]) == (
        "published",
        {"1": 1, "2": 2, "unrated": 1, "awaiting_first_rating": 0},
    )
    (mover,) = json.loads(cloud.report(answer["report"].replace(".html", ".json")))["moves"]["movers"]
    assert (mover["old_level"], mover["new_level"], mover["benefits_lost"]) == (3, 2, [])
    assert cloud.rate({"verify": answer["run"]})["outcome"] == "verified"
    ask = World(cloud.table).caller(now=lambda: datetime(2026, 7, 10, tzinfo=UTC))
    assert [level["level"] for level in ask.get("/v1/levels").json["levels"]] == [1, 2]
    assert [level["level"] for level in ask.get("/v1/levels?month=2026-05").json["levels"]] == [1, 2, 3]
    own = ask.get("/v1/agencies/a/level").json
    assert (own["level"], own["previous_level"], own["change"], own["next_level"]) == (2, 3, "down", None)
    assert [one["level"] for one in ask.get("/v1/agencies/a/history").json["items"]] == [2, 3]
    assert ask.get("/v1/agencies?level=3").status == 404


# --- published months -------------------------------------------------------------------------------------------------

DECIDED = {"by": "Li", "reason": "the thresholds of May were wrong"}


def test_a_published_month_with_other_thresholds_is_held_and_the_changed_cells_are_named(cloud: Cloud) -> None:
    cloud.write_workbook(thresholds=RAISED)
    answer = cloud.rate(MAY)
    assert answer["outcome"] == "held"
    assert "thresholds of a published month were changed: thresholds!D6" in answer["held_because"]
    assert cloud.levels() == {"a": 3, "b": 2, "c": 1, "d": None}
    assert "thresholds!D6" in cloud.report(answer["report"])
    again = cloud.rate(MAY)
    assert (again["outcome"], again["run"]) == ("held", answer["run"])


def test_a_held_month_with_other_thresholds_is_published_when_it_is_accepted(cloud: Cloud) -> None:
    cloud.write_workbook(thresholds=RAISED)
    run = cloud.rate(MAY)["run"]
    assert cloud.rate({"accept": run, **DECIDED})["outcome"] == "published"
    assert cloud.levels()["a"] == 2
    assert [line.action for line in ledger.entries(cloud.table, "2026-05")] == ["published", "held", "accepted"]


def test_thresholds_from_a_later_month_on_do_not_hold_a_published_month(cloud: Cloud) -> None:
    later = "".join(f"2026-06{row}\n" for row in RAISED.splitlines()[1:])
    cloud.write_workbook(thresholds=WORKBOOK["thresholds"] + later)
    cloud.put_month("2026-05", {"a": BIG, "b": BIG})
    assert cloud.rate(MAY)["outcome"] == "published"
    cloud.put_month("2026-06", {"a": BIG, "b": BIG})
    assert cloud.rate(JUNE)["outcome"] == "published"
    assert cloud.levels() == {"a": 2, "b": 2}


# --- previews ---------------------------------------------------------------------------------------------------------


def test_a_later_month_is_previewed_with_its_ladder_and_the_newest_measured_month(cloud: Cloud) -> None:
    later = "".join(f"2099-01{row}\n" for row in RAISED.splitlines()[1:])
    cloud.write_workbook(thresholds=WORKBOOK["thresholds"] + later)
    before = cloud.table.pointer()
    answer = cloud.rate({"month": "2099-02", "mode": "preview"})
    assert (answer["outcome"], answer["month"], answer["measured_month"]) == ("previewed", "2099-02", "2026-05")
    [mover] = answer["preview"]["movers"]
    assert (mover["agency_id"], mover["new_level"], mover["cause"]) == ("a", 2, None)
    assert mover["decided_by"]["metric"] == "six"
    assert (answer["levels"]["2"], answer["moves"]["down"]) == (2, 1)
    assert cloud.table.pointer() == before


def test_a_preview_of_a_published_month_is_compared_with_that_publication(cloud: Cloud) -> None:
    cloud.put_month("2026-06", {"a": SMALL, "b": MIDDLE, "c": SMALL, "d": NONE})
    cloud.rate(JUNE)
    answer = cloud.rate({**JUNE, "mode": "preview"})
    assert answer["moves"] == {"up": 0, "down": 0, "same": 4, "new": 0, "left": 0}
    assert answer["preview"]["movers"] == []


def test_the_deciding_metric_is_one_that_changed(cloud: Cloud) -> None:
    cloud.put_month("2026-06", {"a": (5, 400_000), "b": MIDDLE, "c": SMALL, "d": NONE})
    moves = json.loads(cloud.report(cloud.rate(JUNE)["report"].replace(".html", ".json")))["moves"]
    [mover] = moves["movers"]
    assert (mover["agency_id"], mover["channel"], mover["decided_by"]["metric"]) == ("a", 1, "gmv")


def test_an_override_that_ends_is_named_as_the_reason(cloud: Cloud) -> None:
    overrides = "agency_id,level,from_month,until_month,reason,approved_by\nc,3,2026-06,2026-06,gala,Lin\n"
    cloud.write_workbook(overrides=overrides)
    for month in ("2026-06", "2026-07"):
        cloud.put_month(month, {"a": BIG, "b": MIDDLE, "c": SMALL, "d": NONE})
    answers = [cloud.rate({"month": month}) for month in ("2026-06", "2026-07")]
    reports = [json.loads(cloud.report(answer["report"].replace(".html", ".json"))) for answer in answers]
    assert [report["moves"]["movers"][0]["cause"] for report in reports] == ["override", "override_ended"]


def test_the_report_counts_the_agencies_near_each_threshold(cloud: Cloud) -> None:
    report = json.loads(cloud.report(cloud.rate({**MAY, "mode": "preview"})["report"].replace(".html", ".json")))
    gmv = next(one for one in report["distributions"] if one["metric"] == "gmv")
    assert [(near["level"], near["required"], near["met_by"]) for near in gmv["thresholds"]] == [
        (1, 10_000, 2),
        (2, 10_000, 2),
        (2, 100_000, 1),
        (3, 500_000, 1),
    ]
    assert sum(one["agencies"] for one in gmv["bins"]) == gmv["agencies"] == 4


OVERRIDES = "agency_id,level,from_month,until_month,reason,approved_by\n{},3,2026-05,2026-12,gala,Lin\n"


@pytest.mark.parametrize("event", [{"mode": "check"}, REFRESH, MAY, JUNE])
def test_a_warning_about_an_override_of_an_unknown_agency_stays_until_it_is_corrected(
    cloud: Cloud, event: dict[str, str]
) -> None:
    """June has no extracts: a month that is not ready has its warnings too."""
    cloud.write_workbook(overrides=OVERRIDES.format("nobody"))
    (fault,) = cloud.rate(event)["faults"]
    assert (fault["code"], fault["tab"], fault["cell"]) == ("override_unknown_agency", "overrides", "A2")
    cloud.write_workbook(overrides=OVERRIDES.format("d"))
    assert cloud.rate({"mode": "check"})["faults"] == []


def test_a_month_that_is_not_ready_says_what_the_sheet_changes(cloud: Cloud) -> None:
    cloud.write_workbook(thresholds=RAISED)
    answer = cloud.rate(JUNE)
    assert (answer["outcome"], [change["cell"] for change in answer["changes"]]) == ("not_ready", ["D6"])
