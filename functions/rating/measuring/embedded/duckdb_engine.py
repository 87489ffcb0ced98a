"""What is asked of the analytical engine; measure.py opens the real one."""

from __future__ import annotations

from collections.abc import Generator, Mapping
from typing import Any, Protocol

import numpy.typing as npt

from functions.rating.measuring.embedded.handover import Piece


class EngineRefused(Exception):
    """The engine could not read what it was given."""


class Engine(Protocol):
    """SQL in, values out. Every method raises EngineRefused, and OutOfRoom when memory and disk do not suffice."""

    def run(self, sql: str) -> None:
        """Do what one or several statements say."""

    def rows(self, sql: str) -> list[tuple[Any, ...]]:
        """The rows of a query."""

    def pieces(self, sql: str) -> Generator[Piece]:
        """The rows of a query piece by piece. Close it when it is not read to its end."""

    def table(self, name: str, columns: Mapping[str, npt.NDArray[Any]]) -> None:
        """Make arrays of equal length readable as a table."""
