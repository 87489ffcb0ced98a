"""Commands such as make backfill for a deployed function: they send an event and read the result from the table."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from types import SimpleNamespace
from typing import Any

import boto3
import pytest
from moto import mock_aws

from local.commandline import UserMistake
from shared.errors import LevelsError, RunSuperseded
from shared.items import rating_key
from tests.cloud import Cloud, small_cloud
from tools import operate
from tools.following import Deployed


@pytest.fixture(scope="module")
def beginning(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cloud]:
    with small_cloud(tmp_path_factory.mktemp("cloud")) as cloud:
        cloud.put_month("2026-05", {"a": (5, 500_000), "b": (1, 0)})
        cloud.remember()
        yield cloud


@pytest.fixture
def cloud(beginning: Cloud) -> Cloud:
    return beginning.bring_back()


def operate_on(cloud: Cloud, *arguments: str) -> int:
    """The exit code of a command that uses this cloud's function."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(operate, "_asking_local", lambda port: cloud.rate)
        return operate.main(["--local", "3000", *arguments])


class Terminal:
    """A clock on which each pause takes a minute; it records what the command prints."""

    def __init__(self) -> None:
        self.minutes, self.printed = 0, list[str]()

    def sleep(self, _: float) -> None:
        self.minutes += 1

    def now(self) -> datetime:
        return datetime.now(UTC) + timedelta(minutes=self.minutes)


def deployed(cloud: Cloud, run: Callable[[dict[str, Any]], object]) -> tuple[Deployed, Terminal]:
    """The function as Lambda runs it for an event: the event is accepted at once, and the answer is lost."""

    def invoke(FunctionName: str, InvocationType: str, Payload: bytes) -> None:  # noqa: N803 - boto3's names
        assert (FunctionName, InvocationType) == ("levels-rating", "Event")
        with suppress(LevelsError):
            run(json.loads(Payload))

    client: Any = SimpleNamespace(invoke=invoke)
    terminal = Terminal()
    return Deployed(
        client, "levels-rating", cloud.table, "the-log", terminal.printed.append, terminal.sleep, terminal.now
    ), terminal


def test_a_month_is_rated_by_an_event_and_its_ledger_line_is_printed(cloud: Cloud) -> None:
    function, terminal = deployed(cloud, cloud.rate)
    answer = function.ask({"month": "2026-05"})
    assert (answer["outcome"], answer["agencies"]) == ("published", 2)
    (line,) = terminal.printed
    assert line.startswith("ledger: ")
    assert line.endswith(f"2026-05 published {answer['run']}")


def test_only_ledger_lines_of_this_request_are_printed(cloud: Cloud) -> None:
    function, terminal = deployed(cloud, cloud.rate)
    function.ask({"month": "2026-05"})
    assert function.ask({"month": "2026-05"})["outcome"] == "unchanged"
    assert len(terminal.printed) == 1


def test_a_refusal_is_raised_with_its_message(cloud: Cloud) -> None:
    function, _ = deployed(cloud, cloud.rate)
    with pytest.raises(UserMistake, match=r"^MonthNotOver: month 2099-01 ends at"):
        function.ask({"month": "2099-01"})


def test_after_20_minutes_without_an_answer_the_command_stops_and_names_the_log(cloud: Cloud) -> None:
    function, terminal = deployed(cloud, lambda event: None)
    with pytest.raises(UserMistake, match=r"no answer after 20 minutes.*the-log"):
        function.ask({"month": "2026-05"})
    assert terminal.minutes in (20, 21)


def test_a_function_that_does_not_exist_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in {"DEFAULT_REGION": "ap-east-1", "ACCESS_KEY_ID": "x", "SECRET_ACCESS_KEY": "x"}.items():
        monkeypatch.setenv(f"AWS_{name}", value)
    with mock_aws(), pytest.raises(UserMistake, match="no-such-rating: there is no such function in ap-east-1"):
        Deployed.find(boto3.Session(), "no-such-rating", lambda _: None)


def test_a_missing_region_and_missing_credentials_are_reported_together(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("PROFILE", "DEFAULT_REGION", "REGION", "ACCESS_KEY_ID", "SECRET_ACCESS_KEY"):
        monkeypatch.delenv(f"AWS_{name}", raising=False)
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", "/dev/null")
    monkeypatch.setenv("AWS_CONFIG_FILE", "/dev/null")
    with pytest.raises(
        UserMistake, match=r"AWS region: found none.*AWS_DEFAULT_REGION=(?s:.*)AWS credentials: found none"
    ):
        operate.main(["check"])


def test_a_command_repairs_a_damaged_month(cloud: Cloud) -> None:
    run = cloud.rate({"month": "2026-05"})["run"]
    whole = cloud.items()
    cloud.table.client.delete_item(TableName=cloud.table.name, Key=rating_key("a", "2026-05", run))
    assert operate_on(cloud, "verify", run) == 1
    assert operate_on(cloud, "repair", "2026-05") == 0
    assert whole.items() <= cloud.items().items()
    assert operate_on(cloud, "verify", run) == 0


def test_a_superseded_run_is_accepted_only_with_anyway(cloud: Cloud) -> None:
    cloud.write_workbook(settings="setting,value\nmax_changed_share,0.1\n")
    cloud.rate({"month": "2026-05"})
    cloud.put_month("2026-06", {"a": (0, 0), "b": (5, 500_000)})
    run = cloud.rate({"month": "2026-06"})["run"]
    cloud.put_month("2026-06", {"a": (1, 0), "b": (1, 0)})
    decision = ("accept", run, "--by", "Li", "--reason", "seen")
    with pytest.raises(RunSuperseded):
        operate_on(cloud, *decision)
    assert operate_on(cloud, *decision, "--anyway") == 0
    assert cloud.levels() == {"a": None, "b": 3}


def test_a_command_confirms_that_something_is_taken_away(cloud: Cloud) -> None:
    cloud.rate({"month": "2026-05"})
    shown = cloud.table.pointer().current().rulebook
    cloud.write_workbook(benefits="benefit,name,description,kind,1,2,3\ncontact,达人建联机构,,flag,,,TRUE\n")
    assert operate_on(cloud, "refresh") == 0
    assert cloud.table.pointer().current().rulebook == shown
    with pytest.raises(SystemExit):
        operate_on(cloud, "refresh", "--by", "Li")
    assert operate_on(cloud, "refresh", "--by", "Li", "--reason", "seen") == 0
    assert cloud.table.pointer().current().rulebook != shown
