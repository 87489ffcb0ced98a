"""The template, deployed to an emulated AWS: the schedule's event rates a month, and the API is asked with tokens."""

from __future__ import annotations

import json
import os
import subprocess
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from itertools import chain
from pathlib import Path
from typing import Any

import boto3
import pytest
import requests
from botocore.config import Config
from playwright.sync_api import expect

from functions.rating.workbook.description import load_description
from functions.rating.workbook.folder import read_folder
from shared.settings import S3Prefix
from tests.e2e import console_states, page_states
from tests.e2e.between import Between
from tests.e2e.browser import Visitor, chromium
from tests.e2e.conftest import ROOT, Packages, event, put_extracts
from tests.e2e.distribution import Distribution
from tests.e2e.edge import edge
from tests.e2e.for_emulator import for_emulator
from tests.e2e.issuer import AUDIENCE, Issuer, running_issuer
from tests.e2e.looks import PICTURES, OneLookEach, assert_fine
from tests.e2e.places import Place, shown_as_stale
from tests.e2e.processes import accepts, free_port, running
from tests.serving import answering
from tools import deploy as deploy_command
from tools.smoke.__main__ import smoke
from tools.smoke.deployed import Deployed
from tools.smoke.results import Results
from tools.workbook.builder import build_workbook

STACK = "mcn-levels"
PUBLIC, AGENCY = "levels.public", "levels.agency"
WORKBOOK = "s3://workbooks/levels/levels.xlsx"
DEPLOYED_PICTURES = PICTURES / "deployed"
AGENCIES = 166  # those of the small market, and who joins it
PAGE_STATES = {"rated new", "top", "below_ladder", "awaiting_first_rating", "overridden"}
PREPARED = "2027-01"
SAM = str(ROOT / ".venv/sam/bin/sam")


@dataclass(frozen=True)
class Stack:
    """The deployed stack: its outputs, clients of its cloud; ``between``: what its functions see of that cloud."""

    port: int
    outputs: dict[str, str]
    issuer: Issuer
    between: Between
    between_url: str
    template: Path | None = None

    def client(self, service: str) -> Any:
        own = {"aws_access_key_id": "test", "aws_secret_access_key": "test", "region_name": "us-east-1"}
        patience = Config(read_timeout=180, retries={"total_max_attempts": 1})
        return boto3.client(service, endpoint_url=f"http://127.0.0.1:{self.port}", config=patience, **own)  # type: ignore[call-overload]

    def invoke(self, payload: dict[str, Any]) -> Any:
        """The rating function's answer to an event."""
        answer = self.client("lambda").invoke(
            FunctionName=self.outputs["RatingFunctionName"], Payload=json.dumps(payload)
        )
        return json.loads(answer["Payload"].read())

    def ask(self, path: str, token: str | None = None, method: str = "GET", **more: Any) -> requests.Response:
        """The API's answer, through the gateway."""
        headers = {"Host": self.outputs["ApiUrl"].removeprefix("http://").removeprefix("https://")}
        if token:
            headers["Authorization"] = f"Bearer {token}"
        return requests.request(method, f"http://127.0.0.1:{self.port}{path}", headers=headers, timeout=60, **more)


@pytest.fixture(scope="module")
def emulator(tmp_path_factory: pytest.TempPathFactory) -> Iterator[int]:
    """An emulated AWS on a free port of 127.0.0.1."""
    folder, port = tmp_path_factory.mktemp("emulator"), free_port()
    binaries = ROOT / ".venv/e2e/bin"
    environment = {
        "PATH": f"{binaries}:/usr/bin:/bin",
        "HOME": str(folder),
        "TMPDIR": str(folder),
        "BIND_HOST": "127.0.0.1",
        "GATEWAY_PORT": str(port),
        "IOT_MTLS_ENABLED": "0",
        "SFTP_ENABLED": "0",
        "S3_DATA_DIR": str(folder / "s3"),
    }
    with running([str(binaries / "ministack")], environment, folder, folder / "log", lambda: accepts(port)):
        yield port


