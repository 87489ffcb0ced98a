"""How the API behaves as an HTTP server: entity tags, refusals, cursors, methods, hostile input."""

from __future__ import annotations

import base64
import json
from collections.abc import Iterator
from contextlib import contextmanager
from urllib.parse import unquote

import pytest

from functions.lookup.api import api as declared
from functions.lookup.authorization import PUBLIC
from functions.lookup.cursors import Cursors, DirectoryPosition
from functions.lookup.routing import Operation
from tests.published import Caller, World, agency, empty_world, event, path_of, rulebook
from tools.docs.openapi import PATH

DESCRIBED = json.loads(PATH.read_text(encoding="utf-8"))
EVERY_GET = [path_of(operation) for operation in declared.operations if operation.method == "GET"]


@contextmanager
def published_world() -> Iterator[World]:
    with empty_world() as world:
        world.publish("2026-09", [agency("A", four=1)])
        world.publish("2026-10", [agency("A", four=1), agency("B", four=1)])
        yield world


@pytest.fixture(scope="module")
def world() -> Iterator[World]:
    """For tests that do not change it."""
    with published_world() as world:
        yield world


@pytest.fixture
def changing() -> Iterator[World]:
    """For tests that change it."""
    with published_world() as world:
        yield world


@pytest.fixture(scope="module")
def api(world: World) -> Caller:
    return world.caller()


@pytest.mark.parametrize("path", EVERY_GET)
def test_every_200_has_an_entity_tag_and_the_tag_gives_304(api: Caller, path: str) -> None:
    first = api.get(path)
    assert (first.status, first.headers["cache-control"]) == (200, "private, max-age=60")
    again = api.get(path, headers={"if-none-match": first.headers["etag"]})
    assert (again.status, again.text, again.headers["etag"]) == (304, "", first.headers["etag"])


@pytest.mark.parametrize("path", EVERY_GET)
def test_head_has_the_headers_of_get_and_no_body(api: Caller, path: str) -> None:
    got, head = api.get(path), api.ask("HEAD", path)
    assert (head.status, head.text) == (200, "")
    assert head.headers == {**got.headers, "content-length": str(len(got.text.encode()))}
    assert api.ask("HEAD", path, headers={"if-none-match": got.headers["etag"]}).status == 304


@pytest.mark.parametrize("header", ["*", "W/{}", '"other", {}', '"other",W/{} , "more"'])
def test_if_none_match_may_be_a_list_weak_or_a_star(api: Caller, header: str) -> None:
    tag = api.get("/v1/levels").headers["etag"]
    assert api.get("/v1/levels", headers={"if-none-match": header.format(tag)}).status == 304


@pytest.mark.parametrize("header", ['"other"', "", "{unquoted}", 'W/"other"'])
def test_another_tag_gives_the_whole_answer(api: Caller, header: str) -> None:
    assert api.get("/v1/levels", headers={"if-none-match": header}).status == 200


def test_different_answers_and_different_callers_never_share_a_tag(api: Caller) -> None:
    tags = [api.get(path).headers["etag"] for path in EVERY_GET]
    tags += [api.get("/v1/levels", claims={"sub": who, "scope": PUBLIC}).headers["etag"] for who in ("x", "y")]
    tags.append(api.get("/v1/levels", claims={"sub": "x", "scope": PUBLIC, "agency_id": "A"}).headers["etag"])
    assert len(set(tags)) == len(tags)


def test_a_tag_stays_the_same_as_long_as_its_answer_in_every_instance(changing: World) -> None:
    before = changing.caller().get("/v1/agencies/A").headers["etag"]
    assert changing.caller().get("/v1/agencies/A").headers["etag"] == before
    changing.publish("2026-11", [agency("A", four=1)])
    assert changing.caller().get("/v1/agencies/A").headers["etag"] != before
    assert changing.caller().get("/v1/agencies/A?month=2026-10").headers["etag"] == before


def test_texts_that_change_within_a_publication_change_the_tag(changing: World) -> None:
    before = changing.caller().get("/v1/benefits").headers["etag"]
    changing.publish("2026-10", [agency("A", four=1)], rulebook(benefits=rulebook().benefits[:1]))
    assert changing.caller().get("/v1/benefits").headers["etag"] != before


