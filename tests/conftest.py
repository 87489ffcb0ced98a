"""What holds for all tests: property tests take the time they need; a machine that only checks tries nothing new."""

from __future__ import annotations

import os
from collections.abc import Iterator
from functools import cache

import botocore.session
import pytest
from hypothesis import settings

from shared.observability import metrics

settings.register_profile("default", deadline=None)
settings.register_profile("ci", deadline=None, derandomize=True)
settings.load_profile("ci" if os.environ.get("CI") else "default")

# Sessions come and go with emulated clouds; what botocore reads of each service is read once.
botocore.session.create_loader = cache(botocore.session.create_loader)

# Files whose tests take longest are begun first, so that no worker is left with one of them at the end.
LONGEST = (
    "test_pages",
    "test_deployed",
    "test_spark",
    "test_soak",
    "test_pages_story",
    "test_in_docker",
    "test_packages",
    "test_measure_reference",
    "test_crash",
    "test_demo",
    "test_aws_faults",
    "test_concurrent_runs",
    "test_rating_run",
    "test_verify",
    "test_measure_files",
    "test_operations",
    "test_time_runs_out",
)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    items.sort(key=lambda item: LONGEST.index(item.path.stem) if item.path.stem in LONGEST else len(LONGEST))


@pytest.fixture(autouse=True)
def dimensions_of_one_stack() -> Iterator[None]:
    """A function belongs to one stack; tests stand for several in one process."""
    yield
    metrics.dimension_set.clear()
    metrics.default_dimensions.clear()
