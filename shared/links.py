"""Checks links that are shown to people: complete https addresses only, nothing that a browser would run."""

from __future__ import annotations

from urllib.parse import urlsplit


def is_https(link: str) -> bool:
    """Whether a text is a complete https address."""
    try:
        parts = urlsplit(link)
        return parts.scheme == "https" and bool(parts.hostname) and link.isprintable() and " " not in link
    except ValueError:
        return False