@pytest.fixture(scope="module")
def stack(
    packages: Packages, extracts: Path, emulator: int, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Stack]:
    folder, between = tmp_path_factory.mktemp("deploy"), Between(emulator)
    with running_issuer() as issuer, answering(between, threads=8) as url:
        stack = Stack(emulator, {}, issuer, between, url)
        upload_workbook(stack.client("s3"))
        deploy(packages, folder, emulator, parameters_given(url, issuer))
        (found,) = stack.client("cloudformation").describe_stacks(StackName=STACK)["Stacks"]
        outputs = {output["OutputKey"]: output["OutputValue"] for output in found["Outputs"]}
        stack = replace(stack, outputs=outputs, template=folder / "expanded.json")
        put_extracts(stack.client("s3"), outputs["ExtractsUrl"], extracts)
        yield stack


def upload_workbook(s3: Any) -> None:
    """The workbook as an Excel file, in a bucket of its own."""
    bucket, _, key = WORKBOOK.removeprefix("s3://").partition("/")
    description = load_description(ROOT / "config" / "workbook.json")
    s3.create_bucket(Bucket=bucket)
    s3.put_object(
        Bucket=bucket, Key=key, Body=build_workbook(description, read_folder(ROOT / "config" / "workbook"), "zh")
    )


@pytest.fixture(scope="module")
def published(stack: Stack) -> Any:
    """The answer of the function to what the schedule sends on the 3rd."""
    return stack.invoke(event("monthly-run"))


def environment_of(port: int) -> dict[str, str]:
    """What leads every program of AWS to the emulator."""
    return {
        "AWS_ACCESS_KEY_ID": "test",
        "AWS_SECRET_ACCESS_KEY": "test",
        "AWS_DEFAULT_REGION": "us-east-1",
        "AWS_ENDPOINT_URL": f"http://127.0.0.1:{port}",
        "SAM_CLI_TELEMETRY": "0",
    }


def parameters_given(cloud: str, issuer: Issuer) -> dict[str, str]:
    """The parameters that this stack is deployed with; the others have their defaults. ``cloud``: for the functions."""
    return {
        "JwtIssuer": issuer.url,
        "JwtAudience": AUDIENCE,
        "GradualDeployment": "false",
        "RequestSeconds": "8",
        "Workbook": WORKBOOK,
        "ExampleThresholds": "allow",
        "AwsEndpointUrl": cloud,
    }


def deploy(packages: Packages, folder: Path, port: int, given: dict[str, str]) -> None:
    """Package, transform, deploy: in the order in which the SAM CLI and CloudFormation do it."""
    environment = {
        **{name: value for name, value in os.environ.items() if not name.startswith("AWS_")},
        **environment_of(port),
    }
    parameters = [f"{name}={value}" for name, value in given.items()]

    def run(*command: str) -> str:
        answer = subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True, check=False)
        assert answer.returncode == 0, answer.stdout[-4000:] + answer.stderr[-4000:]
        return answer.stdout

    packaged, expanded = folder / "packaged.yaml", folder / "expanded.json"
    built = str(packages.folder / "template.yaml")
    run(SAM, "package", "--template-file", built, "--resolve-s3", "--output-template-file", str(packaged))
    transform = [str(ROOT / ".venv/sam/bin/python"), str(ROOT / "build/transform.py"), str(packaged)]
    transformed = json.loads(run(*transform, *parameters))
    expanded.write_text(json.dumps(for_emulator(transformed)), encoding="utf-8")
    options = ["--stack-name", STACK, "--resolve-s3", "--capabilities", "CAPABILITY_IAM", "--no-confirm-changeset"]
    run(SAM, "deploy", "--template-file", str(expanded), *options, "--parameter-overrides", *parameters)


def test_a_scheduled_event_publishes_the_month(published: Any) -> None:
    assert published.get("outcome") == "published", published
    assert published["month"] == "2026-10"
    assert sum(published["levels"].values()) == published["agencies"]


