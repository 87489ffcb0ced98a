"""A broken version of the lookup function raises the alarms that stop its roll-out; nothing else raises them."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from importlib import import_module, reload
from typing import Any

import pytest

from functions.lookup import contract
from functions.lookup.api import api, serving
from functions.lookup.authorization import PUBLIC
from functions.lookup.error_handlers import answer_refusals
from functions.lookup.publications import Snapshot
from functions.lookup.routing import Api
from shared.observability import metrics
from shared.settings import LookupSettings
from tests.cloudwatch import Alarm, Metrics
from tests.contract.transformed import properties
from tests.published import Caller, World, agency, empty_world

BEGINS = datetime(2026, 11, 20, 10, 0, tzinfo=UTC)
OLD, NEW = "7", "8"
HOSTILE = "x" * 3000


@pytest.fixture(scope="module")
def world() -> Iterator[World]:
    """One test damages agency C; the others do not read it."""
    with empty_world() as published:
        published.publish("2026-10", [agency("A", four=1), agency("B"), agency("C")])
        yield published


class Rollout:
    """An old and a new version, and the alarms on the new one."""

    def __init__(self, world: World, monkeypatch: pytest.MonkeyPatch, written: Callable[[], str]) -> None:
        self.world, self.monkeypatch, self.written = world, monkeypatch, written
        self.metrics = Metrics()

    def version(self, number: str, table: str | None = None, broken: Api | None = None) -> Caller:
        """A version as Lambda starts it, configured by its environment."""
        environment = {
            "AWS_DEFAULT_REGION": "cn-north-1",
            "AWS_ACCESS_KEY_ID": "x",
            "AWS_SECRET_ACCESS_KEY": "x",
            "AWS_LAMBDA_FUNCTION_VERSION": number,
            "POWERTOOLS_SERVICE_NAME": "lookup",
            "STACK": "levels",
            "TABLE_NAME": table or self.world.table.name,
        }
        for name, value in environment.items():
            self.monkeypatch.setenv(name, value)
        metrics.clear_default_dimensions()
        metrics.dimension_set.clear()  # a version has a process of its own, which reads its service's name at start
        self.monkeypatch.setattr(metrics, "service", environment["POWERTOOLS_SERVICE_NAME"])
        wiring = reload(import_module("functions.lookup.wiring"))
        if broken is None:
            return Caller(wiring.handler)
        return Caller(serving(wiring.services_from(LookupSettings.from_environment(environment)), broken))

    def raises(self, name: str) -> bool:
        """Whether an alarm on the new version is raised within five minutes of the requests so far."""
        self.metrics.read(self.written(), BEGINS + timedelta(seconds=30))
        declared = properties(name)
        known = {"Ref": {"AWS::StackName": "levels"}, "Fn::GetAtt": {"Version": NEW}}
        dimensions = {found["Name"]: _value(found["Value"], known) for found in declared["Dimensions"]}
        return bool(Alarm(declared, dimensions).raised(self.metrics, BEGINS, BEGINS + timedelta(minutes=5)))


def _value(declared: Any, known: dict[str, dict[str, str]]) -> str:
    """A dimension's value as CloudFormation resolves it."""
    if isinstance(declared, str):
        return declared
    if "Ref" in declared:
        return known["Ref"][declared["Ref"]]
    if "Fn::GetAtt" in declared:
        return known["Fn::GetAtt"][declared["Fn::GetAtt"][-1]]
    return str(declared["Fn::Sub"]).replace("${AWS::StackName}", known["Ref"]["AWS::StackName"])


