"""The HTTP front over real sockets: the events that a handler gets, and the answers that a client gets."""

from __future__ import annotations

import base64
import http.client
import json
from collections.abc import Callable, Iterator
from functools import partial
from typing import Any
from urllib.parse import urlsplit
from wsgiref.util import setup_testing_defaults

import pytest

from functions.lookup.api import api as declared
from functions.lookup.routing import Operation
from local.cloud.front import front
from local.cloud.gateway import Request, event_for
from local.cloud.template import Route
from tests.published import path_of
from tests.serving import answering
from tools.docs.example import example_handler

Ask = Callable[..., tuple[http.client.HTTPResponse, bytes]]


def echo(event: dict[str, Any], context: Any) -> dict[str, Any]:
    """Answers with the event itself; some paths have special answers."""
    special: dict[str, dict[str, Any]] = {
        "/special/cookies": {"statusCode": 200, "cookies": ["a=1; Path=/", "b=2"], "body": "ok"},
        "/special/binary": {
            "statusCode": 200,
            "headers": {"Content-Type": "image/png"},
            "body": base64.b64encode(b"\x89\xff").decode(),
            "isBase64Encoded": True,
        },
        "/special/not-modified": {"statusCode": 304, "headers": {"ETag": '"x"'}, "body": ""},
        "/special/bare": {"answer": 42},
        "/special/invalid": {"statusCode": "many"},
    }
    if event["rawPath"] == "/special/broken":
        raise RuntimeError("the handler broke")
    return special.get(event["rawPath"]) or {
        "statusCode": 200,
        "headers": {"content-type": "application/json"},
        "body": json.dumps(event | {"left": context.get_remaining_time_in_millis()}),
    }


@pytest.fixture(scope="module")
def ask() -> Iterator[Ask]:
    with answering(front(echo), threads=4, clear_untrusted_proxy_headers=True) as address:
        yield partial(_sent, urlsplit(address).netloc)


def _sent(host: str, method: str, target: str, body: bytes | None = None, headers: Any = None) -> Any:
    connection = http.client.HTTPConnection(host, timeout=10)
    try:
        connection.request(method, target, body=body, headers=headers or {})
        answer = connection.getresponse()
        return answer, answer.read()
    finally:
        connection.close()


def event_of(ask: Ask, *request: Any) -> dict[str, Any]:
    answer, body = ask(*request)
    assert answer.status == 200
    event: dict[str, Any] = json.loads(body)
    return event


def test_an_event_has_the_templates_route_and_its_parameters(ask: Ask) -> None:
    event = event_of(ask, "GET", "/v1/agencies/A-0001/level")
    assert event["version"] == "2.0"
    assert event["routeKey"] == event["requestContext"]["routeKey"] == "GET /v1/agencies/{agency_id}/level"
    assert event["pathParameters"] == {"agency_id": "A-0001"}
    assert event["requestContext"]["http"]["method"] == "GET"
    assert event["requestContext"]["stage"] == "$default"
    assert 0 < event["left"] <= 10_000
    assert "body" not in event
    assert "queryStringParameters" not in event


def test_the_more_literal_route_wins(ask: Ask) -> None:
    assert event_of(ask, "POST", "/v1/agencies/batch")["routeKey"] == "POST /v1/agencies/batch"


def test_a_request_without_a_route_goes_to_the_default_one(ask: Ask) -> None:
    for method, path in (("GET", "/nowhere"), ("DELETE", "/v1/levels"), ("GET", "/v1/agencies/A-0001/")):
        event = event_of(ask, method, path)
        assert event["routeKey"] == "$default"
        assert "pathParameters" not in event


def test_the_route_is_chosen_before_the_path_is_decoded(ask: Ask) -> None:
    event = event_of(ask, "GET", "/v1/agencies/A%2Flevel")
    assert event["routeKey"] == "GET /v1/agencies/{agency_id}"
    assert event["rawPath"] == "/v1/agencies/A/level"
    assert event["pathParameters"] == {"agency_id": "A/level"}


