"""Checks that pointer, ledger and outbox agree: each pointer version has one ledger line and one outbox entry."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from functions.rating.publication.ledger import Entry, entry_from, entry_item
from functions.rating.publication.outbox import OutboxEntry, outbox_entry_from, outbox_item, sent_from
from shared.errors import ItemInvalid
from shared.items import POINTER_KEY, Pointer, Publication, key_of, key_text, pointer_from, pointer_item, schema_of

Item = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class History:
    """The readable lines of the ledger and entries of the outbox, in order.

    ``differences``: the keys of the items that do not agree.
    """

    lines: tuple[Entry, ...]
    outbox: tuple[OutboxEntry, ...]
    differences: tuple[str, ...]


def history_of(items: Iterable[Item], kept_from: str) -> History:
    """The history that the pointer, the ledgers of all months and the outbox contain.

    ``kept_from``: the oldest month whose items have not expired. Ledger lines of schema 1 are not checked.
    """
    by_kind: dict[str, list[Item]] = {"POINTER": [], "LEDGER": [], "OUTBOX": []}
    for item in items:
        by_kind[key_of(item)[0].partition("#")[0]].append(item)
    lines, differences = _lines(by_kind["LEDGER"])
    moves = sorted((line for line in lines if line.moves_the_pointer), key=lambda line: (line.version, line.at))
    differences += _pointer_differences(by_kind["POINTER"], moves)
    outbox, wrong = _outbox(by_kind["OUTBOX"], moves)
    found = {entry.sequence for entry in outbox}
    with_events = (line for line in moves if line.version and line.action != "refreshed" and line.month >= kept_from)
    missing = [f"OUTBOX {line.version:010d}" for line in with_events if line.version not in found]
    return History(tuple(lines), tuple(outbox), (*differences, *wrong, *missing))


def _lines(items: list[Item]) -> tuple[list[Entry], list[str]]:
    lines, differences = [], []
    for item in sorted(items, key=key_of):
        try:
            line = entry_from(item)
        except ItemInvalid:
            differences.append(key_text(item))
            continue
        lines.append(line)
        if schema_of(item) > 1 and entry_item(line) != item:
            differences.append(key_text(item))
    return lines, differences


def _pointer_differences(items: list[Item], moves: list[Entry]) -> Iterator[str]:
    name = key_text(POINTER_KEY)
    try:
        pointer = pointer_from(items[0]) if items else Pointer(0, {})
    except ItemInvalid:
        yield name
        return
    if not moves and not items:
        return
    versions = [line.version for line in moves if line.version]
    if versions and versions != list(range(pointer.version - len(versions) + 1, pointer.version + 1)):
        yield f"LEDGER: the pointer has version {pointer.version}, and of its moves the ledger has {versions}"
    if versions and versions[0] != 1 and not any(line.version == 0 for line in moves):
        yield f"LEDGER: there is no line of version {versions[0] - 1}"
    publications: dict[str, Publication] = {}
    for line in moves:
        publications[line.month] = _after(line, publications.get(line.month))
    expected = pointer_item(Pointer(pointer.version, publications, pointer.unknown))
    if not items or (pointer.schema > 1 and expected != items[0]) or pointer.publications != publications:
        yield name


def _after(line: Entry, valid: Publication | None) -> Publication:
    """The publication of a line's month after the line moved the pointer."""
    if line.action == "refreshed" and valid:
        return Publication(line.month, line.run, line.rulebook, valid.published_at, valid.action)
    action = line.action if line.action in ("published", "restated", "accepted") else "rolled_back"
    return Publication(line.month, line.run, line.rulebook, line.at, action)


def _outbox(items: list[Item], moves: list[Entry]) -> tuple[list[OutboxEntry], list[str]]:
    newest = ""
    lines: dict[int, tuple[Entry, bool]] = {}
    for line in moves:
        newest = max(newest, line.month)
        lines[line.version] = (line, line.month == newest)
    outbox, wrong = [], []
    for item in sorted(items, key=key_of):
        try:
            entry, expires_at = outbox_entry_from(item), int(item["expires_at"]["N"])
        except (ItemInvalid, KeyError, ValueError):
            wrong.append(key_text(item))
            continue
        outbox.append(entry)
        line_and_current = lines.get(entry.sequence)
        agrees = (
            line_and_current is not None and _entry_of(line_and_current[0], entry, current=line_and_current[1]) == entry
        )
        sent = sent_from(item, entry)
        if not agrees or sent is None or _with_digest(outbox_item(entry, expires_at, sent), item) != item:
            wrong.append(key_text(item))
    return outbox, wrong


def _with_digest(expected: Item, item: Item) -> Item:
    """The expected item, without the digest if an older version wrote the item without one."""
    return {name: value for name, value in expected.items() if name != "sent_digest" or name in item}


def _entry_of(line: Entry, entry: OutboxEntry, *, current: bool) -> OutboxEntry:
    """The outbox entry that a line should have. The number of events is checked with the run's items (verify)."""
    return OutboxEntry(
        sequence=line.version,
        month=line.month,
        run=line.run,
        replaced=line.replaced,
        action=line.action,  # type: ignore[arg-type]
        published_at=line.at,
        current=current,
        changed=entry.changed,
        pages=entry.pages,
    )
