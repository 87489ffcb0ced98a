"""The console's function, together with the real rating function."""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest
import requests

from functions.rating.workbook.folder import Folder
from shared.errors import TooManyBadRows
from shared.tickets import keep_check
from tests.cloud import REPORTS, WORKBOOK, Cloud, small_cloud
from tests.operating import WANG, Console

STRICT = "setting,value,note\nmax_downgraded_share,0.1,\n"
APRIL = {"a": (5, 500_000), "b": (3, 20_000), "c": (2, 10_000)}
MAY = {"a": (1, 100), "b": (3, 20_000), "c": (2, 10_000)}


@pytest.fixture(scope="module")
def april(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cloud]:
    """April is published."""
    with small_cloud(tmp_path_factory.mktemp("cloud")) as cloud:
        cloud.write_workbook(settings=STRICT)
        cloud.put_month("2026-04", APRIL)
        cloud.rate({"month": "2026-04"})
        cloud.remember()
        yield cloud


@pytest.fixture(scope="module")
def may(april: Cloud) -> str:
    """The run of May, which is held because one of three agencies is downgraded."""
    april.bring_back().put_month("2026-05", MAY)
    answer = april.rate({"month": "2026-05"})
    assert answer["outcome"] == "held"
    april.remember("May is held")
    return str(answer["run"])


@pytest.fixture
def cloud(april: Cloud) -> Cloud:
    return april.bring_back()


@pytest.fixture
def console(cloud: Cloud) -> Console:
    return Console(cloud)


@pytest.fixture
def held(cloud: Cloud, may: str) -> str:
    """The run of May; the cloud is brought back to the state in which it is held."""
    cloud.bring_back("May is held")
    return may


def decision(console: Console, **more: Any) -> dict[str, Any]:
    return {"reason": "checked", "month": "2026-05", "pointer": console.get("months")["pointer"], **more}


def test_each_month_has_its_state_and_its_missing_datasets(console: Console, cloud: Cloud) -> None:
    console.now += timedelta(days=31)  # July: May has no extracts, June neither
    cloud.put("agencies", "2026-05", [])
    months = console.get("months")
    assert [(month["month"], month["state"], month["missing"]) for month in months["items"]] == [
        ("2026-06", "waiting_for_extracts", ["agencies", "creators", "orders"]),
        ("2026-05", "waiting_for_extracts", ["creators", "orders"]),
        ("2026-04", "published", []),
    ]
    assert [month["overdue"] for month in months["items"]] == [True, True, False]
    assert months["next_renewal_on"] == "2026-08-03"


def test_a_month_is_not_overdue_on_the_day_of_its_renewal_before_the_renewal(console: Console) -> None:
    months = console.get("months")
    assert (months["items"][0]["month"], months["items"][0]["overdue"]) == ("2026-05", False)
    assert months["next_renewal_on"] == "2026-06-03"


def test_a_complete_month_that_is_not_rated_is_ready(console: Console, cloud: Cloud) -> None:
    cloud.put_month("2026-05", MAY)
    assert console.get("months")["items"][0]["state"] == "ready"


def test_a_month_that_the_spark_job_measures_is_measuring(console: Console, cloud: Cloud) -> None:
    cloud.put_month("2026-05", MAY)
    keep_check(cloud.table, {"outcome": "measuring", "month": "2026-05", "faults": [], "changes": []})
    assert console.get("months")["items"][0]["state"] == "measuring"