def test_an_uploaded_workbook_is_answered_beside_it(stack: Stack, published: Any) -> None:
    """What EventBridge sends for an upload; that it sends it stays unproven here."""
    assert published["rulebook"]
    bucket, _, key = WORKBOOK.removeprefix("s3://").partition("/")
    detail = {"bucket": {"name": bucket}, "object": {"key": key}}
    answer = stack.invoke({"source": "aws.s3", "detail-type": "Object Created", "detail": detail})
    assert (answer["outcome"], answer["rulebook"]) == ("checked", published["rulebook"])
    page = stack.client("s3").get_object(Bucket=bucket, Key="levels/levels.status.html")["Body"].read().decode()
    assert published["rulebook"] in page


def test_the_schedule_sends_what_the_function_understands(stack: Stack) -> None:
    schedules = stack.client("scheduler").list_schedules()["Schedules"]
    targets = [stack.client("scheduler").get_schedule(Name=found["Name"])["Target"] for found in schedules]
    assert {json.dumps(json.loads(target["Input"])) for target in targets} == {
        '{"scheduled_at": "<aws.scheduler.scheduled-time>"}',
        '{"mode": "refresh"}',
        '{"mode": "console"}',
    }
    assert all(stack.outputs["RatingFunctionName"] in target["Arn"] for target in targets)


def test_a_second_firing_changes_nothing(stack: Stack, published: Any) -> None:
    again = stack.invoke(event("monthly-run"))
    assert (again["outcome"], again["run"]) == ("unchanged", published["run"])


def test_the_report_is_in_the_stacks_own_bucket(stack: Stack, published: Any) -> None:
    assert published["report"].startswith(stack.outputs["ReportsUrl"])
    bucket, _, key = published["report"].removeprefix("s3://").partition("/")
    assert stack.client("s3").get_object(Bucket=bucket, Key=key)["ContentLength"] > 0