REFUSALS = [
    ("GET", "/v1/agencies/nobody", 404),
    ("GET", "/v1/levels/9", 404),
    ("GET", "/v1/benefits/nothing", 404),
    ("GET", "/v1/levels?month=1999-01", 404),
    ("GET", "/v1/levels?month=2026-13", 422),
    ("GET", "/v1/levels?month=", 422),
    ("GET", "/v1/agencies", 422),
    ("GET", "/v1/agencies?level=0", 422),
    ("GET", "/v1/agencies?level=9", 404),
    ("GET", "/v1/agencies?level=1&limit=101", 422),
    ("GET", "/v1/agencies?level=1&cursor=nonsense", 400),
    ("GET", "/v1/agencies/A/history?limit=0", 422),
    ("GET", "/v1/agencies/A/history?cursor=%F0", 400),
    ("GET", "/v1/agencies/A/history?cursor=", 400),
    ("GET", "/v1/agencies?level=1&cursor=", 400),
    ("GET", "/v1/publications?cursor=x", 400),
    ("GET", "/v1/publications?month=2026-10", 422),
    ("GET", "/v1/levels?Month=2026-09", 422),
    ("GET", "/v1/agencies/A?fields=level", 422),
    ("GET", "/v1/agencies?level=1.0", 422),
    ("GET", "/v1/agencies?level=01", 422),
    ("GET", "/v1/agencies?level=1_0", 422),
    ("GET", "/v1/agencies?level=%2B1", 422),
    ("GET", "/v1/agencies?level=１", 422),
    ("GET", "/v1/agencies?level=1&limit= 5", 422),
    ("GET", "/", 404),
    ("GET", "/v2/levels", 404),
    ("GET", "/v1/levels/", 404),
    ("GET", "/v1/agencies/A/level/x", 404),
    ("POST", "/v1/levels", 405),
    ("DELETE", "/v1/agencies/A", 405),
    ("PUT", "/v1/agencies/batch", 405),
    ("PATCH", "/healthz", 405),
]


@pytest.mark.parametrize(("method", "path", "status"), REFUSALS)
def test_every_refusal_is_a_problem_in_two_languages(api: Caller, method: str, path: str, status: int) -> None:
    answer = api.ask(method, path)
    assert (answer.status, answer.headers["content-type"]) == (status, "application/problem+json")
    assert answer.headers["cache-control"] == "no-store"
    assert answer.headers["x-request-id"] == "request-1"
    problem = answer.json
    assert problem["status"] == status
    assert problem["type"].startswith("urn:problem-type:mcn-levels:")
    assert all(problem[text] for text in ("title", "title_zh", "detail", "detail_zh"))


def test_the_refusal_of_a_method_lists_the_allowed_methods(api: Caller) -> None:
    assert api.ask("POST", "/v1/levels").headers["allow"] == "GET, HEAD, OPTIONS"
    assert api.ask("DELETE", "/v1/agencies/batch").headers["allow"] == "GET, HEAD, OPTIONS, POST"


def test_options_lists_the_allowed_methods_without_a_body(api: Caller) -> None:
    answer = api.ask("OPTIONS", "/v1/agencies/A/level")
    assert (answer.status, answer.text, answer.headers["allow"]) == (204, "", "GET, HEAD, OPTIONS")
    assert api.ask("OPTIONS", "/nowhere").status == 404


def test_the_refusal_names_every_invalid_value(api: Caller) -> None:
    errors = api.get("/v1/agencies?level=x&limit=1000").json["errors"]
    assert [(e["in"], e["pointer"]) for e in errors] == [("query", "#/level"), ("query", "#/limit")]
    errors = api.batch(["A", 5, None]).json["errors"]
    assert [(e["in"], e["pointer"]) for e in errors] == [("body", "#/agency_ids/1"), ("body", "#/agency_ids/2")]
    assert all(error.keys() == {"in", "code", "pointer", "detail", "detail_zh"} for error in errors)


@pytest.mark.parametrize(
    ("query", "pointer", "code"),
    [
        ("level=x", "#/level", "not-a-whole-number"),
        ("level=0", "#/level", "too-small"),
        ("level=1&limit=101", "#/limit", "too-large"),
        ("", "#/level", "missing"),
        ("level=1&Limit=5", "#/Limit", "unknown"),
        ("level=1&month=2026-1", "#/month", "not-a-month"),
    ],
)
def test_an_invalid_parameter_has_an_error_code(api: Caller, query: str, pointer: str, code: str) -> None:
    errors = api.get(f"/v1/agencies?{query}").json["errors"]
    assert [(error["pointer"], error["code"]) for error in errors] == [(pointer, code)]


@pytest.mark.parametrize(
    ("body", "pointer", "code"),
    [
        ("{}", "#/agency_ids", "missing"),
        ("[]", "#", "not-an-object"),
        ("null", "#", "not-an-object"),
        ('{"agency_ids": []}', "#/agency_ids", "too-few"),
        ('{"agency_ids": "A"}', "#/agency_ids", "not-a-list"),
        ('{"agency_ids": ["A", 5]}', "#/agency_ids/1", "not-a-text"),
        ('{"agency_ids": ["A"], "more": 1}', "#/more", "unknown"),
        (json.dumps({"agency_ids": ["A"] * 101}), "#/agency_ids", "too-many"),
    ],
)
def test_an_invalid_body_has_an_error_code(api: Caller, body: str, pointer: str, code: str) -> None:
    answer = api.ask("POST", "/v1/agencies/batch", body=body)
    assert answer.status == 422
    assert [(error["pointer"], error["code"]) for error in answer.json["errors"]] == [(pointer, code)]


