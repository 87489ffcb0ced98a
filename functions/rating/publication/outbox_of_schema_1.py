"""Unsent events of schema 1, which stored whole events on pages of their run."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Any

from shared.items import key, key_of, reading
from shared.table import Table, table_errors


def unsent_of_schema_1(table: Table) -> Iterator[tuple[Mapping[str, Any], list[dict[str, Any]]]]:
    """Items with their events. Empty after this version's first publication: it sends these events before."""
    pointer = table.pointer()
    if pointer.schema > 1:
        return
    for publication in pointer.publications.values():
        for item in table.query(f"OUTBOX#{publication.run}"):
            if "sent" not in item:
                with reading(item):
                    events = json.loads(item["announcements"]["S"])
                yield item, events


def mark_sent(table: Table, item: Mapping[str, Any]) -> None:
    """Mark all events of an item as sent."""
    with table_errors(table.name):
        table.client.update_item(
            TableName=table.name,
            Key=key(*key_of(item)),
            UpdateExpression="SET sent = :yes",
            ExpressionAttributeValues={":yes": {"BOOL": True}},
        )
