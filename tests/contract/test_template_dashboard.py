"""The dashboard shows this stack's metrics and alarms; each metric is written by the code."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from itertools import combinations
from typing import Any

from tests.contract.transformed import ROOT, of_type, properties, resource, template

OWN = "mcn-levels"


def widgets() -> list[dict[str, Any]]:
    """The widgets, with every ``${Name}`` replaced by ``Name``."""
    body, variables = properties("Dashboard")["DashboardBody"]["Fn::Sub"]
    references = set(re.findall(r"\$\{([^}]+)\}", body))
    resources = {reference.split(".")[0] for reference in references} - set(variables)
    assert all(name.startswith("AWS::") or name in template()["Resources"] for name in resources), resources
    found: list[dict[str, Any]] = json.loads(re.sub(r"\$\{([^}]+)\}", r"\1", body))["widgets"]
    return found


def metrics() -> Iterator[list[str]]:
    """Every metric that is shown, with CloudWatch's short forms ("." and "...") expanded."""
    for widget in widgets():
        before: list[str] = []
        for metric in widget["properties"].get("metrics", ()):
            names = [name for name in metric if isinstance(name, str)]
            if names == ["..."]:
                names = before
            before = [before[n] if name == "." else name for n, name in enumerate(names)]
            yield before


def test_every_metric_that_is_shown_is_written_by_the_code() -> None:
    code = "\n".join(path.read_text("utf-8") for path in (ROOT / "functions").rglob("*.py"))
    own = [metric for metric in metrics() if metric[0] == OWN]
    assert {metric[1] for metric in own} >= {"Published", "Held", "QuarantinedRows", "SecondsLeft", "Overdue", "Faults"}
    for _, name, *_ in own:
        assert f'"{name}"' in code, name


def test_own_metrics_are_those_of_this_stack() -> None:
    for metric in metrics():
        if metric[0] == OWN:
            assert metric[2:4] == ["stack", "AWS::StackName"]


def test_every_alarm_is_shown() -> None:
    (shown,) = [widget["properties"]["alarms"] for widget in widgets() if widget["type"] == "alarm"]
    always = {name for name in of_type("AWS::CloudWatch::Alarm") if "Condition" not in resource(name)}
    assert set(shown) == {f"{name}.Arn" for name in always}


def test_the_table_of_runs_shows_fields_of_the_summary_line() -> None:
    (query,) = [w["properties"]["query"] for w in widgets() if "run done" in w["properties"].get("query", "")]
    code = (ROOT / "functions/rating/monitoring.py").read_text("utf-8")
    for name in ("month", "outcome", "agencies", "levels", "moves", "stages", "seconds_left"):
        assert name in query
        assert f'"{name}"' in code or f"{name}=" in code


def test_widgets_do_not_overlap() -> None:
    for one, other in combinations(widgets(), 2):
        apart = (
            one["x"] + one["width"] <= other["x"]
            or other["x"] + other["width"] <= one["x"]
            or one["y"] + one["height"] <= other["y"]
            or other["y"] + other["height"] <= one["y"]
        )
        assert apart, (one["properties"]["title"], other["properties"]["title"])
        assert one["x"] + one["width"] <= 24
