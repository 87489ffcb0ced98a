"""Errors that name the objects that can't be read or used."""

from __future__ import annotations

from collections.abc import Sequence

from functions.rating.extracts.datasets import FORMATS_PAGE
from shared.errors import ExtractsUnavailable

_LISTED = 20


def unavailable(what: str, error: Exception) -> ExtractsUnavailable:
    """The error for a request that S3 did not answer. ``what``: the address, and what is not possible there."""
    return ExtractsUnavailable(
        f"{what} ({error}). If access is denied, check the bucket's policy and key, and the role; otherwise try again, "
        "as the next firing does."
    )


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
