"""The runbook explains every alarm and every queue, in both languages."""

from __future__ import annotations

import re

import pytest

from tests.contract.transformed import ROOT, of_type


@pytest.mark.parametrize("page", ["runbook.en.md", "runbook.zh.md"])
def test_each_alarm_and_each_queue_is_explained(page: str) -> None:
    text = (ROOT / "docs" / page).read_text(encoding="utf-8")
    alarms = {
        found["AlarmName"]["Fn::Sub"].removeprefix("${AWS::StackName}-")
        for found in of_type("AWS::CloudWatch::Alarm").values()
    }
    assert alarms <= set(re.findall(r"^\| `([a-z-]+)` \|", text, re.MULTILINE))
    assert all(f"`{queue}`" in text for queue in of_type("AWS::SQS::Queue"))