@pytest.mark.usefixtures("published")
class TestTheApi:
    def test_a_token_with_the_scope_opens_the_card(self, stack: Stack) -> None:
        answer = stack.ask("/v1/agencies/A-0001", stack.issuer.token(PUBLIC))
        assert answer.status_code == 200
        assert answer.json()["agency_id"] == "A-0001"

    def test_an_agency_sees_its_own_view(self, stack: Stack) -> None:
        answer = stack.ask("/v1/agencies/A-0001/level", stack.issuer.token(AGENCY, agency_id="A-0001"))
        assert answer.status_code == 200
        assert answer.json()["metrics"]

    def test_an_agency_does_not_see_another_ones_view(self, stack: Stack) -> None:
        answer = stack.ask("/v1/agencies/A-0002/level", stack.issuer.token(AGENCY, agency_id="A-0001"))
        assert answer.status_code == 403
        assert answer.headers["Content-Type"].startswith("application/problem+json")

    def test_the_public_scope_does_not_open_an_agencys_own_view(self, stack: Stack) -> None:
        assert stack.ask("/v1/agencies/A-0001/level", stack.issuer.token(PUBLIC)).status_code == 403

    @pytest.mark.parametrize("claims", [{}, {"agency_id": None}, {"custom:agency_id": "A-0001"}, {"agency_id": ""}])
    def test_a_token_that_names_no_agency_opens_no_own_view(self, stack: Stack, claims: dict[str, Any]) -> None:
        token = stack.issuer.token(AGENCY, **claims)
        assert stack.ask("/v1/agencies/A-0001/level", token).status_code == 403

    def test_the_scope_for_any_agency_opens_every_own_view(self, stack: Stack) -> None:
        token = stack.issuer.token(f"{AGENCY}.any")
        assert stack.ask("/v1/agencies/A-0001/level", token).status_code == 200
        assert stack.ask("/v1/agencies/A-0002/history", token).status_code == 200

    def test_no_token_opens_nothing(self, stack: Stack) -> None:
        assert stack.ask("/v1/agencies/A-0001").status_code == 401

    def test_an_expired_token_opens_nothing(self, stack: Stack) -> None:
        expired = stack.issuer.token(PUBLIC, exp=int(time.time()) - 600)
        assert stack.ask("/v1/agencies/A-0001", expired).status_code == 401

    def test_a_token_for_somebody_else_opens_nothing(self, stack: Stack) -> None:
        assert stack.ask("/v1/agencies/A-0001", stack.issuer.token(PUBLIC, aud="payments")).status_code == 401

    def test_a_token_of_another_issuer_opens_nothing(self, stack: Stack) -> None:
        token = stack.issuer.token(PUBLIC, iss="https://issuer.example")
        assert stack.ask("/v1/agencies/A-0001", token).status_code == 401

    def test_a_forged_signature_opens_nothing(self, stack: Stack) -> None:
        assert stack.ask("/v1/agencies/A-0001", stack.issuer.token(PUBLIC, forged=True)).status_code == 401

    def test_the_health_check_needs_no_token(self, stack: Stack) -> None:
        assert stack.ask("/healthz").status_code == 200

    def test_a_batch_is_answered_in_its_order(self, stack: Stack) -> None:
        wanted = {"agency_ids": ["A-0003", "A-0001", "no-such-agency"]}
        answer = stack.ask("/v1/agencies/batch", stack.issuer.token(PUBLIC), "POST", json=wanted)
        assert answer.status_code == 200
        assert [card["agency_id"] for card in answer.json()["items"]] == ["A-0003", "A-0001"]
        assert answer.json()["missing"] == ["no-such-agency"]

    @pytest.mark.parametrize(
        "path", ["/v1/levels", "/v1/benefits", "/v1/publication", "/v1/publications", "/v1/agencies?level=1"]
    )
    def test_what_everybody_may_know_is_answered(self, stack: Stack, path: str) -> None:
        assert stack.ask(path, stack.issuer.token(PUBLIC)).status_code == 200

    @pytest.mark.parametrize("view", ["level", "history", "benefits", "binding-slots"])
    def test_what_an_agency_may_know_is_answered(self, stack: Stack, view: str) -> None:
        token = stack.issuer.token(AGENCY, agency_id="A-0001")
        assert stack.ask(f"/v1/agencies/A-0001/{view}", token).status_code == 200

    def test_what_has_not_changed_is_not_sent_again(self, stack: Stack) -> None:
        token = stack.issuer.token(PUBLIC)
        tag = stack.ask("/v1/levels", token).headers["ETag"]
        headers = {"Host": stack.outputs["ApiUrl"].split("://")[1], "Authorization": f"Bearer {token}"}
        url = f"http://127.0.0.1:{stack.port}/v1/levels"
        again = requests.get(url, headers={**headers, "If-None-Match": tag}, timeout=60)
        assert again.status_code == 304

    @pytest.mark.parametrize("path", ["/v1/nothing", "/v1/levels/", "//v1/levels", "/v1/agencies/A-0001/level/"])
    def test_a_path_without_a_route_never_opens_data(self, stack: Stack, path: str) -> None:
        assert stack.ask(path).status_code in (401, 404)


@pytest.fixture
def reached(stack: Stack, monkeypatch: pytest.MonkeyPatch) -> Stack:
    """The stack, for programs that find their cloud by the environment, as people's do."""
    for name, value in environment_of(stack.port).items():
        monkeypatch.setenv(name, value)
    return stack


def parameters_of(stack: Stack) -> dict[str, str]:
    found = deploy_command.parameters_of(STACK, None)
    assert found, stack
    return found


def test_an_upgrade_keeps_parameters_and_months_and_brings_the_change_to_the_api(
    reached: Stack, published: Any, tmp_path: Path
) -> None:
    """`make deploy SET=…` on a stack that runs; only the emulator's template and its uploading are added."""
    before, functions = parameters_of(reached), reached.client("lambda")
    version = functions.get_alias(FunctionName=f"{STACK}-lookup", Name="live")["FunctionVersion"]

    def run(command: Sequence[str]) -> int:
        if command[0] == "make":
            return 0  # it is built already
        added = ["--template-file", str(reached.template), "--config-file", str(ROOT / "samconfig.toml")]
        return subprocess.run([*command, *added, "--no-confirm-changeset"], cwd=tmp_path, check=False).returncode

    named = deploy_command.named("LookupMemory=768")
    assert deploy_command.deploy(STACK, named, tmp_path / "answers.toml", run) == 0

    assert parameters_of(reached) == before | {"LookupMemory": "768"}
    assert functions.get_alias(FunctionName=f"{STACK}-lookup", Name="live")["FunctionVersion"] != version
    live = functions.get_function_configuration(FunctionName=f"{STACK}-lookup", Qualifier="live")
    assert live["MemorySize"] == 768
    answer = reached.ask("/v1/publication", reached.issuer.token(PUBLIC))
    assert (answer.status_code, answer.json()["run"]) == (200, published["run"])
    again = reached.invoke(event("monthly-run"))
    assert (again["outcome"], again["run"]) == ("unchanged", published["run"])


