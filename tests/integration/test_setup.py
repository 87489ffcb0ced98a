"""Set-up: after it the environment is complete, whatever happened before and whoever else runs it."""

from __future__ import annotations

import os
import runpy
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from local.cloud.template import ROOT

uv_settings = runpy.run_path(str(ROOT / "build" / "pip_settings.py"))["uv_settings"]
PIP = {"USE_PIP": "1"}  # slow enough to be killed halfway
NOT_HERE = "this-package-does-not-exist==1.0 --hash=sha256:" + "0" * 64 + "\n"


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    """A checkout that needs no packages, in a folder whose name has a space and Chinese characters."""
    folder = tmp_path / "我的 项目"
    (folder / "build").mkdir(parents=True)
    for name in ("setup.sh", "setup.py", "pip_settings.py"):
        shutil.copy(ROOT / "build" / name, folder / "build" / name)
    (folder / "requirements").mkdir()
    for name in ("demo", "dev"):
        (folder / "requirements" / f"{name}.txt").write_text("", encoding="utf-8")
    return folder


def start(checkout: Path, name: str = "demo", **environment: str) -> subprocess.Popen[str]:
    inherited = {key: value for key, value in os.environ.items() if key not in ("PYTHON", "VIRTUAL_ENV")}
    inherited["PATH"] = f"{Path(sys.executable).parent}:{inherited['PATH']}"  # the folder of uv
    return subprocess.Popen(
        ["sh", "build/setup.sh", name],
        cwd=checkout,
        env={**inherited, "PYTHON": sys.executable, **environment},
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )


def run(checkout: Path, name: str = "demo", **environment: str) -> tuple[int, str]:
    with start(checkout, name, **environment) as setup:
        _, printed = setup.communicate(timeout=120)
    return setup.returncode, printed


def is_complete(checkout: Path) -> bool:
    """Whether the environment works and a second set-up has nothing to do."""
    python = checkout / ".venv" / "bin" / "python"
    works = subprocess.run([python, "-c", ""], check=False).returncode == 0
    return works and run(checkout) == (0, "")


def test_an_incomplete_environment_is_made_again(checkout: Path) -> None:
    half = checkout / ".venv" / "bin"
    half.mkdir(parents=True)
    (half / "python").symlink_to(sys.executable)
    code, printed = run(checkout)
    assert (code, is_complete(checkout)) == (0, True), printed


def test_the_environment_of_a_killed_set_up_is_not_taken_for_complete(checkout: Path) -> None:
    with start(checkout, **PIP) as setup:
        deadline = time.monotonic() + 60
        while not (checkout / ".venv" / "bin").exists() and time.monotonic() < deadline:
            time.sleep(0.01)
        assert (checkout / ".venv" / "bin").exists()
        os.killpg(setup.pid, signal.SIGKILL)
        setup.communicate()
    assert not list((checkout / ".venv").glob(".ready-*"))
    code, printed = run(checkout)
    assert (code, is_complete(checkout)) == (0, True), printed


def test_two_set_ups_at_once_make_one_environment(checkout: Path) -> None:
    with start(checkout, **PIP) as one, start(checkout, **PIP) as other:
        printed = one.communicate(timeout=120)[1] + other.communicate(timeout=120)[1]
    assert (one.returncode, other.returncode) == (0, 0), printed
    assert printed.count("setup: installing") == 1
    assert is_complete(checkout)


def test_a_failed_installation_is_named_at_the_end_and_tried_again_the_next_time(checkout: Path) -> None:
    (checkout / "requirements" / "demo.txt").write_text(NOT_HERE, encoding="utf-8")
    offline = {**PIP, "PIP_NO_INDEX": "1", "PIP_CONFIG_FILE": os.devnull}
    code, printed = run(checkout, **offline)
    assert code == 1
    assert printed.splitlines()[-1].startswith("setup: python ended with 1; its words are above. Fix what it names")
    (checkout / "requirements" / "demo.txt").write_text("", encoding="utf-8")
    assert (run(checkout)[0], is_complete(checkout)) == (0, True)


def test_pip_installs_if_uv_cannot_be_installed(checkout: Path) -> None:
    (checkout / "requirements" / "uv.txt").write_text(NOT_HERE, encoding="utf-8")
    alone = {"PATH": "/usr/bin:/bin", "PIP_NO_INDEX": "1", "PIP_CONFIG_FILE": os.devnull}
    code, printed = run(checkout, **alone)
    assert (code, is_complete(checkout)) == (0, True), printed
    assert printed.splitlines() == ["setup: installing requirements/demo.txt into .venv"]


def test_the_environment_of_tests_is_enough_for_the_demo(checkout: Path) -> None:
    assert run(checkout, "dev")[0] == 0
    assert run(checkout, "demo") == (0, "")


def test_changed_requirements_are_installed_into_the_same_environment(checkout: Path) -> None:
    run(checkout)
    kept = checkout / ".venv" / "kept"
    kept.touch()
    (checkout / "requirements" / "demo.txt").write_text("# changed\n", encoding="utf-8")
    code, printed = run(checkout)
    assert (code, kept.exists(), "installing" in printed) == (0, True, True)


def test_uv_gets_the_mirror_of_pips_configuration(tmp_path: Path) -> None:
    config = tmp_path / "pip" / "pip.conf"
    config.parent.mkdir()
    config.write_text(
        "[global]\nindex-url = https://mirror.example/simple\ntrusted-host = mirror.example\n"
        "[install]\nfind_links = /wheels\n    /more\n",
        encoding="utf-8",
    )
    settings = uv_settings({"HOME": str(tmp_path), "XDG_CONFIG_HOME": str(tmp_path), "PIP_PROXY": "http://proxy:8080"})
    assert settings["UV_DEFAULT_INDEX"] == "https://mirror.example/simple"
    assert settings["UV_INSECURE_HOST"] == "mirror.example"
    assert settings["UV_FIND_LINKS"] == "/wheels,/more"
    assert settings["ALL_PROXY"] == "http://proxy:8080"


def test_a_variable_overrides_a_file_and_uvs_own_setting_overrides_pips(tmp_path: Path) -> None:
    config = tmp_path / "own.conf"
    config.write_text("[global]\nindex-url = https://file.example/simple\n", encoding="utf-8")
    named = {"HOME": str(tmp_path), "PIP_CONFIG_FILE": str(config)}
    assert uv_settings(named)["UV_DEFAULT_INDEX"] == "https://file.example/simple"
    variable = {**named, "PIP_INDEX_URL": "https://variable.example/simple"}
    assert uv_settings(variable)["UV_DEFAULT_INDEX"] == "https://variable.example/simple"
    own = {**variable, "UV_DEFAULT_INDEX": "https://uv.example/simple"}
    assert uv_settings(own)["UV_DEFAULT_INDEX"] == "https://uv.example/simple"
