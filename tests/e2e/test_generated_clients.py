"""config/openapi.json as others use it: linters find nothing, and generated clients call the real handler."""

from __future__ import annotations

import json
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import requests

from local.cloud.front import front
from tests.e2e.conftest import ROOT
from tests.serving import answering
from tools.docs.example import example_handler
from tools.docs.openapi import PATH as OPENAPI

SOURCES = Path(__file__).parent / "clients"
PYTHON = ROOT / ".venv/clients/bin"
TOKEN = "back-office"
CLAIMS = {TOKEN: {"sub": "test", "scope": "levels.public levels.agency.any"}}
EXPECTED = {
    "level": 3,
    "nearest": 1,
    "quotas": [None, None, None, None, 10],
    "missing": ["A-9999"],
    "months": ["2026-10"],
    "refused": "urn:problem-type:mcn-levels:unknown-agency",
}
READ = {
    "CardAnswer": "/v1/agencies/A-0042",
    "DirectoryAnswer": "/v1/agencies?level=3",
    "LadderAnswer": "/v1/levels",
    "LevelAnswer": "/v1/levels/3",
    "BenefitsAnswer": "/v1/benefits",
    "BenefitAnswer": "/v1/benefits/training_seats",
    "PublicationAnswer": "/v1/publication",
    "PublicationsAnswer": "/v1/publications",
    "OwnViewAnswer": "/v1/agencies/A-0042/level",
    "HistoryAnswer": "/v1/agencies/A-0042/history",
    "EntitlementsAnswer": "/v1/agencies/A-0042/benefits",
    "EntitlementAnswer": "/v1/agencies/A-0042/benefits/promotion",
    "BindingSlotsAnswer": "/v1/agencies/A-0042/binding-slots",
    "HealthAnswer": "/healthz",
    "ProblemAnswer": "/v1/agencies/A-9999",
}


@pytest.fixture(scope="module")
def address() -> Iterator[str]:
    """The API over the example world, on 127.0.0.1."""
    application = front(example_handler(), claims_of=CLAIMS.get)
    with answering(application) as address:
        yield address


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy of the clients' sources, with the locked packages installed."""
    if not shutil.which("npm"):
        pytest.skip("no npm on this machine")
    folder = tmp_path_factory.mktemp("clients")
    for path in SOURCES.iterdir():
        if path.is_file():
            shutil.copy(path, folder)
    run(folder, "npm", "ci", "--ignore-scripts", "--no-audit", "--no-fund")
    shutil.copy(OPENAPI, folder / "openapi.json")
    return folder


def run(folder: Path, *command: str, given: str | None = None, **more: Any) -> str:
    """The output of a command; the command must succeed."""
    done = subprocess.run(
        command, cwd=folder, input=given, capture_output=True, text=True, timeout=300, check=False, **more
    )
    assert done.returncode == 0, done.stdout[-4000:] + done.stderr[-4000:]
    output: str = done.stdout
    return output


def npx(folder: Path, *command: str) -> str:
    return run(folder, "npx", "--no-install", *command)


def test_redocly_and_spectral_find_nothing_to_improve(project: Path) -> None:
    found = json.loads(npx(project, "redocly", "lint", "openapi.json", "--config", "redocly.yaml", "--format", "json"))
    assert found["problems"] == []
    spectral = ["spectral", "lint", "openapi.json", "--ruleset", "spectral.yaml", "--format", "json"]
    assert json.loads(npx(project, *spectral, "--quiet", "--fail-severity", "hint")) == []


def test_typescript_clients_compile_and_get_answers(project: Path, address: str) -> None:
    npx(project, "openapi-typescript", "openapi.json", "--output", "generated/schema.d.ts")
    npx(
        project,
        "openapi-ts",
        "--input",
        "openapi.json",
        "--output",
        "generated/hey",
        "--client",
        "@hey-api/client-fetch",
    )
    npx(project, "tsc")
    for client in ("ask_with_openapi_fetch.ts", "ask_with_hey_api.ts"):
        assert json.loads(npx(project, "tsx", client, address, TOKEN)) == EXPECTED


def test_the_client_of_openapi_python_client_gets_answers(project: Path, address: str) -> None:
    generate = ["generate", "--path", "openapi.json", "--meta", "none", "--output-path", "levels_client"]
    output = run(project, str(PYTHON / "openapi-python-client"), *generate, env={"PATH": f"{PYTHON}:/usr/bin:/bin"})
    assert "WARNING" not in output.upper()
    printed = run(project, str(PYTHON / "python"), "ask_with_openapi_python_client.py", address, TOKEN)
    assert json.loads(printed) == EXPECTED


def test_the_models_of_datamodel_code_generator_read_answers_of_this_and_later_versions(
    project: Path, address: str
) -> None:
    options = [
        "--input-file-type",
        "openapi",
        "--output-model-type",
        "pydantic_v2.BaseModel",
        "--formatters",
        "builtin",
    ]
    run(project, str(PYTHON / "datamodel-codegen"), "--input", "openapi.json", "--output", "models.py", *options)
    described = json.loads(OPENAPI.read_text("utf-8"))
    assert READ.keys() >= {
        found["responses"]["200"]["content"]["application/json"]["schema"]["$ref"].rpartition("/")[2]
        for methods in described["paths"].values()
        for method, found in methods.items()
        if method == "get"
    }
    read = run(project, str(PYTHON / "python"), "read_with_datamodel_codegen.py", given=json.dumps(answers(address)))
    assert json.loads(read) == sorted(READ)


def answers(address: str) -> dict[str, Any]:
    """The handler's answer to each path of READ, by model."""
    headers = {"Authorization": f"Bearer {TOKEN}"}
    return {name: requests.get(address + path, headers=headers, timeout=30).json() for name, path in READ.items()}