@pytest.fixture
def rollout(world: World, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Rollout:
    return Rollout(world, monkeypatch, lambda: capsys.readouterr().out)


def test_a_good_version_raises_no_alarm(rollout: Rollout) -> None:
    assert rollout.version(NEW).get("/v1/agencies/A").status == 200
    assert not rollout.raises("LookupFaultsAlarm")


def test_a_version_that_needs_a_field_which_old_items_lack_raises_the_alarm(rollout: Rollout, world: World) -> None:
    (item,) = world.items_of("C")
    stored = json.loads(item["rating"]["S"])
    del stored["measured"]["name"]
    item["rating"]["S"] = json.dumps(stored)
    world.table.client.put_item(TableName=world.table.name, Item=item)
    assert rollout.version(NEW).get("/v1/agencies/C").status == 500
    assert rollout.raises("LookupFaultsAlarm")


def test_a_version_with_a_wrong_table_name_raises_the_alarm(rollout: Rollout) -> None:
    assert rollout.version(NEW, table="no-such-table").get("/v1/agencies/A").status == 503
    assert rollout.raises("LookupFaultsAlarm")


def test_a_version_with_a_bug_in_the_card_raises_the_alarm(rollout: Rollout) -> None:
    broken = Api()
    answer_refusals(broken)

    @broken.operation("GET", "/v1/agencies/<agency_id>", PUBLIC)
    def get_card(snapshot: Snapshot, agency_id: contract.AgencyId) -> contract.CardAnswer:
        """A card with a misspelt field."""
        return {"agency_id": agency_id, "month": snapshot.month, "nmae": "?"}  # type: ignore[typeddict-item]

    assert rollout.version(NEW, broken=broken).get("/v1/agencies/A").status == 500
    assert rollout.raises("LookupFaultsAlarm")


def test_faults_of_the_old_version_raise_no_alarm_on_the_new_one(rollout: Rollout) -> None:
    assert rollout.version(OLD, table="no-such-table").get("/v1/agencies/A").status == 503
    at = {"FunctionName": "levels-lookup", "Resource": "levels-lookup:live", "ExecutedVersion": OLD}
    rollout.metrics.put("AWS/Lambda", "Errors", at, BEGINS)  # a time-out
    assert not rollout.raises("LookupFaultsAlarm")
    assert not rollout.raises("LookupErrorsAlarm")


def test_a_time_out_of_the_new_version_raises_the_alarm_on_lambdas_own_metric(rollout: Rollout) -> None:
    at = {"FunctionName": "levels-lookup", "Resource": "levels-lookup:live", "ExecutedVersion": NEW}
    rollout.metrics.put("AWS/Lambda", "Errors", at, BEGINS)
    assert rollout.raises("LookupErrorsAlarm")


def test_faults_of_another_stack_raise_no_alarm(rollout: Rollout) -> None:
    rollout.metrics.put("mcn-levels", "Faults", {"stack": "levels-trial", "service": "lookup", "version": NEW}, BEGINS)
    assert not rollout.raises("LookupFaultsAlarm")


@pytest.mark.parametrize("operation", api.operations, ids=lambda operation: operation.name)
def test_no_request_of_a_client_counts_as_a_fault(operation: Any, rollout: Rollout) -> None:
    """Hostile ids, queries, bodies, headers and claims on every route are refused or answered, but never counted."""
    caller = rollout.version(NEW)
    for text in ("%00", HOSTILE, "ü", "../..", "null", "-1", "9" * 400, "{}"):
        path = operation.rule.replace("<agency_id>", text).replace("<level>", text).replace("<benefit>", text)
        for query in ("", f"?month={text}", f"?cursor={text}", f"?limit={text}&level={text}", "?=&&&month"):
            for more in ({}, {"body": text}, {"claims": {"agency_id": text}}, {"headers": {"if-none-match": text}}):
                assert caller.ask(operation.method, path + query, **more).status < 500
    assert not rollout.raises("LookupFaultsAlarm")
    assert "Faults" not in rollout.metrics.names()


def test_a_stack_without_publications_raises_no_alarm(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    with empty_world() as unpublished:
        rollout = Rollout(unpublished, monkeypatch, lambda: capsys.readouterr().out)
        assert rollout.version(NEW).get("/v1/agencies/A").status == 503
        assert not rollout.raises("LookupFaultsAlarm")