def test_chinese_paths_and_queries_arrive_decoded_and_the_raw_query_as_sent(ask: Ask) -> None:
    event = event_of(ask, "GET", "/v1/benefits/%E8%AE%AD%E7%BB%83?city=%E6%9D%AD%E5%B7%9E&q=a+b&empty=")
    assert event["rawPath"] == "/v1/benefits/训练"
    assert event["pathParameters"] == {"benefit": "训练"}
    assert event["rawQueryString"] == "city=%E6%9D%AD%E5%B7%9E&q=a+b&empty="
    assert event["queryStringParameters"] == {"city": "杭州", "q": "a b", "empty": ""}


def test_repeated_query_parameters_are_joined_by_commas(ask: Ask) -> None:
    assert event_of(ask, "GET", "/v1/agencies?level=4&level=5")["queryStringParameters"] == {"level": "4,5"}


def test_headers_are_lower_case_and_cookies_are_a_list_of_their_own(ask: Ask) -> None:
    event = event_of(ask, "GET", "/", None, {"If-None-Match": '"x"', "Cookie": "a=1; b=2"})
    assert event["headers"]["if-none-match"] == '"x"'
    assert "cookie" not in event["headers"]
    assert event["cookies"] == ["a=1", "b=2"]


def test_a_json_body_is_text_and_other_bodies_are_base64(ask: Ask) -> None:
    text = '{"agency_ids": ["机构"]}'
    event = event_of(ask, "POST", "/v1/agencies/batch", text.encode(), {"Content-Type": "application/json"})
    assert (event["body"], event["isBase64Encoded"]) == (text, False)
    for kind in ("application/x-www-form-urlencoded", "image/png", "application/json"):
        event = event_of(ask, "POST", "/v1/agencies/batch", b"\xff\x00", {"Content-Type": kind})
        assert event["isBase64Encoded"]
        assert base64.b64decode(event["body"]) == b"\xff\x00"


def test_the_local_agency_becomes_a_claim_and_is_removed_from_the_headers(ask: Ask) -> None:
    event = event_of(ask, "GET", "/v1/agencies/A-0001/level", None, {"X-Local-Agency": "A-0001"})
    assert claims_in(event) == {"scope": "levels.public levels.agency", "agency_id": "A-0001"}
    assert "x-local-agency" not in event["headers"]
    back_office = event_of(ask, "GET", "/v1/agencies/A-0001/level", None, {"X-Local-Agency": "*"})
    assert claims_in(back_office) == {"scope": "levels.public levels.agency.any"}


def test_without_a_local_agency_a_request_has_the_public_scope(ask: Ask) -> None:
    assert claims_in(event_of(ask, "GET", "/v1/agencies/A-0001/level")) == {"scope": "levels.public"}


def test_a_claim_without_a_value_is_left_out_as_the_gateway_does() -> None:
    event = event_for(Request("GET", "/v1/levels", claims={"scope": "levels.agency", "agency_id": None}))
    assert claims_in(event) == {"scope": "levels.agency"}


def claims_in(event: dict[str, Any]) -> Any:
    return event["requestContext"]["authorizer"]["jwt"]["claims"]


def test_an_open_route_has_no_claims(ask: Ask) -> None:
    event = event_of(ask, "GET", "/healthz", None, {"X-Local-Agency": "A-0001"})
    assert "authorizer" not in event["requestContext"]


def test_an_answer_to_head_has_the_length_and_no_body(ask: Ask) -> None:
    answer, body = ask("HEAD", "/v1/levels")
    assert (answer.status, body) == (200, b"")
    assert int(answer.headers["content-length"]) > 0


@pytest.mark.parametrize(
    "operation", [one for one in declared.operations if one.method == "GET"], ids=lambda operation: operation.name
)
def test_head_is_answered_with_the_headers_of_get(operation: Operation) -> None:
    """The real handler over the example world. Ids of requests are not compared, since each request has its own."""
    path = path_of(operation, "A-0042")
    (get_status, get_headers, content), (head_status, head_headers, nothing) = (
        wsgi_answer(method, path) for method in ("GET", "HEAD")
    )
    assert (get_status, b"") == (head_status, nothing)
    assert get_headers == head_headers
    assert int(head_headers["content-length"]) == len(content) > 0


