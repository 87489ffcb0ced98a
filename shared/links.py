"""Which links are shown to people: https only, whole, and nothing that a browser would run."""

from __future__ import annotations

from urllib.parse import urlsplit


def is_https(link: str) -> bool:
    """Whether a text is the address of something on the web, read over https."""
    try:
        parts = urlsplit(link)
        return parts.scheme == "https" and bool(parts.hostname) and link.isprintable() and " " not in link
    except ValueError:
        return False
