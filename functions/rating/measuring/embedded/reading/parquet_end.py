"""The end of a Parquet object: its footer, the footer's length in four bytes, and the same magic as at the start."""

from __future__ import annotations

MAGIC = b"PAR1"
END_BYTES = 8  # after the footer


def footer_start(end: bytes, size: int) -> int:
    """Where the footer begins in an object of ``size`` bytes. ``end``: its last END_BYTES. Raises ValueError."""
    footer_end = size - END_BYTES
    start = footer_end - int.from_bytes(end[:-4], "little")
    if len(end) != END_BYTES or not end.endswith(MAGIC) or not len(MAGIC) <= start < footer_end:
        raise ValueError("there is no footer at the end")
    return start


def ended(footer: bytes) -> bytes:
    """A footer with what stands after it."""
    return footer + len(footer).to_bytes(4, "little") + MAGIC