def test_a_held_run_is_shown_with_everything_that_a_decision_needs(console: Console, held: str) -> None:
    month = console.get("months")["items"][0]
    assert (month["state"], month["held"], month["valid"]) == ("held", [held], None)

    report = console.get(f"runs/{held}")

    assert (report["standing"], report["month"], report["compared_with_month"]) == ("held", "2026-05", "2026-04")
    (limit,) = report["guardrails"]
    assert (limit["name"], limit["exceeded"]) == ("max_downgraded_share", True)
    assert {(cell["before"], cell["after"]): cell["agencies"] for cell in report["matrix"]}[("3", "1")] == 1
    (mover,) = report["movers"]
    assert (mover["agency_id"], mover["old_level"], mover["new_level"]) == ("a", 3, 1)
    assert mover["decided_by"] == {"metric": "gmv", "required": "5000.00", "actual": "1.00", "share": 0.0002}
    assert mover["benefits_lost"] == ["达人建联机构"]
    assert report["level_names"] == {"1": "一级", "2": "二级", "3": "三级"}


def test_each_metric_has_its_thresholds_and_a_histogram_of_all_agencies(console: Console, held: str) -> None:
    report = console.get(f"runs/{held}")
    gmv = next(one for one in report["distributions"] if one["metric"] == "gmv")
    assert sum(each["agencies"] for each in gmv["bins"]) == gmv["agencies"] == 3
    assert [(each["at_least"], each["below"], each["agencies"]) for each in gmv["bins"]][:2] == [
        ("1.00", "2.00", 1),
        ("2.00", "5.00", 0),
    ]
    seen = {(one["level"], one["channel"]): one for one in gmv["thresholds"]}
    assert (seen[(2, 1)]["required"], seen[(2, 1)]["met_by"]) == ("100.00", 2)
    assert seen[(2, 1)]["near"] == [
        {"percent": 5, "agencies": 1, "below": 0, "at_or_above": 1},
        {"percent": 10, "agencies": 1, "below": 0, "at_or_above": 1},
    ]


def test_an_accepted_run_is_published_in_the_name_of_the_tokens_owner(
    console: Console, cloud: Cloud, held: str
) -> None:
    answer = console.ask("POST", f"/v1/operations/runs/{held}/accept", decision(console, reason=" new rules "))
    assert answer.status == 202
    assert console.get(answer.json["poll"].removeprefix("/v1/operations/"))["state"] == "asked"

    console.work()

    done = console.get(f"tickets/{answer.json['ticket']}")
    assert (done["state"], done["answer"]["outcome"]) == ("done", "published")
    assert cloud.levels() == {"a": 1, "b": 2, "c": 2}
    line = console.get("ledger?month=2026-05")["items"][0]
    assert (line["action"], line["by"], line["reason"]) == ("accepted", "li.hua@example.com", "new rules")


def test_a_double_click_is_one_decision(console: Console, held: str) -> None:
    body = decision(console)
    first, second = (console.ask("POST", f"/v1/operations/runs/{held}/accept", body) for _ in range(2))
    assert first.status == second.status == 202
    assert first.json["ticket"] == second.json["ticket"]
    assert len(console.asked) == 1


def test_of_two_operators_the_second_is_refused_with_the_name_of_the_first(console: Console, held: str) -> None:
    body = decision(console)
    assert console.ask("POST", f"/v1/operations/runs/{held}/accept", body).status == 202
    second = console.ask("POST", f"/v1/operations/runs/{held}/accept", body, WANG)
    assert second.status == 409
    assert "li.hua@example.com" in second.json["detail_zh"]
    assert len(console.asked) == 1


def test_a_decision_from_an_outdated_page_is_refused(console: Console, held: str) -> None:
    body = decision(console)
    console.ask("POST", f"/v1/operations/runs/{held}/accept", body)
    console.work()
    april = console.get("runs?month=2026-04")["items"][0]["run"]

    late = console.ask("POST", f"/v1/operations/runs/{april}/rollback", {**body, "month": "2026-04"})

    assert (late.status, late.json["type"]) == (409, "urn:problem-type:mcn-levels:stale-page")
    assert late.json["pointer"] == body["pointer"] + 1
    assert console.asked == []


