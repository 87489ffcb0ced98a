"""A text in Chinese and in English, where one string has to hold both: how it is written, and how it is read again."""

from __future__ import annotations

BETWEEN = " / "


def in_both(chinese: str, english: str) -> str:
    """One string that holds a text in both languages."""
    return f"{chinese}{BETWEEN}{english}"


def each_language(text: str) -> dict[str, str]:
    """``zh`` and ``en`` of a text that was written by in_both; any other text stands for both."""
    chinese, both, english = text.partition(BETWEEN)
    if not both or not any("\u4e00" <= character <= "\u9fff" for character in chinese):
        return {"zh": text, "en": text}
    return {"zh": chinese, "en": english}
