"""Disks and file limits that are too small: the error says so, never that data are damaged, and no file is left."""

from __future__ import annotations

import gzip
import os
import resource
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from decimal import Decimal
from pathlib import Path
from zoneinfo import ZoneInfo

import duckdb
import pytest

from functions.rating.extracts.datasets import Dataset
from functions.rating.extracts.inventory import Extracts, Inventory
from functions.rating.measuring.embedded.measure import EmbeddedEngine
from functions.rating.progress import Progress
from shared.errors import OutOfRoom
from shared.months import Month
from shared.settings import S3Prefix
from tests.cloud import BUCKET, Cloud, small_cloud
from tests.months import HEADERS

ROOT = Path(__file__).parents[2]
MB = 1024**2
ROWS = 100_000
MAY = {"month": "2026-05", "mode": "preview"}
KILLED = """
import os, signal, sys
from pathlib import Path
from functions.rating.scratch import run_folder
with run_folder(Path(sys.argv[1])) as folder:
    (folder / "rows").write_bytes(bytes(15 * 1024**2))
    os.kill(os.getpid(), signal.SIGKILL)
"""
Confined = Callable[[int, Path], AbstractContextManager[None]]


@contextmanager
def on_a_disk_of(megabytes: int, folder: Path) -> Iterator[None]:
    """Within the block the folder is a disk of this size."""
    mount = ["mount", "-t", "tmpfs", "-o", f"size={megabytes}m", "tmpfs", str(folder)]
    mounted = subprocess.run(mount, check=False, capture_output=True, text=True)
    if mounted.returncode:
        pytest.skip(f"no small disk can be made here: {mounted.stderr.strip()}")
    try:
        yield
    finally:
        subprocess.run(["umount", str(folder)], check=True)


@contextmanager
def with_files_of_at_most(megabytes: int, folder: Path) -> Iterator[None]:
    """Within the block this process can write no larger file."""
    assert folder.is_dir()
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (megabytes * MB, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


def orders(amount: Callable[[int], object], times: int = 1) -> str:
    rows = "".join(
        f"o{n * 7919 % 1_000_003}-{n}-{'y' * 60},a-0,2026-05-15 12:{n % 60:02d}:00,{amount(n)},\n" for n in range(ROWS)
    )
    return HEADERS[Dataset.ORDERS] + rows * times


@pytest.fixture(scope="module")
def extracts(tmp_path_factory: pytest.TempPathFactory) -> dict[str, bytes]:
    """Orders that fill a disk, each in another stage."""
    good, bad, twice = orders(lambda n: n), orders(lambda _: "bad"), orders(lambda n: n, times=2)
    folder = tmp_path_factory.mktemp("parquet")
    (folder / "twice.csv").write_text(twice)
    copied = f"COPY (FROM read_csv('{folder}/twice.csv', all_varchar = true)) TO '{folder}/twice.parquet'"
    duckdb.execute(f"{copied} (FORMAT parquet, COMPRESSION zstd)")
    return {
        "an object larger than the disk": good.encode(),
        "compressed text that is unpacked": gzip.compress(good.encode(), 1),
        "rows that all go to quarantine": gzip.compress(bad.encode(), 1),
        "orders that came twice": (folder / "twice.parquet").read_bytes(),
    }


@pytest.fixture(scope="module")
def cloud(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cloud]:
    with small_cloud(tmp_path_factory.mktemp("disks")) as cloud:
        cloud.write_workbook(settings="setting,value\nmax_bad_row_share,1\n")
        cloud.put_month("2026-05", {"a": (5, 500_000), "b": (1, 0)})
        yield cloud


@pytest.mark.parametrize("megabytes", [2, 8, 20])
@pytest.mark.parametrize("confined", [on_a_disk_of, with_files_of_at_most])
@pytest.mark.parametrize(
    "fills", ["an object larger than the disk", "compressed text that is unpacked", "rows that all go to quarantine"]
)
def test_whatever_fills_the_disk_the_error_is_out_of_room(
    cloud: Cloud, extracts: dict[str, bytes], tmp_path: Path, fills: str, confined: Confined, megabytes: int
) -> None:
    cloud.put_object("orders", "2026-05", "part-0.csv", extracts[fills])
    cloud.forget_measurements()
    message = ""
    with pytest.MonkeyPatch.context() as patch, confined(megabytes, tmp_path):
        patch.setenv("SCRATCH", str(tmp_path))
        try:
            assert cloud.rate(MAY)["outcome"] == "previewed"
        except OutOfRoom as error:
            message = str(error)
        assert list(tmp_path.iterdir()) == []
    assert "written again" not in message
    assert ("Report: s3://reports/out/month=2026-05/stopped=" in message) == bool(message)
    if megabytes == 2:
        assert "Nothing was published" in message


@pytest.mark.parametrize("megabytes", [2, 8, 20])
def test_an_engine_without_room_to_spill_is_out_of_room(
    cloud: Cloud, extracts: dict[str, bytes], tmp_path: Path, megabytes: int
) -> None:
    cloud.put_object("orders", "2026-05", "part-0.csv", extracts["orders that came twice"])
    inventory = Extracts(cloud.s3, S3Prefix(BUCKET, "in")).find(Month.parse("2026-05"))
    assert isinstance(inventory, Inventory)
    zone = ZoneInfo("Asia/Shanghai")
    with on_a_disk_of(megabytes, tmp_path):
        engine = EmbeddedEngine(cloud.s3, BUCKET, zone, tmp_path, memory_limit=16 * MB)
        with pytest.raises(OutOfRoom, match="Nothing was published"):
            engine.measure(inventory, Decimal(1), Progress())
        assert list(tmp_path.iterdir()) == []


def test_the_files_of_a_killed_run_take_no_room_from_the_next_run(
    cloud: Cloud, extracts: dict[str, bytes], tmp_path: Path
) -> None:
    cloud.put_object("orders", "2026-05", "part-0.csv", extracts["compressed text that is unpacked"])
    cloud.forget_measurements()
    with pytest.MonkeyPatch.context() as patch, on_a_disk_of(20, tmp_path):
        patch.setenv("SCRATCH", str(tmp_path))
        killed = subprocess.run([sys.executable, "-c", KILLED, str(tmp_path)], cwd=ROOT, check=False, timeout=60)
        assert killed.returncode == -signal.SIGKILL
        assert os.statvfs(tmp_path).f_bavail * os.statvfs(tmp_path).f_frsize < 6 * MB
        assert cloud.rate(MAY)["outcome"] == "previewed"
