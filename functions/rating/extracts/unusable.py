"""Objects that can't be used, named in one message."""

from __future__ import annotations

from collections.abc import Sequence

_LISTED = 20


def listed(faults: Sequence[str]) -> str:
    """All faults in one message, each on its line."""
    count = len(faults)
    if count == 1:
        return faults[0]
    more = (f"and {count - _LISTED} more",) if count > _LISTED else ()
    return "\n".join((f"{count} objects can't be used:", *faults[:_LISTED], *more))
