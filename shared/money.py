"""Money at the edges: integer fen inside, decimal yuan for people."""

from __future__ import annotations


def yuan(fen: int) -> str:
    """Fen as yuan text with two decimals: 123456 -> ``1234.56``."""
    sign, whole = "-" if fen < 0 else "", abs(fen)
    return f"{sign}{whole // 100}.{whole % 100:02d}"