def test_a_decision_needs_the_right_month_and_a_held_run(console: Console, held: str) -> None:
    april = console.get("runs?month=2026-04")["items"][0]["run"]
    for run, month in ((held, "2026-04"), (april, "2026-04")):
        refused = console.ask("POST", f"/v1/operations/runs/{run}/accept", decision(console, month=month))
        assert refused.status == 409
    assert console.asked == []


def test_a_rollback_restores_the_earlier_levels(console: Console, cloud: Cloud) -> None:
    april = console.get("runs?month=2026-04")["items"][0]["run"]
    cloud.put_month("2026-04", {**APRIL, "d": (9, 900_000)})
    restated = cloud.rate({"month": "2026-04"})
    assert restated["outcome"] == "published"
    assert "d" in cloud.levels()

    answer = console.ask("POST", f"/v1/operations/runs/{april}/rollback", decision(console, month="2026-04"))
    console.work()

    assert console.get(f"tickets/{answer.json['ticket']}")["answer"]["outcome"] == "rolled_back"
    assert "d" not in cloud.levels()
    standings = {line["run"]: line["standing"] for line in console.get("runs?month=2026-04")["items"]}
    assert standings == {april: "valid", restated["run"]: "replaced"}


def test_a_decision_without_a_name_is_refused(console: Console, held: str) -> None:
    answer = console.ask("POST", f"/v1/operations/runs/{held}/accept", decision(console), {"scope": "levels.operate"})
    assert answer.status == 403


def test_a_body_that_is_a_list_is_refused(console: Console, held: str) -> None:
    """Powertools would use the first element of a list as the body."""
    bodies: list[list[Any]] = [[decision(console, month="2026-05")], [{}], []]
    for path in ("checks", "previews", "refresh", f"runs/{held}/accept", f"runs/{held}/rollback"):
        for body in bodies:
            answer = console.ask("POST", f"/v1/operations/{path}", body)
            assert answer.status == 400, path
            assert answer.json["type"].endswith("malformed-body"), answer.json


def test_a_check_shows_faults_with_their_cells(console: Console, cloud: Cloud) -> None:
    assert console.get("workbook")["outcome"] == "published"
    cloud.write_workbook(settings=STRICT, thresholds="effective_month,level,channel,six,gmv\n,1,1,one,\n")
    ticket = console.ask("POST", "/v1/operations/checks", {}).json["ticket"]
    console.work()
    assert console.get(f"tickets/{ticket}")["state"] in ("done", "failed")
    fault = next(fault for fault in console.get("workbook")["faults"] if "one" in fault["found"])
    assert (fault["severity"], fault["cell"]) == ("error", "D2")
    assert fault["fix"]["zh"]
    assert fault["link"] is None


def test_cells_have_links_if_their_tabs_have_addresses(
    console: Console, cloud: Cloud, monkeypatch: pytest.MonkeyPatch
) -> None:
    address = "https://docs.google.com/spreadsheets/d/the-key/edit#gid=7"
    monkeypatch.setattr(Folder, "addresses", lambda _: {"thresholds": address})
    cloud.write_workbook(settings=STRICT, thresholds="effective_month,level,channel,six,gmv\n,1,1,one,\n")
    console.ask("POST", "/v1/operations/checks", {})
    console.work()
    links = {(fault["tab"], fault["cell"]): fault["link"] for fault in console.get("workbook")["faults"]}
    assert links["thresholds", "D2"] == f"{address}&range=D2"


