"""An uploaded workbook: the rule of the template lets in what S3 sends of its bucket, and nothing else."""

from __future__ import annotations

import json
import re
from typing import Any

import pytest
from moto.events.models import EventPattern

from tests.contract.transformed import ROOT, properties
from tests.integration.test_workbook_in_s3 import uploaded


def resolved(value: Any, workbook: str) -> Any:
    """A value of the template as CloudFormation resolves it where the parameter Workbook is this one."""
    match value:
        case {"Fn::Select": [index, of]}:
            return resolved(of, workbook)[int(index)]
        case {"Fn::Split": [separator, of]}:
            return resolved(of, workbook).split(separator)
        case {"Fn::Sub": str(text)}:
            return text.replace("${Workbook}", workbook)
        case dict():
            return {name: resolved(of, workbook) for name, of in value.items()}
        case list():
            return [resolved(of, workbook) for of in value]
    return value


@pytest.mark.parametrize("workbook", ["s3://operations/levels/levels.xlsx", "s3://operations/book/"])
@pytest.mark.parametrize(
    ("event", "is_let_in"),
    [
        (uploaded("levels/levels.xlsx", "operations"), True),
        (uploaded("levels.xlsx", "operations-2"), False),
        (uploaded("levels/levels.xlsx", "operations") | {"detail-type": "Object Deleted"}, False),
        (uploaded("levels/levels.xlsx", "operations") | {"source": "other"}, False),
    ],
    ids=["an upload", "of another bucket", "a deletion", "of another service"],
)
def test_uploads_into_the_bucket_of_the_workbook_are_let_in(
    workbook: str, event: dict[str, Any], *, is_let_in: bool
) -> None:
    pattern = resolved(properties("WorkbookUploaded")["EventPattern"], workbook)
    assert EventPattern.load(json.dumps(pattern)).matches_event(event) is is_let_in  # type: ignore[arg-type, no-untyped-call, unused-ignore]


def test_the_guide_gives_the_bucket_of_the_workbook_its_versions_and_its_notification() -> None:
    guide = (ROOT / "docs" / "deploy.md").read_text(encoding="utf-8")
    section = guide.partition("### Without Google: a workbook in S3")[2].partition("\n## ")[0]
    commands = " ".join(re.sub(r"\\\n", " ", section).split())
    assert "put-bucket-versioning --bucket <bucket> --versioning-configuration Status=Enabled" in commands
    assert "put-bucket-notification-configuration --bucket <bucket>" in commands
    assert '{"EventBridgeConfiguration": {}}' in commands
