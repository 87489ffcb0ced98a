"""What is asked of the analytical engine; measure.py opens the real one."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Protocol

import numpy as np
import numpy.typing as npt


class EngineRefused(Exception):
    """The engine could not read what it was given."""


class Engine(Protocol):
    """SQL in, values out. Every method raises EngineRefused, and OutOfRoom when memory and disk do not suffice."""

    def run(self, sql: str) -> None:
        """Do what one or several statements say."""

    def rows(self, sql: str) -> list[tuple[Any, ...]]:
        """The rows of a query."""

    def column(self, sql: str) -> tuple[npt.NDArray[np.uint64], npt.NDArray[np.bool_]]:
        """The only column of a query, unsigned 64-bit integers, and which of its values are null."""

    def table(self, name: str, columns: Mapping[str, npt.NDArray[Any]]) -> None:
        """Make arrays of equal length readable as a table."""