def test_a_removed_benefit_waits_until_somebody_confirms_the_changes_of_the_last_check(
    console: Console, cloud: Cloud
) -> None:
    cloud.write_workbook(settings=STRICT, benefits="benefit,name,description,kind,1,2,3\ncontact,联系,,flag,,,TRUE\n")
    console.ask("POST", "/v1/operations/checks", {})
    console.work()
    checked = console.get("workbook")
    assert [change["cell"] for change in checked["changes"] if change["takes_away"]] == ["F2"]
    seen = {"reason": "agreed", "pointer": console.get("months")["pointer"], "checked_at": checked["at"]}

    stale = console.ask("POST", "/v1/operations/refresh", {**seen, "checked_at": "2026-01-01T00:00:00Z"})
    assert (stale.status, stale.json["type"]) == (409, "urn:problem-type:mcn-levels:stale-page")
    assert console.ask("POST", "/v1/operations/refresh", {**seen, "pointer": 99}).status == 409
    first, again = (console.ask("POST", "/v1/operations/refresh", seen) for _ in range(2))
    assert first.json["ticket"] == again.json["ticket"]
    assert console.ask("POST", "/v1/operations/refresh", seen, WANG).status == 409
    assert len(console.asked) == 1
    console.work()

    assert console.get(f"tickets/{first.json['ticket']}")["answer"]["outcome"] == "refreshed"
    line = console.get("ledger?month=2026-04")["items"][0]
    assert (line["action"], line["by"], line["reason"]) == ("refreshed", "li.hua@example.com", "agreed")


def test_an_edit_after_the_confirmation_is_not_published(console: Console, cloud: Cloud) -> None:
    less = "benefit,name,description,kind,1,2,3\ncontact,联系,,flag,,,TRUE\n"
    cloud.write_workbook(settings=STRICT, benefits=less)
    console.ask("POST", "/v1/operations/checks", {})
    console.work()
    seen = {"reason": "agreed", "pointer": console.get("months")["pointer"]}
    first = {**seen, "checked_at": console.get("workbook")["at"]}
    ticket = console.ask("POST", "/v1/operations/refresh", first).json["ticket"]
    cloud.write_workbook(settings=STRICT, benefits=less.replace("TRUE", ""))
    console.now += timedelta(minutes=1)
    console.work()

    failed = console.get(f"tickets/{ticket}")
    assert (failed["state"], failed["answer"]["error"]) == ("failed", "ChangesUnseen")
    assert "benefits!G2 ✓ → –" in failed["answer"]["message"]
    assert "重新查看改动" in failed["answer"]["message_zh"]
    assert [line["action"] for line in console.get("ledger?month=2026-04")["items"]] == ["published"]

    now = console.get("workbook")
    assert [change["cell"] for change in now["changes"] if change["takes_away"]] == ["F2", "G2"]
    again = console.ask("POST", "/v1/operations/refresh", {**seen, "checked_at": now["at"]}).json["ticket"]
    console.work()
    assert console.get(f"tickets/{again}")["answer"]["outcome"] == "refreshed"


def test_a_held_run_whose_extracts_have_changed_is_accepted_only_with_anyway(
    console: Console, cloud: Cloud, held: str
) -> None:
    cloud.put_month("2026-05", {**MAY, "d": (9, 900_000)})
    ticket = console.ask("POST", f"/v1/operations/runs/{held}/accept", decision(console)).json["ticket"]
    console.work()
    failed = console.get(f"tickets/{ticket}")
    assert (failed["state"], failed["answer"]["error"]) == ("failed", "RunSuperseded")
    assert failed["answer"]["message_zh"]

    console.ask("POST", f"/v1/operations/runs/{held}/accept", decision(console, anyway=True))
    console.work()

    done = console.get(f"tickets/{ticket}")
    assert (done["state"], done["answer"]["outcome"]) == ("done", "published")


def test_the_files_of_a_run_can_be_read_by_their_links(console: Console, held: str) -> None:
    (line,) = console.get("runs?month=2026-05")["items"]
    assert (line["run"], [file["name"] for file in line["files"]]) == (held, ["report.html", "report.json"])
    page = requests.get(line["files"][0]["link"], timeout=10)
    assert page.status_code == 200
    assert held in page.text


