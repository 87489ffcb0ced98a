"""Whether pointer, ledger and outbox agree: each version of the pointer has one line, and one entry with events."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from functions.rating.publication.ledger import Entry, entry_from, entry_item
from functions.rating.publication.outbox import OutboxEntry, outbox_entry_from, outbox_item, sent_from
from shared.errors import ItemInvalid
from shared.table import POINTER_KEY, Pointer, Publication, key_of, pointer_from, pointer_item, schema_of

Item = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class History:
    """The lines of the ledger and the entries of the outbox that can be read, in their order.

    ``differences``: the keys of what does not agree.
    """

    lines: tuple[Entry, ...]
    outbox: tuple[OutboxEntry, ...]
    differences: tuple[str, ...]


def history_of(items: Iterable[Item], kept_from: str) -> History:
    """``items``: the pointer, the ledgers of all months, and the outbox. Lines of schema 1 are taken as they are.

    ``kept_from``: the oldest month whose items have not expired.
    """
    by_kind: dict[str, list[Item]] = {"POINTER": [], "LEDGER": [], "OUTBOX": []}
    for item in items:
        by_kind[key_of(item)[0].partition("#")[0]].append(item)
    lines, differences = _lines(by_kind["LEDGER"])
    moves = sorted((line for line in lines if line.moves_the_pointer), key=lambda line: (line.version, line.at))
    differences += _pointer_differences(by_kind["POINTER"], moves)
    outbox, wrong = _outbox(by_kind["OUTBOX"], moves)
    found = {entry.sequence for entry in outbox}
    told = (line for line in moves if line.version and line.action != "refreshed" and line.month >= kept_from)
    missing = [f"OUTBOX {line.version:010d}" for line in told if line.version not in found]
    return History(tuple(lines), tuple(outbox), (*differences, *wrong, *missing))


def _lines(items: list[Item]) -> tuple[list[Entry], list[str]]:
    lines, differences = [], []
    for item in sorted(items, key=key_of):
        try:
            line = entry_from(item)
        except ItemInvalid:
            differences.append(_named(item))
            continue
        lines.append(line)
        if schema_of(item) > 1 and entry_item(line) != item:
            differences.append(_named(item))
    return lines, differences


def _pointer_differences(items: list[Item], moves: list[Entry]) -> Iterator[str]:
    name = " ".join(key_of(POINTER_KEY))
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
    """What is valid for a line's month once the pointer has moved."""
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
            wrong.append(_named(item))
            continue
        outbox.append(entry)
        of_line = lines.get(entry.sequence)
        agrees = of_line is not None and _entry_of(of_line[0], entry, current=of_line[1]) == entry
        sent = sent_from(item, entry)
        if not agrees or sent is None or _with_digest(outbox_item(entry, expires_at, sent), item) != item:
            wrong.append(_named(item))
    return outbox, wrong


def _with_digest(expected: Item, item: Item) -> Item:
    """The expected item; without the digest where an older version wrote none."""
    return {name: value for name, value in expected.items() if name != "sent_digest" or name in item}


def _entry_of(line: Entry, entry: OutboxEntry, *, current: bool) -> OutboxEntry:
    """The entry that goes with a line; how many events it has is for the run's own items to say."""
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


def _named(item: Item) -> str:
    return " ".join(key_of(item))