def wsgi_answer(method: str, path: str) -> tuple[str, dict[str, str], bytes]:
    """Status, headers and body of the front's answer."""
    environ: dict[str, Any] = {"HTTP_X_LOCAL_AGENCY": "*"}
    setup_testing_defaults(environ)
    target, _, query = path.partition("?")
    environ |= {"REQUEST_METHOD": method, "PATH_INFO": target, "QUERY_STRING": query, "REQUEST_URI": path}
    started: list[Any] = []

    def start(status: str, headers: list[tuple[str, str]], _: Any = None, /) -> Callable[[bytes], object]:
        started.extend((status, {name.lower(): value for name, value in headers}))
        return started.append

    body = b"".join(front(example_handler())(environ, start))
    status, headers = started
    headers.pop("x-request-id", None)
    return status, headers, body


def test_not_modified_has_its_tag_and_neither_body_nor_length(ask: Ask) -> None:
    answer, body = ask("GET", "/special/not-modified")
    assert (answer.status, body) == (304, b"")
    assert answer.headers["etag"] == '"x"'
    assert "content-length" not in answer.headers


def test_each_cookie_of_an_answer_is_a_header(ask: Ask) -> None:
    answer, _ = ask("GET", "/special/cookies")
    assert answer.headers.get_all("set-cookie") == ["a=1; Path=/", "b=2"]


def test_binary_answers_are_decoded(ask: Ask) -> None:
    answer, body = ask("GET", "/special/binary")
    assert answer.headers["content-type"] == "image/png"
    assert body == b"\x89\xff"


def test_a_result_without_a_status_is_a_json_answer(ask: Ask) -> None:
    answer, body = ask("GET", "/special/bare")
    assert answer.status == 200
    assert json.loads(body) == {"answer": 42}


@pytest.mark.parametrize("path", ["/special/broken", "/special/invalid"])
def test_a_handler_that_fails_gives_an_internal_error(ask: Ask, path: str) -> None:
    answer, body = ask("GET", path)
    assert answer.status == 500
    assert json.loads(body) == {"message": "Internal Server Error"}


def test_headers_sent_twice_are_joined() -> None:
    event = event_for(Request("GET", "/", [("Accept", "text/plain"), ("accept", "text/html")]))
    assert event["headers"]["accept"] == "text/plain,text/html"


def test_a_route_for_any_method_accepts_all_methods() -> None:
    routes = [Route("ANY", "/x/{name}", open=True)]
    assert event_for(Request("PUT", "/x/1"), routes)["routeKey"] == "ANY /x/{name}"
    assert event_for(Request("PUT", "/x/"), routes)["routeKey"] == "$default"


def test_a_page_of_another_origin_on_this_machine_gets_the_templates_cors_headers(ask: Ask) -> None:
    asked = {"Origin": "http://localhost:5173", "Access-Control-Request-Method": "GET"}
    answer, body = ask("OPTIONS", "/v1/levels", None, asked)
    assert (answer.status, body) == (204, b"")
    assert answer.headers["access-control-allow-origin"] == "http://localhost:5173"
    assert answer.headers["access-control-allow-headers"] == "authorization,content-type,if-none-match"
    answer, _ = ask("GET", "/v1/levels", None, {"Origin": "http://localhost:5173"})
    assert answer.headers["access-control-allow-origin"] == "http://localhost:5173"
    assert answer.headers["access-control-expose-headers"] == "etag,retry-after,x-request-id"


@pytest.mark.parametrize("origin", ["https://example.invalid", "http://localhost.example.invalid", "null", ""])
def test_a_page_from_another_host_gets_no_cors_headers(ask: Ask, origin: str) -> None:
    answer, _ = ask("GET", "/v1/levels", None, {"Origin": origin})
    assert not [name for name in answer.headers if name.lower().startswith("access-control")]
