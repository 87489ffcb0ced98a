"""Parts of SQL text: safely quoted names and literals, and SELECTs."""

from __future__ import annotations

from collections.abc import Iterable


def literal(text: object) -> str:
    """A text, or a path, as an SQL literal."""
    return "'" + str(text).replace("'", "''") + "'"


def identifier(name: str) -> str:
    """A column's name, quoted, with any characters in it."""
    return '"' + name.replace('"', '""') + '"'


def select(columns: Iterable[str], source: str, where: str | None = None, order: str | None = None) -> str:
    """A SELECT of these expressions. ``source``: a relation, or another SELECT in parentheses."""
    clauses = ["SELECT", ", ".join(columns), "FROM", source]
    clauses += ["WHERE", where] if where else []
    clauses += ["ORDER BY", order] if order else []
    return " ".join(clauses)


def nested(query: str) -> str:
    """A query as a relation."""
    return f"({query})"
