"""Creates the relations that the measuring SQL reads, from sources."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from itertools import groupby

import numpy as np

from functions.rating.extracts.datasets import FORMATS_PAGE, Column, Dataset, Kind
from functions.rating.measuring.embedded.duckdb_engine import DuckDB, EngineRefused
from functions.rating.measuring.embedded.duplicates import OrderNumbers
from functions.rating.measuring.embedded.reading.batches import batches
from functions.rating.measuring.embedded.reading.missing_creators import TRIMMED_CREATOR
from functions.rating.measuring.embedded.reading.objects import refusal
from functions.rating.measuring.embedded.reading.rows_read import DatasetRead
from functions.rating.measuring.embedded.reading.sources import POSITION, RowNumbers, Source, of_files
from functions.rating.measuring.embedded.sources import bad_numbers, numbered, read_all, read_valid, row_number
from functions.rating.measuring.embedded.sql import literal, nested, select
from shared.errors import AgenciesInvalid

_ORDER_ID = next(column for column in Dataset.ORDERS.columns if column.name == "order_id")
_SMALL = 250_000  # rows of objects that are read together if only some of them are needed
_FEW_TIMES = 4  # up to this multiple of the candidates expected by chance, probably no order is repeated


def load_relations(engine: DuckDB, sources: Mapping[Dataset, Sequence[Source]]) -> None:
    """Create all relations except the repeated orders. Raises AgenciesInvalid if two rows of one agency differ."""
    load_agencies(engine, sources.get(Dataset.AGENCIES, ()))
    load(engine, "bindings", Dataset.CREATORS, sources.get(Dataset.CREATORS, ()))
    load(engine, "previous_bindings", Dataset.CREATORS, sources.get(Dataset.PREVIOUS_CREATORS, ()))
    show_orders(engine, sources.get(Dataset.ORDERS, ()))


def load(engine: DuckDB, table: str, dataset: Dataset, sources: Sequence[Source]) -> None:
    """Load the valid rows of a dataset into a table."""
    create(engine, table, dataset.columns)
    if sources:
        names = [column.name for column in dataset.columns]
        engine.run(f"INSERT INTO {table} {read_valid(sources, names, load_bad_numbers(engine, table, sources))}")


def load_bad_numbers(engine: DuckDB, table: str, sources: Sequence[Source]) -> str:
    """Load the numbers of the sources' bad rows into a table named after another table."""
    name = f"bad_{table}"
    engine.table("numbers", {"number": bad_numbers(sources)})
    engine.run(f"CREATE OR REPLACE TABLE {name} AS {select(('number',), 'numbers')}")
    return name


def create(engine: DuckDB, table: str, columns: Iterable[Column], *more: str) -> None:
    """Create an empty table with a dataset's columns and further declared columns."""
    declared = (f"{column.name} {'VARCHAR' if column.kind is Kind.TEXT else 'BIGINT'}" for column in columns)
    engine.run(f"CREATE TABLE {table} ({', '.join((*declared, *more))})")


def load_agencies(engine: DuckDB, sources: Sequence[Source]) -> None:
    """Load the agencies; equal rows count once. Raises AgenciesInvalid if two rows of one agency differ."""
    load(engine, "agency_rows", Dataset.AGENCIES, sources)
    engine.run("CREATE TABLE agencies AS SELECT DISTINCT * FROM agency_rows")
    differing = engine.rows("SELECT agency_id FROM agencies GROUP BY agency_id HAVING count(*) > 1 ORDER BY agency_id")
    if differing:
        agency_id = differing[0][0]
        rows = [
            "{}, row {}".format(*source.origin(index))
            for source in sources
            for (index,) in engine.rows(
                select(
                    ("file_row_number",),
                    nested(read_all([source], ("agency_id", "file_row_number"))),
                    f"agency_id = {literal(agency_id)}",
                    "1",
                )
            )
        ]
        raise AgenciesInvalid(
            f"agency {agency_id} has rows that differ ({'; '.join(rows)}), and so have {len(differing) - 1} other "
            "agencies; expected equal rows, or one. Have the agencies extract corrected and written again. "
            f"{FORMATS_PAGE}"
        )


