"""DuckDB, opened in this process: in memory up to a limit, on disk beyond it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import duckdb
import numpy.typing as npt

from shared.errors import OutOfRoom

MEMORY_LIMIT = 512 * 1024**2  # enough however often orders are repeated; with more that takes less time
SPILL_LIMIT = 10 * 1024**3
_DENSE_BITS = 20  # of numbers that are grouped in an array instead of by hash: some fifty megabytes


class EngineRefused(Exception):
    """DuckDB could not do what it was asked, such as read a damaged file."""


class DuckDB:
    """One connection. Every method raises EngineRefused, and OutOfRoom when memory and disk do not suffice."""

    def __init__(self, connection: duckdb.DuckDBPyConnection) -> None:
        self._connection = connection

    def run(self, sql: str) -> None:
        """Execute one or several statements."""
        with _translated():
            self._connection.execute(sql)

    def rows(self, sql: str) -> list[tuple[Any, ...]]:
        """The rows of a query."""
        with _translated():
            return self._connection.execute(sql).fetchall()

    def arrays(self, sql: str) -> dict[str, npt.NDArray[Any]]:
        """The columns of a query, numbers that are never null, by name."""
        with _translated():
            return self._connection.execute(sql).fetchnumpy()

    def table(self, name: str, columns: Mapping[str, npt.NDArray[Any]]) -> None:
        """Make arrays of equal length readable as a table."""
        self._connection.register(name, dict(columns))


@contextmanager
def open_engine(folder: Path, memory_limit: int = MEMORY_LIMIT) -> Iterator[DuckDB]:
    """DuckDB, confined to this machine's files; it spills into ``folder`` what exceeds ``memory_limit`` bytes."""
    settings: dict[str, str | bool | int | float | list[str]] = {
        "memory_limit": f"{memory_limit // 1024**2}MiB",
        "temp_directory": str(folder / "spill"),
        "autoinstall_known_extensions": "false",
        "autoload_known_extensions": "false",
    }
    with duckdb.connect(config=settings) as connection:
        connection.execute("SET TimeZone = 'UTC'")
        # As a setting of the connection above it would be shown, and not be kept to.
        connection.execute(f"SET max_temp_directory_size = '{SPILL_LIMIT // 1024**2}MiB'")
        connection.execute(f"SET perfect_ht_threshold = {_DENSE_BITS}")
        yield DuckDB(connection)


@contextmanager
def _translated() -> Iterator[None]:
    try:
        yield
    except duckdb.OutOfMemoryException as error:
        raise OutOfRoom(
            f"too little memory or scratch space for this month ({_first_line(error)}). Nothing was published. "
            "See whether orders were delivered twice, which takes most of it; give the function more memory "
            "(RatingMemory) and ephemeral storage (RatingStorage), or have the extract written as Parquet."
        ) from error
    except duckdb.Error as error:
        raise EngineRefused(_first_line(error)) from error


def _first_line(error: Exception) -> str:
    return str(error).partition("\n")[0]