def test_an_event_without_headers_is_answered(world: World) -> None:
    without: list[dict[str, str] | None] = [{}, None]
    for headers in without:
        asked = event("GET", "/v1/levels") | {"headers": headers}
        assert world.caller().handler(asked, None)["statusCode"] == 200
        asked = event("POST", "/v1/agencies/batch", body='{"agency_ids": ["A"]}') | {"headers": headers}
        assert world.caller().handler(asked, None)["statusCode"] == 200
    asked = event("GET", "/v1/levels")
    del asked["headers"]
    assert world.caller().handler(asked, None)["statusCode"] == 200


@pytest.mark.parametrize("path", [*EVERY_GET, "/v1/agencies/nobody", "/nowhere"])
def test_every_answer_varies_with_the_token_for_caches(api: Caller, path: str) -> None:
    answer = api.get(path)
    assert answer.headers["vary"] == "Authorization"
    again = api.get(path, headers={"if-none-match": answer.headers.get("etag", '""')})
    assert again.headers["vary"] == "Authorization"


@pytest.mark.parametrize("repeated", ["month=2026-10&month=2026-09", "month=2026-10,2026-09"])
def test_a_parameter_given_twice_is_invalid(api: Caller, repeated: str) -> None:
    assert api.get("/v1/levels?" + repeated).status == 422


NOT_NUMBERS = ("1.0", "1e0", "1e3", "%201", "1%20", "5%20", "+1", "01", "1_0", "0x1", "%EF%BC%91", "", "one", "1,2")
OUT_OF_BOUNDS = ("-1", "0")


def whole_numbers(where: str) -> list[tuple[Operation, str]]:
    """Every parameter in the path or query of an operation that is a whole number by the OpenAPI description."""
    found = []
    for operation in declared.operations:
        path = operation.rule.replace("<", "{").replace(">", "}")
        for parameter in DESCRIBED["paths"][path][operation.method.lower()]["parameters"]:
            if (parameter["in"], parameter["schema"].get("type")) == (where, "integer"):
                found.append((operation, parameter["name"]))
    return found


@pytest.mark.parametrize("number", [*NOT_NUMBERS, *OUT_OF_BOUNDS])
def test_a_number_is_plain_digits_in_every_query(api: Caller, number: str) -> None:
    assert {name for _, name in whole_numbers("query")} == {"level", "limit"}
    for operation, name in whole_numbers("query"):
        path, _, query = path_of(operation).partition("?")
        others = "".join(f"{pair}&" for pair in query.split("&") if pair and pair.partition("=")[0] != name)
        assert api.get(f"{path}?{others}{name}=1").status == 200
        refused = api.get(f"{path}?{others}{name}={number}")
        assert (refused.status, [error["pointer"] for error in refused.json["errors"]]) == (422, [f"#/{name}"])


@pytest.mark.parametrize("number", [number for number in (*NOT_NUMBERS, *OUT_OF_BOUNDS) if number])
def test_a_number_is_plain_digits_in_every_path(api: Caller, number: str) -> None:
    assert whole_numbers("path")
    for operation, name in whole_numbers("path"):
        assert api.get(operation.rule.replace(f"<{name}>", "1")).status == 200
        assert api.get(operation.rule.replace(f"<{name}>", unquote(number))).status == 404


# --- bodies -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("body", ["", "{", '{"agency_ids": ["\\ud800"]}', "[" * 60_000, "1" * 10_000])
def test_a_body_that_is_not_json_is_400(api: Caller, body: str) -> None:
    assert api.ask("POST", "/v1/agencies/batch", body=body).status == 400


def test_a_body_may_be_base64_as_the_gateway_sends_binary_ones(api: Caller) -> None:
    valid = base64.b64encode(b'{"agency_ids": ["A"]}').decode()
    assert api.ask("POST", "/v1/agencies/batch", body=valid, is_base64=True).status == 200
    for broken in ("A", base64.b64encode(b'{"agency_ids": ["\xff"]}').decode()):
        assert api.ask("POST", "/v1/agencies/batch", body=broken, is_base64=True).status == 400


@pytest.mark.parametrize(
    ("content_type", "status"),
    [
        ("application/json", 200),
        ("Application/JSON; charset=utf-8", 200),
        ("text/plain", 415),
        ("application/x-www-form-urlencoded", 415),
        ("multipart/form-data", 415),
    ],
)
def test_only_json_is_accepted(api: Caller, content_type: str, status: int) -> None:
    body = json.dumps({"agency_ids": ["A"]})
    answer = api.ask("POST", "/v1/agencies/batch", body=body, headers={"content-type": content_type})
    assert answer.status == status


