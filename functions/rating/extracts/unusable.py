"""Objects that can't be used, named in one message."""

from __future__ import annotations

from collections.abc import Sequence

from functions.rating.extracts.datasets import FORMATS_PAGE

_LISTED = 20


def without_page(fault: str) -> str:
    """A message without the page that says what is read."""
    return fault.removesuffix(f" {FORMATS_PAGE}")


def listed(faults: Sequence[str]) -> str:
    """All faults in one message, each on its line, and at the end the page that says what is read."""
    said = list(map(without_page, faults))
    count = len(said)
    if count == 1:
        return f"{said[0]} {FORMATS_PAGE}"
    more = (f"and {count - _LISTED} more",) if count > _LISTED else ()
    return "\n".join((f"{count} objects can't be used:", *said[:_LISTED], *more, FORMATS_PAGE))
