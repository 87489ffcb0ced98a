"""The built packages under Lambda's runtime interface with the embedded AWS: every event, without Docker."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import boto3
import pytest

from local.cloud.embedded import EXTRACTS, EmbeddedAws
from tests.e2e.conftest import (
    EVENTS,
    HANDLERS,
    RATING_EVENTS,
    Packages,
    api_events,
    assert_rated,
    assert_served,
    event,
    put_extracts,
)
from tests.e2e.emulated import Invoke, function


@pytest.fixture(scope="module")
def environment(aws: EmbeddedAws, extracts: Path) -> dict[str, str]:
    """The functions' environment as in the template, with the embedded AWS instead of the cloud."""
    s3 = boto3.client(
        "s3",
        endpoint_url=aws.endpoint,
        region_name="us-east-1",
        aws_access_key_id="e2e",
        aws_secret_access_key="e2e",
    )
    put_extracts(s3, EXTRACTS, extracts)
    return {**aws.environment(), "WORKBOOK": "dir:config/workbook", "POWERTOOLS_SERVICE_NAME": "e2e"}


@pytest.fixture(scope="module")
def rating(
    packages: Packages, environment: dict[str, str], tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Invoke]:
    log = tmp_path_factory.mktemp("rating") / "log"
    with function(packages.of("RatingFunction"), HANDLERS["RatingFunction"], environment, log) as invoke:
        yield invoke


@pytest.fixture(scope="module")
def lookup(
    packages: Packages, environment: dict[str, str], tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Invoke]:
    log = tmp_path_factory.mktemp("lookup") / "log"
    with function(packages.of("LookupFunction"), HANDLERS["LookupFunction"], environment, log) as invoke:
        yield invoke


@pytest.mark.parametrize("name", RATING_EVENTS)
def test_the_rating_function_does_what_its_events_ask_for(rating: Invoke, name: str) -> None:
    assert_rated(name, rating(event(name)))


@pytest.mark.parametrize("name", api_events())
def test_the_lookup_function_answers_its_events(rating: Invoke, lookup: Invoke, name: str) -> None:
    rating(event("monthly-run"))
    assert_served(name, lookup(event(name)))


def test_every_event_file_is_tested() -> None:
    assert {path.stem for path in EVENTS.glob("*.json")} == {*RATING_EVENTS, *api_events()}


def test_an_invalid_event_is_an_error_with_its_cause(rating: Invoke) -> None:
    answer = rating({"month": "October"})
    assert answer["errorType"]
    assert "October" in answer["errorMessage"]
