"""The table that the previous release wrote is read and continued by this one.

tests/data/written_by_schema_1.json was written by that release: four publications of three months, a rollback, a held
run that was accepted, an override, a refresh. ``answers`` are the answers of its API.
"""

from __future__ import annotations

import json
import zlib
from base64 import b64decode
from collections.abc import Callable, Iterator
from functools import cache
from pathlib import Path
from typing import Any

import pytest

from shared.items import POINTER_KEY, SCHEMA, key_of
from tests.cloud import BUCKET, Cloud, small_cloud
from tests.permissions import session_events
from tests.published import Caller, World

WRITTEN = Path(__file__).parents[1] / "data" / "written_by_schema_1.json"
BIG, MIDDLE, SMALL = (5, 500_000), (2, 10_000), (1, 0)
SEPTEMBER = {"a": BIG, "b": MIDDLE, "c": SMALL, "e": MIDDLE}
KEEP_ALL = {"RETENTION_MONTHS": "1200"}  # the months of the data stay readable, whatever year it is
DECIDED = {"by": "Li", "reason": "checked"}


@cache
def written() -> Any:
    return json.loads(WRITTEN.read_text("utf-8"))


@pytest.fixture(scope="module")
def beginning(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cloud]:
    """The small cloud with that release's table, extracts and workbook."""
    with small_cloud(tmp_path_factory.mktemp("cloud"), **KEEP_ALL) as cloud:
        for item in written()["items"]:
            cloud.table.client.put_item(TableName=cloud.table.name, Item=as_stored(item))
        for key, text in written()["extracts"]:
            cloud.s3.put_object(Bucket=BUCKET, Key=key, Body=text.encode())
        cloud.write_workbook(**dict(written()["workbook"]))
        cloud.remember()
        yield cloud


@pytest.fixture
def cloud(beginning: Cloud) -> Cloud:
    return beginning.bring_back()


def as_stored(value: Any) -> Any:
    """A value of the file in DynamoDB's form: bytes are Base64 in the file."""
    if isinstance(value, dict):
        if value.keys() == {"base64"}:
            return b64decode(value["base64"])
        return {name: as_stored(one) for name, one in value.items()}
    return value


def caller(cloud: Cloud) -> Caller:
    return World(cloud.table).caller(retention=1200)


def missing(old: Any, new: Any, path: str = "") -> list[str]:
    """The differences of a new answer from an old one; the new one may have more fields."""
    if isinstance(old, dict) and isinstance(new, dict):
        return [fault for name in old for fault in missing(old[name], new.get(name), f"{path}/{name}")]
    if isinstance(old, list) and isinstance(new, list) and len(old) == len(new):
        return [fault for n, (o, e) in enumerate(zip(old, new, strict=True)) for fault in missing(o, e, f"{path}/{n}")]
    return [] if old == new else [f"{path}: {old!r} before, {new!r} now"]


def test_the_api_gives_the_answers_of_the_previous_release(cloud: Cloud) -> None:
    asking = caller(cloud)
    different = []
    for path, status, body in written()["answers"]:
        answer = asking.get(path)
        assert answer.status == status, path
        different += [f"{path} {fault}" for fault in missing(body, answer.json)] if status == 200 else []
    assert different == []


def test_the_next_month_is_compared_with_a_month_of_the_previous_release(cloud: Cloud) -> None:
    assert cloud.levels() == {"a": 1, "b": 1, "c": 3, "e": 2}
    cloud.put_month("2026-09", SEPTEMBER)
    answer = cloud.rate({"month": "2026-09"})
    assert (answer["outcome"], answer["moves"]) == ("published", {"up": 2, "down": 1, "new": 0, "same": 1, "left": 0})
    assert cloud.levels() == {"a": 3, "b": 2, "c": 1, "e": 2}
    history = caller(cloud).get("/v1/agencies/a/history").json["items"]
    assert [month["month"] for month in history] == ["2026-09", "2026-08", "2026-07", "2026-06"]


