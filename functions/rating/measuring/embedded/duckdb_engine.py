"""DuckDB in this process: in memory up to a limit, then on disk."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import duckdb
import numpy.typing as npt

from shared.errors import OutOfRoom

MEMORY_LIMIT = 512 * 1024**2  # enough for any number of repeated orders; more memory takes less time
SPILL_LIMIT = 10 * 1024**3
_DENSE_BITS = 20  # bits of numbers that are grouped in an array instead of a hash table: about 50 MB


class EngineRefused(Exception):
    """DuckDB refused a statement, for example because a file is damaged."""


class DuckDB:
    """One connection. Every method raises EngineRefused, and OutOfRoom if there is too little memory or disk."""

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
        """The columns of a query by name. They must be numbers that are never null."""
        with _translated():
            return self._connection.execute(sql).fetchnumpy()

    def table(self, name: str, columns: Mapping[str, npt.NDArray[Any]]) -> None:
        """Create a table from arrays of equal length."""
        self._connection.register(name, dict(columns))


@contextmanager
def open_engine(folder: Path, memory_limit: int = MEMORY_LIMIT) -> Iterator[DuckDB]:
    """DuckDB, restricted to this machine's files. Above ``memory_limit`` bytes it spills into ``folder``."""
    settings: dict[str, str | bool | int | float | list[str]] = {
        "memory_limit": f"{memory_limit // 1024**2}MiB",
        "temp_directory": str(folder / "spill"),
        "autoinstall_known_extensions": "false",
        "autoload_known_extensions": "false",
    }
    with duckdb.connect(config=settings) as connection:
        connection.execute("SET TimeZone = 'UTC'")
        # Given to connect() above, DuckDB shows this setting but does not keep to it.
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
            "Check whether orders were delivered twice. If not, give the function more memory (RatingMemory) and "
            "ephemeral storage (RatingStorage), have the extract written as Parquet, or have Spark measure the month "
            "(docs/spark.md)."
        ) from error
    except duckdb.Error as error:
        raise EngineRefused(_first_line(error)) from error


def _first_line(error: Exception) -> str:
    return str(error).partition("\n")[0]
