"""Settings for all tests: no deadline for property tests, fixed examples on a machine that only checks."""

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

# Emulated clouds make many sessions; botocore reads its service files only once for all.
botocore.session.create_loader = cache(botocore.session.create_loader)

# The slowest files start first, so that no worker has one of them alone at the end.
LONGEST = (
    "test_pages",
    "test_deployed",
    "test_spark",
    "test_soak",
    "test_pages_story",
    "test_in_docker",
    "test_packages",
    "test_measure_reference",
    "test_demo",
    "test_crash",
    "test_measure_files",
    "test_aws_faults",
    "test_concurrent_runs",
    "test_rating_run",
    "test_verify",
    "test_throughput",
    "test_setup",
    "test_operations",
)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    items.sort(key=lambda item: LONGEST.index(item.path.stem) if item.path.stem in LONGEST else len(LONGEST))


@pytest.fixture(autouse=True)
def dimensions_of_one_stack() -> Iterator[None]:
    """A real function belongs to one stack; tests run several stacks in one process."""
    yield
    metrics.dimension_set.clear()
    metrics.default_dimensions.clear()