def test_a_run_that_stopped_because_of_its_data_is_listed_with_its_report(console: Console, cloud: Cloud) -> None:
    bad = "".join(f"o-{i},a-0,yesterday,100,\n" for i in range(50))
    cloud.put_month("2026-05", MAY)
    cloud.put_object(
        "orders", "2026-05", "bad.csv", f"order_id,creator_id,pay_time,pay_amount,risk_tag\n{bad}".encode()
    )
    with pytest.raises(TooManyBadRows):
        cloud.rate({"month": "2026-05"})
    (line,) = console.get("runs?month=2026-05")["items"]
    assert line["standing"] == "stopped"
    assert line["files"][0]["name"] == "report.html"


def test_a_preview_publishes_nothing_and_has_a_report(console: Console, cloud: Cloud, held: str) -> None:
    ticket = console.ask("POST", "/v1/operations/previews", {"month": "2026-05"}).json["ticket"]
    console.work()
    done = console.get(f"tickets/{ticket}")
    assert (done["state"], done["answer"]["outcome"]) == ("done", "previewed")
    report = console.get(f"runs/{done['answer']['run']}?month=2026-05&preview=true")
    assert (report["preview"], report["standing"]) == (True, "preview")
    assert max(cloud.table.pointer().publications) == "2026-04"


def test_a_failed_request_says_why_and_can_be_repeated(console: Console, cloud: Cloud) -> None:
    request = {"month": "2031-01"}
    cloud.write_workbook(levels="level,name\n1,一级\n")
    ticket = console.ask("POST", "/v1/operations/previews", request).json["ticket"]
    console.work()
    failed = console.get(f"tickets/{ticket}")
    assert (failed["state"], failed["answer"]["error"]) == ("failed", "WorkbookFaulty")
    assert console.ask("POST", "/v1/operations/previews", request).json["state"] == "asked"
    assert len(console.asked) == 1


def test_a_request_without_an_answer_fails_after_20_minutes(console: Console) -> None:
    ticket = console.ask("POST", "/v1/operations/checks", {}).json["ticket"]
    assert console.get(f"tickets/{ticket}")["state"] == "asked"
    console.now += timedelta(minutes=21)
    assert console.get(f"tickets/{ticket}")["state"] == "failed"


def test_an_uploaded_workbook_replaces_the_one_before(console: Console, cloud: Cloud) -> None:
    console.workbook = f"s3://{REPORTS}/rules/levels.xlsx"
    assert console.get("months")["upload"] is True
    assert console.get("workbook")["stored"] is None
    assert console.ask("POST", "/v1/operations/workbook", uploaded(b"PK\x03\x04 1", replaces=None)).status == 202
    console.now += timedelta(minutes=1)
    stored = console.get("workbook")["stored"]
    assert stored["by"] == "li.hua@example.com"
    second = uploaded(b"PK\x03\x04 2", replaces=stored["etag"])
    assert console.ask("POST", "/v1/operations/workbook", second, WANG).status == 202
    assert cloud.s3.get_object(Bucket=REPORTS, Key="rules/levels.xlsx")["Body"].read() == b"PK\x03\x04 2"
    assert [event["mode"] for event in console.asked] == ["check", "check"]


def test_an_upload_does_not_replace_a_workbook_that_the_operator_has_not_seen(console: Console, cloud: Cloud) -> None:
    console.workbook = f"s3://{REPORTS}/rules/levels.xlsx"
    first = uploaded(b"PK\x03\x04 1", replaces=None)
    assert console.ask("POST", "/v1/operations/workbook", first, WANG).status == 202
    for replaces in (None, "0" * 32):
        late = console.ask("POST", "/v1/operations/workbook", uploaded(b"PK\x03\x04 2", replaces))
        assert (late.status, late.json["type"]) == (409, "urn:problem-type:mcn-levels:stale-page")
        assert "wang.min@example.com" in late.json["detail_zh"]
    assert cloud.s3.get_object(Bucket=REPORTS, Key="rules/levels.xlsx")["Body"].read() == b"PK\x03\x04 1"


def uploaded(content: bytes, replaces: str | None) -> dict[str, Any]:
    return {"content": b64encode(content).decode(), "replaces": replaces}


