"""`sam local` with the built packages in Lambda's base image. Skipped without Docker or the image."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
import requests

from local.cloud import containers
from tests.e2e.conftest import EVENTS, RATING_EVENTS, ROOT, Packages, api_events, assert_rated, assert_served
from tests.e2e.processes import accepts, free_port, running

ROUTES = (
    "/v1/agencies/A-0001",
    "/v1/agencies?level=1",
    "/v1/levels",
    "/v1/levels/1",
    "/v1/benefits",
    "/v1/publication",
    "/v1/agencies/A-0001/level",
    "/v1/agencies/A-0001/history",
    "/v1/agencies/A-0001/benefits",
    "/v1/agencies/A-0001/binding-slots",
    "/healthz",
)


@pytest.fixture(scope="module", autouse=True)
def embedded_aws_in_a_container() -> Iterator[None]:
    try:
        containers.require_docker()
    except containers.Unusable as missing:
        pytest.skip(f"needs Docker: {missing}")
    containers.stop()
    containers.start()
    yield
    containers.stop()


@pytest.fixture(scope="module")
def published(packages: Packages) -> None:
    containers.invoke(EVENTS / "monthly-run.json", packages.folder)


@pytest.mark.parametrize("name", RATING_EVENTS)
def test_the_rating_function_does_what_its_events_ask_for(packages: Packages, name: str) -> None:
    assert_rated(name, containers.invoke(EVENTS / f"{name}.json", packages.folder))


@pytest.mark.usefixtures("published")
@pytest.mark.parametrize("name", api_events())
def test_the_lookup_function_answers_its_events(packages: Packages, name: str) -> None:
    assert_served(name, containers.invoke(EVENTS / f"{name}.json", packages.folder))


def test_an_error_of_a_handler_is_noticed_although_sam_exits_with_0(packages: Packages, tmp_path: Path) -> None:
    event = tmp_path / "nonsense.json"
    event.write_text('{"month": "October"}', encoding="utf-8")
    answer = containers.invoke(event, packages.folder)
    assert containers.failed(answer)
    assert "October" in answer["errorMessage"]


@pytest.mark.usefixtures("published")
def test_the_local_api_answers_every_route(packages: Packages, tmp_path: Path) -> None:
    port = free_port()
    start = ("start-api", "--port", str(port), "--warm-containers", "LAZY")
    with (
        containers.sam_local(packages.folder, *start) as (command, environment),
        running(command, environment, ROOT, tmp_path / "log", lambda: accepts(port)),
    ):
        api = f"http://127.0.0.1:{port}"
        answers = {route: requests.get(api + route, timeout=120) for route in ROUTES}
        batch = requests.post(f"{api}/v1/agencies/batch", json={"agency_ids": ["A-0001"]}, timeout=120)
        nothing = requests.get(f"{api}/v1/nothing", timeout=120)
    assert {route: answer.status_code for route, answer in answers.items()} == dict.fromkeys(ROUTES, 200)
    assert [card["agency_id"] for card in batch.json()["items"]] == ["A-0001"]
    assert (nothing.status_code, nothing.json()["type"]) == (404, "urn:problem-type:mcn-levels:unknown-route")
