"""Sample extracts: an invented market over three months, with every case that real extracts have."""

from __future__ import annotations

import shutil
import tempfile
from hashlib import sha256
from pathlib import Path

from local.sample.agencies import agencies
from local.sample.files import write_month
from local.sample.world import Market
from shared.months import Month

MONTHS = (Month(2026, 8), Month(2026, 9), Month(2026, 10))
AGENCIES = 330
ORDERS = 400_000
DATASETS = ("agencies", "creators", "orders")

LOCAL_STATE = Path(__file__).parents[2] / ".local"


def write_sample(folder: Path, *, agency_count: int = AGENCIES, orders: int = ORDERS) -> None:
    """Write the extracts of all months below ``folder``: ``<dataset>/month=YYYY-MM/…``.

    ``orders``: the approximate number per month. The same arguments give the same rows on every machine.
    """
    market = Market(agencies(agency_count, MONTHS), orders)
    for month in MONTHS:
        write_month(market.live(month), folder)


def sample_folder() -> Path:
    """The folder with the whole sample. It is written the first time, and when the code that writes it changes."""
    folder = LOCAL_STATE / f"sample-{_version()}"
    if folder.exists():
        return folder
    LOCAL_STATE.mkdir(exist_ok=True)
    for outdated in LOCAL_STATE.glob("sample-*"):
        shutil.rmtree(outdated)
    with tempfile.TemporaryDirectory(dir=LOCAL_STATE) as unfinished:
        write_sample(Path(unfinished) / "sample")
        (Path(unfinished) / "sample").replace(folder)
    return folder


def _version() -> str:
    sources = sorted(path for path in Path(__file__).parent.iterdir() if path.suffix in (".py", ".sql"))
    return sha256(b"".join(path.read_bytes() for path in sources)).hexdigest()[:12]
