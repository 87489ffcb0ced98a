"""Spark as an engine of plain SQL: a month's relations are views over the parts."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from functions.rating.extracts.datasets import Dataset, Kind
from functions.rating.measuring.totals import Agency

if TYPE_CHECKING:
    from pyspark.sql import SparkSession

_READ_OFTEN = (
    "contested",
    "ranked",
    "instants",
    "attributions",
    "named_tags",
)  # small relations that several queries read
_ROWS_A_PARTITION = 1_000_000  # rows of a partition of a shuffle: about 40 MB


class SparkSql:
    """A Spark session with the relations agencies, bindings, previous_bindings and orders."""

    def __init__(self, session: SparkSession, order_rows: int) -> None:
        self._session = session
        session.conf.set("spark.sql.session.timeZone", "UTC")
        partitions = max(session.sparkContext.defaultParallelism, order_rows // _ROWS_A_PARTITION)
        session.conf.set("spark.sql.shuffle.partitions", partitions)

    def show(self, relation: str, dataset: Dataset, paths: Sequence[str]) -> None:
        """Create a relation from the parts of a dataset; an empty one without parts."""
        schema = ", ".join(f"{c.name} {'STRING' if c.kind is Kind.TEXT else 'BIGINT'}" for c in dataset.columns)
        reader = self._session.read.schema(schema)
        frame = reader.parquet(*paths) if paths else self._session.createDataFrame([], schema)
        frame.createOrReplaceTempView(relation)

    def show_agencies(self, agencies: Sequence[Agency]) -> None:
        ids = [(agency.agency_id,) for agency in agencies]
        self._session.createDataFrame(ids, "agency_id STRING").createOrReplaceTempView("agencies")

    def run(self, sql: str) -> None:
        """Run CREATE TABLE … AS: the query becomes a view, which is computed when something reads it."""
        created = re.fullmatch(r"CREATE TABLE (\w+) AS\s+(.*)", sql, re.DOTALL)
        if created is None:
            raise ValueError(f"expected CREATE TABLE … AS, found {sql[:60]!r}")
        name, query = created.groups()
        frame = self._session.sql(query)
        (frame.cache() if name in _READ_OFTEN else frame).createOrReplaceTempView(name)

    def rows(self, sql: str) -> list[tuple[Any, ...]]:
        """The rows of a query."""
        return [tuple(row) for row in self._session.sql(sql).collect()]
