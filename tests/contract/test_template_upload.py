"""An uploaded workbook: the template's rule matches S3's events about its bucket, and nothing else."""

from __future__ import annotations

import json
import re
from typing import Any

import pytest
from moto.events.models import EventPattern

from tests.contract.transformed import ROOT, properties
from tests.integration.test_workbook_in_s3 import uploaded
from tests.permissions import resolved


@pytest.mark.parametrize("workbook", ["s3://operations/levels/levels.xlsx", "s3://operations/book/"])
@pytest.mark.parametrize(
    ("event", "matches"),
    [
        (uploaded("levels/levels.xlsx", "operations"), True),
        (uploaded("levels.xlsx", "operations-2"), False),
        (uploaded("levels/levels.xlsx", "operations") | {"detail-type": "Object Deleted"}, False),
        (uploaded("levels/levels.xlsx", "operations") | {"source": "other"}, False),
    ],
    ids=["an upload", "of another bucket", "a deletion", "of another service"],
)
def test_the_rule_matches_uploads_into_the_bucket_of_the_workbook(
    workbook: str, event: dict[str, Any], *, matches: bool
) -> None:
    pattern = resolved(properties("WorkbookUploaded")["EventPattern"], {"Workbook": workbook})
    assert EventPattern.load(json.dumps(pattern)).matches_event(event) is matches  # type: ignore[arg-type, no-untyped-call, unused-ignore]


def test_the_guide_enables_versions_and_notifications_of_the_workbooks_bucket() -> None:
    guide = (ROOT / "docs" / "deploy.md").read_text(encoding="utf-8")
    section = guide.partition("### Without Google: a workbook in S3")[2].partition("\n## ")[0]
    commands = " ".join(re.sub(r"\\\n", " ", section).split())
    assert "put-bucket-versioning --bucket <bucket> --versioning-configuration Status=Enabled" in commands
    assert "put-bucket-notification-configuration --bucket <bucket>" in commands
    assert '{"EventBridgeConfiguration": {}}' in commands
