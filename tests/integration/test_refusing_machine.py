"""The machine refuses disk, memory or threads in some stage of a run: the error says which, and the next run works."""

from __future__ import annotations

import itertools
import resource
import shutil
import subprocess
import threading
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, ExitStack, contextmanager, nullcontext, suppress
from pathlib import Path
from typing import Any

import pytest

from functions.rating import app
from functions.rating.publication.outbox import outbox_entry_from
from functions.rating.publication.report import Reports
from shared.errors import EventsUnsent, LevelsError, OutOfRoom, ScratchUnusable
from shared.months import Month
from tests.cloud import Cloud, small_cloud
from tests.integration.test_small_disks import on_a_disk_of

BIG, SMALL = (5, 500_000), (1, 0)
STAGES = ("sheet", "recall", "measure", "rate", "stage", "report", "publish", "events")
ON_DISK = STAGES[:3]
MONTHS = map(Month.parse("2020-01").plus, itertools.count())
Refuse = Callable[[ExitStack, Path], None]


def a_full_disk(_: ExitStack, scratch: Path) -> None:
    with (scratch / "full").open("wb", buffering=0) as file, suppress(OSError):
        while file.write(bytes(65536)):
            pass
    assert shutil.disk_usage(scratch).free == 0


def only_empty_files(until: ExitStack, _: Path) -> None:
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (0, hard))
    until.callback(resource.setrlimit, resource.RLIMIT_FSIZE, (soft, hard))


def the_folder_is_deleted(_: ExitStack, scratch: Path) -> None:
    for folder in scratch.iterdir():
        shutil.rmtree(folder)


def no_more_threads(until: ExitStack, _: Path) -> None:
    def refused(_: threading.Thread) -> None:
        raise RuntimeError("can't start new thread")

    until.enter_context(pytest.MonkeyPatch.context()).setattr(threading.Thread, "start", refused)


def no_more_memory(_: ExitStack, __: Path) -> None:
    raise MemoryError


REFUSALS: dict[Refuse, tuple[str, ...]] = {
    a_full_disk: ON_DISK,
    only_empty_files: ON_DISK,
    the_folder_is_deleted: ON_DISK,
    no_more_threads: STAGES,
    no_more_memory: STAGES,
}
"""Each refusal with the stages in which a run fails because of it."""


@contextmanager
def refusing(refuse: Refuse, stage: str, scratch: Path) -> Iterator[None]:
    """Within the block the machine refuses, from this stage of the run on."""
    begun: set[str] = set()
    with ExitStack() as until, pytest.MonkeyPatch.context() as patch:

        def begins(name: str, *_: object) -> None:
            if name == stage and name not in begun:
                begun.add(name)
                refuse(until, scratch)

        def write(*arguments: Any) -> str:
            begins("report")
            return written(*arguments)

        written = Reports.write
        patch.setattr(Reports, "write", write)
        patch.setattr(app, "listener", begins)
        yield
    assert begun == {stage}


@pytest.fixture(scope="module")
def cloud(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cloud]:
    with small_cloud(tmp_path_factory.mktemp("cloud"), RETENTION_MONTHS="1200") as cloud:
        yield cloud


@pytest.fixture
def month(cloud: Cloud) -> str:
    """The next month; its extracts are ready."""
    month = str(next(MONTHS))
    cloud.put_month(month, {"a": BIG, "b": SMALL} if month.endswith(("1", "3", "5", "7", "9")) else {"a": SMALL})
    return month


def rated(cloud: Cloud, month: str, refused: AbstractContextManager[None], scratch: Path) -> LevelsError | None:
    """The error of a run on a machine that refuses; None if the run publishes the month."""
    with pytest.MonkeyPatch.context() as patch, refused:
        patch.setenv("SCRATCH", str(scratch))
        try:
            assert cloud.rate({"month": month})["outcome"] == "published"
        except LevelsError as error:
            return error
    return None


def every_refusal_and_stage() -> Iterator[Any]:
    chosen = {(a_full_disk, "report"), (no_more_memory, "report"), (no_more_threads, "events")}
    for refuse, stage in itertools.product(REFUSALS, STAGES):
        without_sweep = stage == "measure" or (refuse, stage) in chosen
        yield pytest.param(
            refuse, stage, marks=() if without_sweep else pytest.mark.sweep, id=f"{refuse.__name__} from {stage} on"
        )


@pytest.mark.parametrize(("refuse", "stage"), [*every_refusal_and_stage()])
def test_the_error_names_what_the_machine_refused_and_the_next_run_publishes(
    cloud: Cloud,
    month: str,
    tmp_path: Path,
    caplog: pytest.LogCaptureFixture,
    capsys: pytest.CaptureFixture[str],
    refuse: Refuse,
    stage: str,
) -> None:
    with on_a_disk_of(1, tmp_path) if refuse is a_full_disk else nullcontext():
        error = rated(cloud, month, refusing(refuse, stage, tmp_path), tmp_path)
        assert [path.name for path in tmp_path.iterdir() if path.is_dir()] == []
    published = month in cloud.table.pointer().publications
    if stage in REFUSALS[refuse]:
        reported = (
            ("recall", "measure") if refuse is no_more_memory else ON_DISK
        )  # later, the machine refuses memory only once
        expected = EventsUnsent if published else ScratchUnusable if refuse is the_folder_is_deleted else OutOfRoom
        assert type(error) is expected, repr(error)
        assert any(fix in str(error) for fix in ("RatingMemory", "RatingStorage", "SCRATCH has to name"))
        assert ("Nothing was published" in str(error)) <= (not published)
        assert ("Report: s3://reports/out/month=" in str(error)) == (stage in reported)
        assert [record for record in caplog.records if record.getMessage() == "run failed"]
        assert '"RunFailed":[1.0]' in capsys.readouterr().out
    else:
        assert error is None
    assert published == (error is None or stage == "events")
    assert cloud.rate({"month": month})["outcome"] == ("unchanged" if published else "published")
    entry = list(cloud.table.query("OUTBOX"))[-1]
    assert (outbox_entry_from(entry).month, int(entry["sent"]["N"])) == (month, outbox_entry_from(entry).events)


def test_a_read_only_working_folder_is_named_before_anything_is_done(
    cloud: Cloud, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    before = cloud.items()
    with on_a_disk_of(1, tmp_path):
        subprocess.run(["mount", "-o", "remount,ro", str(tmp_path)], check=True)
        error = rated(cloud, "2026-05", nullcontext(), tmp_path)
    assert type(error) is ScratchUnusable
    assert f"the working folder {tmp_path} can't be used ([Errno 30] Read-only file system" in str(error)
    assert "Nothing was published. SCRATCH has to name a folder" in str(error)
    assert '"RunFailed":[1.0]' in capsys.readouterr().out
    assert cloud.items() == before
