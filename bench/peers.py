"""Other libraries to compare with, installed outside the project's environment, so that they constrain nothing."""

from __future__ import annotations

import site
from importlib import import_module
from pathlib import Path
from typing import Any

_PEERS = Path(__file__).parents[1] / ".venv" / "bench"


def peer(name: str) -> Any:
    """A library of requirements/bench.in."""
    site.addsitedir(str(next(_PEERS.glob("lib/python*/site-packages"))))
    return import_module(name)
