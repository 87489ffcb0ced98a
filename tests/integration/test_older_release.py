"""The lookup function of an older release reads the table that this release's rating function writes.

This happens during a roll-out, and after a stack went back to it. tests/data/lookup_of_an_older_release.zip
has that release's functions/lookup and shared; it was the first that wrote schema 2.
"""

from __future__ import annotations

import json
import os
import random
import subprocess
import sys
from base64 import b64encode
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from local.cloud.embedded import EmbeddedAws
from local.cloud.gateway import Request, event_for
from tests.cloud import WORKBOOK, Cloud, small_cloud
from tests.dynamodb import DynamoDB
from tests.integration.test_previous_release import missing
from tests.soak.aws import Faults, Services, serving
from tests.soak.s3 import S3

ROOT = Path(__file__).parents[2]
OLDER = ROOT / "tests" / "data" / "lookup_of_an_older_release.zip"
BIG, MIDDLE, SMALL, NONE = (5, 500_000), (2, 10_000), (1, 0), (0, 0)
PATHS = (
    *(f"/v1/agencies/{agency}{what}" for agency in "abcd" for what in ("", "/level", "/history", "/binding-slots")),
    *("/v1/agencies/a/benefits", "/v1/agencies/a/benefits/contact", "/v1/agencies/a/level?month=2026-05"),
    *(f"/v1/agencies?level={level}&month={month}" for level in (1, 2, 3) for month in ("2026-05", "2026-06")),
    *("/v1/levels", "/v1/levels/3", "/v1/benefits", "/v1/benefits/contact", "/v1/publication", "/v1/publications"),
)
ASK = """
import json, sys
from pathlib import Path
from types import SimpleNamespace
from functions.lookup.app import handler
arn = "arn:aws:lambda:us-east-1:000000000000:function:lookup"
context = SimpleNamespace(
    function_name="lookup", function_version="1", memory_limit_in_mb=512, invoked_function_arn=arn,
    aws_request_id="1", get_remaining_time_in_millis=lambda: 9000,
)
answers = [handler(event, context) for event in json.loads(Path(sys.argv[1]).read_text())]
Path(sys.argv[2]).write_text(json.dumps(answers))
"""


def as_sent(value: Any) -> Any:
    """An attribute as DynamoDB sends it: bytes in Base64."""
    return {name: b64encode(one).decode() if isinstance(one, bytes) else one for name, one in value.items()}


def rated(cloud: Cloud) -> None:
    """May is restated and rolled back, June has an override, then texts are changed; all by this release."""
    cloud.put_month("2026-05", {"a": SMALL, "b": BIG})
    first = cloud.rate({"month": "2026-05"})["run"]
    cloud.put_month("2026-05", {"a": BIG, "b": MIDDLE, "c": SMALL, "d": NONE})
    cloud.rate({"month": "2026-05"})
    cloud.rate({"rollback": first, "by": "Li", "reason": "wrong file"})
    overrides = "agency_id,level,from_month,until_month,reason,approved_by\nc,3,2026-06,2026-08,trial,Li\n"
    cloud.write_workbook(overrides=overrides)
    cloud.put_month("2026-06", {"a": MIDDLE, "b": BIG, "c": SMALL, "d": NONE})
    cloud.rate({"month": "2026-06"})
    cloud.write_workbook(overrides=overrides, levels=WORKBOOK["levels"].replace("三级", "领航"))
    cloud.rate({"mode": "refresh"})


@pytest.fixture(scope="module")
def answers(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, list[tuple[int, Any]]]]:
    """The answers of the ``older`` release's lookup function and of ``this`` one to each path."""
    folder = tmp_path_factory.mktemp("older")
    dynamodb = DynamoDB()
    with small_cloud(folder, RETENTION_MONTHS="1200") as cloud:
        rated(cloud)
        for names, item in cloud.items().items():
            dynamodb.items[names] = {name: as_sent(value) for name, value in item.items()}
    (folder / "events").write_text(json.dumps([event_for(Request("GET", path)) for path in PATHS]))
    with serving(Services(dynamodb, S3(), Faults(random.Random(0)))) as endpoint:
        yield {
            name: asked(EmbeddedAws(endpoint).environment(), code, folder / name)
            for name, code in (("older", OLDER), ("this", ROOT))
        }


def asked(aws: dict[str, str], code: Path, into: Path) -> list[tuple[int, Any]]:
    """Status and body of each answer."""
    environment = {
        **{name: value for name, value in os.environ.items() if name in ("PATH", "HOME", "LANG")},
        **aws,
        "PYTHONPATH": str(code),
        "RETENTION_MONTHS": "1200",
        "LOCAL_CALLER": "*",
        "POWERTOOLS_METRICS_NAMESPACE": "mcn-levels",
        "POWERTOOLS_SERVICE_NAME": "lookup",
    }
    command = [sys.executable, "-c", ASK, str(into.parent / "events"), str(into)]
    subprocess.run(command, cwd=into.parent, env=environment, check=True, capture_output=True, timeout=120)
    return [(answer["statusCode"], json.loads(answer["body"])) for answer in json.loads(into.read_text())]


def test_an_older_release_gives_the_answers_of_this_one(
    answers: dict[str, list[tuple[int, Any]]],
) -> None:
    different = []
    pairs = zip(PATHS, answers["older"], answers["this"], strict=True)
    for path, (older_status, older), (status, body) in pairs:
        different += [f"{path}: {older_status} before, {status} now"] if older_status != status else []
        different += [f"{path} {fault}" for fault in missing(older, body)] if older_status == 200 else []
    assert different == []


def test_an_older_release_reads_the_new_levels_override_and_texts(answers: dict[str, list[tuple[int, Any]]]) -> None:
    older = dict(zip(PATHS, answers["older"], strict=True))
    assert [older[f"/v1/agencies/{agency}"][1]["level"] for agency in "abcd"] == [2, 3, 3, None]
    assert older["/v1/agencies/c/level"][1]["status"] == "overridden"
    assert older["/v1/levels/3"][1]["name"] == "领航"
    assert [card["agency_id"] for card in older["/v1/agencies?level=3&month=2026-06"][1]["items"]] == ["b", "c"]
    assert [month["month"] for month in older["/v1/agencies/a/history"][1]["items"]] == ["2026-06", "2026-05"]