def test_a_hundred_ids_are_accepted(api: Caller) -> None:
    assert len(api.batch([f"id{n}" for n in range(100)]).json["missing"]) == 100


# --- cursors ----------------------------------------------------------------------------------------------------------


def first_cursor(api: Caller, path: str = "/v1/agencies?level=1&limit=1") -> str:
    cursor: str = api.get(path).json["next"]
    assert cursor
    return cursor


def test_a_cursor_with_any_changed_character_is_refused(api: Caller) -> None:
    cursor = first_cursor(api)
    for at in range(len(cursor)):
        altered = cursor[:at] + ("A" if cursor[at] != "A" else "B") + cursor[at + 1 :]
        assert api.get(f"/v1/agencies?level=1&limit=1&cursor={altered}").status == 400
    for altered in (cursor[:-1], cursor + "A", cursor + "%3D", cursor + " ", "!" + cursor):
        assert api.get(f"/v1/agencies?level=1&limit=1&cursor={altered}").status == 400


def test_a_cursor_is_valid_only_for_its_own_request(api: Caller) -> None:
    directory, history = first_cursor(api), first_cursor(api, "/v1/agencies/A/history?limit=1")
    assert api.get(f"/v1/agencies?level=2&cursor={directory}").status == 400
    assert api.get(f"/v1/agencies?level=1&month=2026-09&cursor={directory}").status == 400
    assert api.get(f"/v1/agencies/A/history?cursor={directory}").status == 400
    assert api.get(f"/v1/agencies?level=1&cursor={history}").status == 400
    assert api.get(f"/v1/agencies/B/history?cursor={history}").status == 400


def test_a_cursor_continues_with_its_month_after_a_newer_one_is_published(changing: World) -> None:
    cursor = first_cursor(changing.caller())
    changing.publish("2026-11", [agency("Z", four=1)])
    page = changing.caller().get(f"/v1/agencies?level=1&cursor={cursor}").json
    assert [(card["agency_id"], card["month"]) for card in page["items"]] == [("B", "2026-10")]


def test_a_cursor_is_gone_after_its_month_was_restated(changing: World) -> None:
    cursor = first_cursor(changing.caller())
    changing.publish("2026-10", [agency("A", four=1), agency("B", four=1), agency("C", four=1)])
    assert changing.caller().get(f"/v1/agencies?level=1&cursor={cursor}").status == 410


def test_a_cursor_signed_with_another_key_is_refused(world: World, api: Caller) -> None:
    forged = Cursors("another secret").write(DirectoryPosition("2026-10", "run", 1, 0, 0))
    assert api.get(f"/v1/agencies?level=1&cursor={forged}").status == 400


# --- hostile ids ------------------------------------------------------------------------------------------------------

HOSTILE = [
    "%00",
    "a%2Fb",
    "a b",
    "机构",
    "A" * 65,
    "A" * 10_240,
    "..",
    "A%20",
    "A\n",
    "A#RATING",
    "${jndi:x}",
    "' OR 1=1 --",
    "🐼",
    "Ａ",
]


@pytest.mark.parametrize("agency_id", HOSTILE)
@pytest.mark.parametrize("view", ["", "/level", "/history", "/benefits", "/benefits/outreach", "/binding-slots"])
def test_an_impossible_agency_id_is_404_without_a_read(world: World, agency_id: str, view: str) -> None:
    api = world.caller()
    assert api.get("/v1/levels").status == 200
    with world.reads() as reads:
        answer = api.get(f"/v1/agencies/{agency_id}{view}")
    assert (answer.status, reads) == (404, [])
    assert answer.json["type"].endswith("unknown-agency") or agency_id == ".."
    assert len(answer.text) < 2000


def test_impossible_agency_ids_are_missing_from_a_batch(world: World) -> None:
    answer = world.caller().batch([*HOSTILE, "A"])
    assert ([card["agency_id"] for card in answer.json["items"]], answer.json["missing"]) == (["A"], HOSTILE)


def test_an_unexpected_error_is_a_500_without_its_details(changing: World) -> None:
    for item in changing.items_of("A"):
        changing.table.client.put_item(TableName=changing.table.name, Item=item | {"rating": {"S": '{"secret": 1}'}})
    answer = changing.caller().get("/v1/agencies/A")
    assert (answer.status, answer.json["type"]) == (500, "urn:problem-type:mcn-levels:unexpected")
    assert not [word for word in ("secret", "Traceback", "pydantic", "functions", "table") if word in answer.text]
