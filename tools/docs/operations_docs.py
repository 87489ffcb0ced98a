"""The tables of docs/operations.*.md, from config/workbook.json (``make docs``)."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Sequence
from decimal import Decimal
from pathlib import Path

from functions.rating.workbook.cells import Language
from functions.rating.workbook.description import Column, Description, Tab, Text

ROOT = Path(__file__).parents[2]
LANGUAGES: tuple[Language, ...] = ("en", "zh")
_SECTION = re.compile(r"(<!-- (\w+): generated -->\n).*?(<!-- end -->)", re.DOTALL)
_SEVERITIES = {"error": Text("error", "错误"), "warning": Text("warning", "提醒")}
_TYPES = {
    "text": Text("text", "文本"),
    "key": Text("code", "代码"),
    "agency_id": Text("agency id", "机构 ID"),
    "whole": Text("whole number", "整数"),
    "month": Text("month YYYY-MM", "月份 YYYY-MM"),
    "choice": Text("one of a few words", "固定取值"),
    "setting": Text("number", "数字"),
    "share": Text("share", "比例"),
    "unread": Text("anything", "任意"),
    "flag": Text("a tick box", "勾选框"),
}


def page(language: Language) -> Path:
    return ROOT / "docs" / f"operations.{language}.md"


def rendered(text: str, description: Description, language: Language) -> str:
    """A page with its generated sections (tabs, settings, faults) as the description has them now."""
    return _SECTION.sub(lambda found: found[1] + _SECTIONS[found[2]](description, language) + found[3], text)


def _tabs(description: Description, language: Language) -> str:
    return "\n".join(_tab(tab, language) for tab in description.tabs) + "\n"


def _tab(tab: Tab, language: Language) -> str:
    other = getattr(tab.title, "zh" if language == "en" else "en")
    required = {"en": ", required", "zh": "，必需"}[language] if tab.required else ""
    title = f"### {getattr(tab.title, language)} ({other}{required})\n\n{getattr(tab.note, language)}\n"
    if not tab.columns:
        return title
    head = {"en": ("column", "中文", "holds", "meaning"), "zh": ("列", "English", "内容", "含义")}[language]
    return f"{title}\n{_table(head, (_column(column, language) for column in tab.columns))}"


def _column(column: Column, language: Language) -> Sequence[str]:
    names = (column.key, column.zh) if language == "en" else (column.zh, column.key)
    required = {"en": ", required", "zh": "，必填"}[language] if column.required else ""
    return *names, getattr(_TYPES[column.type], language) + required, getattr(column.note, language)


def _settings(description: Description, language: Language) -> str:
    head = {"en": ("setting", "default", "limits", "meaning"), "zh": ("设置项", "默认值", "范围", "含义")}[language]
    off = {"en": "off", "zh": "关闭"}[language]
    rows = (
        (f"`{key}`", _number(description.defaults.get(key)) or off, f"{column.least:f} – {column.most:f}", column)
        for key, column in description.settings.items()
    )
    return _table(head, ((*cells, getattr(column.note, language)) for *cells, column in rows))


def _faults(description: Description, language: Language) -> str:
    heads = {"en": ("code", "kind", "what it means", "how to fix it"), "zh": ("代码", "类别", "含义", "处理方法")}
    rows = (
        (f"`{code}`", *(getattr(text, language) for text in (_SEVERITIES[fault.severity], fault.means, fault.fix)))
        for code, fault in description.faults.items()
    )
    return _table(heads[language], rows)


def _table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    return "".join(f"| {' | '.join(cells)} |\n" for cells in (head, ["---"] * len(head), *rows))


def _number(number: Decimal | None) -> str:
    return "" if number is None else f"{number:f}"


_SECTIONS: dict[str, Callable[[Description, Language], str]] = {"tabs": _tabs, "settings": _settings, "faults": _faults}