def show_orders(engine: DuckDB, sources: Sequence[Source], creator: str = "creator_id") -> None:
    """Create a view of the valid rows of all orders, which are not copied. ``creator``: SQL for the creator's id."""
    columns = (f"{creator} AS creator_id", "pay_time", "pay_amount", "risk_tag")
    if sources:
        rows = read_valid(sources, columns, load_bad_numbers(engine, "orders", sources))
    else:
        create(engine, "no_orders", Dataset.ORDERS.columns)
        rows = select(columns, "no_orders")
    engine.run(f"CREATE VIEW orders AS {rows}")


def load_repeated(engine: DuckDB, sources: Sequence[Source], candidates: OrderNumbers, by_chance: float) -> None:
    """Load orders whose order_id may occur more than once. ``by_chance``: how many candidates chance explains."""
    if candidates.size < _FEW_TIMES * by_chance:  # probably none is repeated: their ids alone can prove it
        load_some(engine, "maybe_repeated", sources, candidates, [_ORDER_ID])
        repeated = "order_id IN (SELECT order_id FROM maybe_repeated GROUP BY order_id HAVING count(*) > 1)"
        numbers = engine.rows(select(("number",), "maybe_repeated", repeated, "number"))
        candidates = np.array([number for (number,) in numbers], np.uint32)
        engine.run("DROP TABLE maybe_repeated")
    load_some(engine, "repeated_orders", sources, candidates, Dataset.ORDERS.columns)


def load_some(
    engine: DuckDB, table: str, sources: Sequence[Source], numbers: OrderNumbers, columns: Sequence[Column]
) -> None:
    """Load the valid ones of some rows into a table, with each row's number."""
    create(engine, table, columns, "number BIGINT")
    names = [column.name for column in columns]
    texts = [f"{TRIMMED_CREATOR} AS creator_id" if name == "creator_id" else name for name in names]
    wanted = [(start, source) for start, source in numbered(sources) if _among(numbers, start, source).size]
    for query, alike in groupby(wanted, lambda numbered: numbered[1].query):
        for some in batches(alike, lambda numbered: numbered[1].count, _SMALL):
            engine.table("chosen", {"number": np.concatenate([_valid_among(numbers, *one) for one in some])})
            every = select((*texts, *POSITION), nested(of_files([source.path for _, source in some], query)))
            chosen = f"{row_number(some)} IN {nested(select(('number',), 'chosen'))}"
            if len(some) == 1:  # within one file the engine skips the other columns of rows that are left out
                chosen = f"file_row_number IN {nested(select((f'number - {some[0][0]}',), 'chosen'))}"
            engine.run(f"INSERT INTO {table} {select((*names, row_number(some)), nested(every), chosen)}")


def _among(numbers: OrderNumbers, start: int, source: Source) -> OrderNumbers:
    """The numbers that belong to rows of a source. ``start``: the number of its first row."""
    first, beyond = np.searchsorted(numbers, [start, start + source.count])
    return numbers[first:beyond]


def _valid_among(numbers: OrderNumbers, start: int, source: Source) -> RowNumbers:
    return np.setdiff1d(_among(numbers, start, source).astype(np.int64), source.bad + start, assume_unique=True)


@contextmanager
def naming_the_unreadable(engine: DuckDB, datasets: Mapping[Dataset, DatasetRead]) -> Iterator[None]:
    """If a query over many objects fails, read object by object: ObjectInvalid names the unreadable one."""
    try:
        yield
    except EngineRefused:
        for dataset, of in datasets.items():
            for source in of.sources:
                try:
                    names = tuple(column.name for column in dataset.columns)
                    engine.rows(select((f"max(hash({', '.join(names)}))",), nested(read_all([source], names))))
                except EngineRefused as error:
                    said = str(error).replace(str(source.path), source.keys)
                    raise refusal(
                        [f"{source.keys}: the object can't be read ({said}); expected it whole. Have it written again."]
                    ) from error
        raise