def test_a_month_can_be_rolled_back_to_a_publication_of_the_previous_release(cloud: Cloud) -> None:
    valid = cloud.table.pointer().publications["2026-06"].run
    (other,) = {entry["run"] for entry in ledger(cloud) if entry["month"] == "2026-06" and entry["run"] != valid}
    assert cloud.rate({"rollback": other, **DECIDED})["outcome"] == "rolled_back"
    assert cloud.table.pointer().publications["2026-06"].run == other
    assert caller(cloud).get("/v1/agencies/c?month=2026-06").json["level"] == 2


def ledger(cloud: Cloud) -> list[dict[str, Any]]:
    return [json.loads(item["entry"]["S"]) for names, item in cloud.items().items() if names[0].startswith("LEDGER#")]


def test_a_refresh_of_the_same_workbook_changes_nothing(cloud: Cloud) -> None:
    assert cloud.rate({"mode": "refresh"})["outcome"] == "unchanged"


def test_unsent_events_of_the_previous_release_are_sent(cloud: Cloud) -> None:
    run = cloud.table.pointer().publications["2026-07"].run
    (unsent,) = [names for names in cloud.items() if names[0] == f"OUTBOX#{run}"]
    cloud.table.client.update_item(
        TableName=cloud.table.name,
        Key={"pk": {"S": unsent[0]}, "sk": {"S": unsent[1]}},
        UpdateExpression="REMOVE sent",
    )
    sent: list[dict[str, Any]] = []
    with session_events() as events:
        events.register("before-parameter-build.events.PutEvents", lambda params, **_: sent.extend(params["Entries"]))
        cloud.rate({"mode": "refresh"})
    assert {json.loads(one["Detail"])["month"] for one in sent} == {"2026-07"}
    assert [one["DetailType"] for one in sent].count("LevelsPublished") == 1
    assert "sent" in cloud.items()[unsent]


# --- the reverse: items that a later release of the same schema wrote -------------------------------------------------


MORE = {"of_a_later_release": "kept"}
TEXTS: dict[str, Callable[[Any], Any]] = {  # which objects in an item's JSON get one more field
    "rating": lambda one: one | MORE,
    "entry": lambda one: one | MORE,
    "listings": lambda listed: [one | MORE for one in listed],
    "standings": lambda by_agency: {agency: one | MORE for agency, one in by_agency.items()},
    "publications": lambda by_month: {month: one | MORE for month, one in by_month.items()},
}
PACKED = ("content", "record")


def of_a_later_release(item: dict[str, Any]) -> dict[str, Any]:
    """An item with one more attribute, and one more field in every object of its JSON."""
    found = item | {"of_a_later_release": {"S": "kept"}}
    for name, change in TEXTS.items():
        if name in item:
            found[name] = {"S": json.dumps(change(json.loads(item[name]["S"])), ensure_ascii=False)}
    for name in PACKED:
        if name in item:
            body = json.loads(zlib.decompress(item[name]["B"])) | MORE
            found[name] = {"B": zlib.compress(json.dumps(body, ensure_ascii=False).encode())}
    return found


def test_both_functions_ignore_new_fields_of_a_later_release_and_the_pointer_keeps_them(cloud: Cloud) -> None:
    cloud.put_month("2026-09", SEPTEMBER)
    cloud.rate({"month": "2026-09"})
    asking = caller(cloud)
    paths = [path for path, status, _ in written()["answers"] if status == 200]
    before = {path: asking.get(path).json for path in paths}
    changed = [of_a_later_release(item) for item in cloud.items().values()]
    assert any(item.get("schema") == {"N": str(SCHEMA)} for item in changed)
    for item in changed:
        cloud.table.client.put_item(TableName=cloud.table.name, Item=item)

    asking = caller(cloud)  # another instance, which has nothing in memory
    assert {path: asking.get(path).json for path in paths} == before

    cloud.put_month("2026-10", SEPTEMBER)
    answer = cloud.rate({"month": "2026-10"})
    assert (answer["outcome"], answer["moves"]["same"]) == ("published", 4)
    publications = json.loads(cloud.items()[key_of(POINTER_KEY)]["publications"]["S"])
    assert {month for month, one in publications.items() if "of_a_later_release" in one} == {
        *("2026-06", "2026-07", "2026-08", "2026-09")
    }
    assert cloud.rate({"mode": "refresh"})["outcome"] == "unchanged"
