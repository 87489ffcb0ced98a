"""A text in Chinese and in English, where one string has to hold both: how it is written, and how it is read again."""

from __future__ import annotations

BETWEEN = " / "


def in_both(chinese: str, english: str) -> str:
    """One string that holds a text in both languages."""
    return f"{chinese}{BETWEEN}{english}"


def each_language(text: str) -> dict[str, str]:
    """``zh`` and ``en`` of a text that was written by in_both; any other text stands for both."""
    chinese, both, english = text.partition(BETWEEN)
    if not both or not _is_chinese(chinese):
        return {"zh": text, "en": text}
    return {"zh": chinese, "en": english}


def each_language_of_workbook(text: str) -> dict[str, str]:
    """``zh`` and ``en`` of a workbook text written as ``中文 / some English``; any other text stands for both.

    Stricter than each_language, because a slash with another meaning must not hide half of the text: one slash, Chinese
    before it only, and several words of English after it.
    """
    chinese, _, english = text.partition(BETWEEN)
    is_both = _is_chinese(chinese) and not _is_chinese(english) and BETWEEN not in english and " " in english.strip()
    return {"zh": chinese.strip(), "en": english.strip()} if is_both else {"zh": text, "en": text}


def _is_chinese(text: str) -> bool:
    return any("\u4e00" <= character <= "\u9fff" for character in text)