def test_a_file_that_is_not_a_workbook_is_not_stored(console: Console) -> None:
    console.workbook = f"s3://{REPORTS}/rules/levels.xlsx"
    for content in (b64encode(b"<html>").decode(), "not base64!!"):
        body = {"content": content, "replaces": None}
        assert console.ask("POST", "/v1/operations/workbook", body).status == 422
    console.workbook = "gsheet:key"
    not_in_s3 = console.ask("POST", "/v1/operations/workbook", uploaded(b"PK\x03\x04", replaces=None))
    assert not_in_s3.status == 409


@pytest.mark.parametrize(
    ("path", "status"),
    [
        ("runs/5f0c9a7be13d24680ace", 404),
        ("runs/5f0c9a7be13d24680ace?month=2026-04", 404),
        ("runs/..%2F..%2Fsecret", 422),
        ("runs/POINTER", 422),
        ("runs?month=2026-13", 422),
        ("runs", 422),
        ("ledger?month=../..", 422),
        ("tickets/5f0c9a7be13d24680ace", 404),
        ("tickets/x", 422),
        ("nothing", 404),
    ],
)
def test_hostile_and_unknown_ids_are_refused_in_both_languages(console: Console, path: str, status: int) -> None:
    answer = console.ask("GET", f"/v1/operations/{path}")
    assert answer.status == status, answer.text
    assert answer.headers["Content-Type"] == "application/problem+json"
    assert answer.json["detail"]
    assert answer.json["detail_zh"]


@pytest.mark.parametrize(
    "body", ["", "{", "[]", '"x"', "null", "{}", '{"reason":"x","month":"2026-05","pointer":"1x"}']
)
def test_a_body_without_a_valid_decision_is_refused(console: Console, held: str, body: str) -> None:
    answer = console.ask("POST", f"/v1/operations/runs/{held}/accept", body)
    assert answer.status in (400, 422), answer.text
    assert console.asked == []


def test_a_rating_run_does_not_write_the_ticket_that_its_event_names(cloud: Cloud) -> None:
    assert cloud.rate({"mode": "check", "ticket": "5f0c9a7be13d24680ace"})["outcome"] == "checked"
    assert ("TICKET#5f0c9a7be13d24680ace", "TICKET") not in cloud.items()


def test_a_future_month_shows_what_is_prepared_for_it_and_its_preview_shows_the_same(
    console: Console, cloud: Cloud
) -> None:
    """From January on, level 3 asks for six creators, and one agency has five."""
    later = "".join(f"2027-01{row}\n" for row in WORKBOOK["thresholds"].splitlines()[1:])
    cloud.write_workbook(
        settings=STRICT, thresholds=WORKBOOK["thresholds"] + later.replace(",3,1,5,5000", ",3,1,6,5000")
    )
    assert console.get("workbook")["prepared"] == []
    console.ask("POST", "/v1/operations/checks", {})
    console.work()
    (prepared,) = console.get("workbook")["prepared"]
    assert (prepared["month"], prepared["due_on"], prepared["measured_month"]) == ("2027-01", "2027-02-03", "2026-04")
    assert (prepared["moves"]["down"], prepared["moves"]["up"], prepared["moving"]) == (1, 0, 1)
    (mover,) = prepared["movers"]
    assert (mover["agency_id"], mover["old_level"], mover["new_level"]) == ("a", 3, 2)
    assert (mover["decided_by"]["required"], mover["decided_by"]["actual"]) == (6, 5)
    assert {"before": "3", "after": "2", "agencies": 1} in prepared["matrix"]

    ticket = console.ask("POST", "/v1/operations/previews", {"month": "2027-01"}).json["ticket"]
    console.work()
    done = console.get(f"tickets/{ticket}")
    assert (done["answer"]["outcome"], done["answer"]["run"]) == ("previewed", None)
    assert done["to_come"] == prepared