BEYOND_THE_EMULATOR = {
    "parameters: levels are not those of the example",
    "schedule RatingFunctionConsole: as the template has it, with its time zone",
    "schedule RatingFunctionRefresh: as the template has it, with its time zone",
    "schedule RatingFunctionRenewal: as the template has it, with its time zone",
    "alarms: whoever is on call has confirmed",
    "bucket ExtractsBucket: private, encrypted, versions and expiry as the template has them",
    "bucket ExtractsBucket: refuses plain HTTP",
    "bucket ReportsBucket: private, encrypted, versions and expiry as the template has them",
    "bucket ReportsBucket: refuses plain HTTP",
    "table: keys, expiry, and a way back",
    "API: a page of an allowed origin may ask",
    "schedule: it fires at its time",
    "lookups: a bad version is rolled back by its alarms",
    "alarms: the mail arrives",
}
"""What `make smoke` can't prove of this stack: the emulator leaves it out, or nobody gave it a parameter."""


def test_smoke_proves_all_that_the_emulator_has_and_leaves_nothing_behind(
    reached: Stack, published: Any, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("TOKEN_PUBLIC", reached.issuer.token(PUBLIC))
    monkeypatch.setenv("TOKEN_ANY", reached.issuer.token(f"{AGENCY}.any"))
    monkeypatch.setenv("TOKEN_NO_AGENCY", reached.issuer.token(AGENCY))
    results = Results(print)
    smoke(Deployed.find(boto3.Session(), STACK), results)
    assert results.of("failed") == []
    assert {line.what for line in results.of("not provable here")} == BEYOND_THE_EMULATOR
    assert "month: two months are published" in capsys.readouterr().out
    assert left_of_smoke(reached) == []
    answer = reached.ask("/v1/publication", reached.issuer.token(PUBLIC))
    assert answer.json()["run"] == published["run"]


def left_of_smoke(stack: Stack) -> list[str]:
    """Everything in the cloud whose name says that `make smoke` made it."""
    extracts, reports = (
        stack.outputs[name].removeprefix("s3://").split("/")[0] for name in ("ExtractsUrl", "ReportsUrl")
    )
    names = [one["FunctionName"] for one in stack.client("lambda").list_functions()["Functions"]]
    names += [one["RoleName"] for one in stack.client("iam").list_roles()["Roles"]]
    names += stack.client("dynamodb").list_tables()["TableNames"]
    names += stack.client("sqs").list_queues().get("QueueUrls", [])
    names += [one["Name"] for one in stack.client("events").list_event_buses()["EventBuses"]]
    for bucket in (extracts, reports):
        found = stack.client("s3").list_object_versions(Bucket=bucket)
        names += [one["Key"] for one in [*found.get("Versions", ()), *found.get("DeleteMarkers", ())]]
    assert len(names) > 5
    return [name for name in names if "smoke" in name]


@dataclass(frozen=True)
class EmulatorsTrouble:
    """What the functions of the stack are refused by the cloud that they are in."""

    between: Between
    public: Callable[[str], Any]

    @contextmanager
    def table_refuses(self) -> Iterator[None]:
        with self.between.refusing(b""):
            yield

    @contextmanager
    def pointer_refused(self, visitor: Visitor) -> Iterator[None]:
        del visitor  # it is so for everybody
        with shown_as_stale(self.public, self.between.refusing(b'"POINTER"')):
            yield


@pytest.fixture(scope="module")
def place(stack: Stack) -> Iterator[Place]:
    """The pages before the stack, as the template says of CloudFront; the files are in a bucket of the emulator."""
    assert stack.template
    template = json.loads(stack.template.read_text("utf-8"))
    known = {name: str(one["Default"]) for name, one in template["Parameters"].items() if "Default" in one}
    known |= parameters_given(stack.between_url, stack.issuer)
    known |= {"AWS::StackName": STACK, "Api.ApiEndpoint": stack.outputs["ApiUrl"]}
    hour = int(time.time()) + 3600

    def public(path: str) -> Any:
        return stack.ask(path, stack.issuer.token(PUBLIC, exp=hour)).json()

    def own(agency: str) -> Any:
        answer = stack.ask(f"/v1/agencies/{agency}/level", stack.issuer.token(f"{AGENCY}.any"))
        return answer.json() if answer.status_code == 200 else None

    with edge(stack.port, Distribution(template, known), stack.issuer, stack.client("s3"), "pages") as url:
        yield Place(
            url=url,
            public=public,
            own=own,
            client=stack.client,
            table=stack.outputs["TableName"],
            reports=S3Prefix.parse(stack.outputs["ReportsUrl"]),
            spent_token=stack.issuer.token(f"{PUBLIC} {AGENCY}", agency_id="A-0001", exp=int(time.time()) - 600),
            trouble=EmulatorsTrouble(stack.between, public),
        )


@pytest.fixture(scope="module")
def visit(place: Place) -> Iterator[Callable[[str], Visitor]]:
    """Signs somebody in, in a real browser."""
    with chromium() as browser:
        yield lambda person: Visitor.signed_in(browser, place.url, person)


@pytest.fixture(scope="module")
def axe(built_pages: Path) -> str:
    return (built_pages / "node_modules" / "axe-core" / "axe.min.js").read_text(encoding="utf-8")


@pytest.mark.usefixtures("published")
class TestThePages:
    """Each state in one look, in turn; tests/e2e/test_pages.py has each of them in all, before make serve.

    One month is published here, so nobody went up or down or stayed the same, and no month waits, is ready, held or
    being measured: each of these needs another run of this stack, or a deployment of its own.
    """

    def test_every_state_is_shown_as_before_make_serve(
        self, visit: Callable[[str], Visitor], place: Place, axe: str, published: Any
    ) -> None:
        looks, states = OneLookEach(), page_states.level_views(place, AGENCIES, len(PAGE_STATES))
        assert states.keys() == PAGE_STATES
        month, agency = published["month"], states["top"]["agency_id"]
        people = {person: visit(person) for person in ("operator", "merchant", agency)}
        operator, merchant = people["operator"], people["merchant"]
        seen = {
            "operator": chain(
                page_states.levels(operator, states, looks),
                console_states.console_of_months(operator, {month: "published"}, looks),
                console_states.console_of_prepared(operator, PREPARED, looks),
                console_states.console_without_report(operator, place, month, looks),
                console_states.console_sections(operator, looks),
                console_states.refused_console(operator, place, {401: place.spent_token, 403: merchant.token()}, looks),
            ),
            "merchant": page_states.cards_and_ladder(merchant, place, states, looks),
            agency: page_states.refused_levels(people[agency], place, states["top"], looks),
        }
        count = {
            person: assert_fine(people[person], axe, states_of, looks, DEPLOYED_PICTURES)
            for person, states_of in seen.items()
        }
        assert count == {"operator": len(PAGE_STATES) + 9, "merchant": 7, agency: 5}

    def test_operations_have_the_workbook_checked(self, visit: Callable[[str], Visitor], published: Any) -> None:
        visitor = visit("operator")
        visitor.look("/console?lang=en")
        assert published["run"] in visitor.text()
        visitor.page.get_by_role("button", name="Workbook", exact=True).click()
        visitor.page.get_by_role("button", name="Check the workbook now").click()
        expect(visitor.page.get_by_text("Done: checked")).to_be_visible(timeout=120_000)
        assert visitor.errors == []
