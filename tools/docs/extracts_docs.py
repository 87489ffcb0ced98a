"""The tables of docs/extracts.*.md, from the code (``make docs``)."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from pathlib import Path

from functions.rating.extracts.datasets import Column, Dataset, Kind
from functions.rating.measuring.expected import KINDS, REASONS, expected

ROOT = Path(__file__).parents[2]
LANGUAGES = ("en", "zh")
MONTHLY = (Dataset.AGENCIES, Dataset.CREATORS, Dataset.ORDERS)
MEANINGS = {
    "agency_id": ("the agency", "机构 ID"),
    "name": ("its name, as everybody reads it", "机构名称，对外展示"),
    "joined_at": ("when it joined", "入驻时间"),
    "city": ("for the public card", "城市，用于公开名片"),
    "introduction": ("for the public card", "简介，用于公开名片"),
    "logo_url": ("for the public card", "Logo 地址，用于公开名片"),
    "creator_id": ("the creator", "达人 ID"),
    "bind_time": (
        "the binding begins (inclusive); one row for each binding that was in force at any time in the month",
        "绑定开始（含）；当月内任何时候有效的每段绑定一行",
    ),
    "unbind_time": ("the binding ends (exclusive)", "绑定结束（不含）"),
    "power_level": ("the creator's power level on the last day of the month", "当月最后一天的带货力等级"),
    "risk_tag": ("empty: clean; any text: flagged by risk control", "空为正常；任何文本都表示被风控标记"),
    "order_id": ("the order; repeats count once", "订单 ID；重复的只计一次"),
    "pay_time": ("when it was paid", "支付时间"),
    "pay_amount": ("what was paid, in fen", "支付金额，单位：分"),
}
KINDS_ZH = {
    Kind.TEXT: "UTF-8 文本，或精确的整数（DOUBLE 小于 2^53，FLOAT 小于 2^24）",
    Kind.TIME: "2026-10-05 12:00:00、2026/10/5 9:03、带或不带时区的 ISO 8601，或 2000 年以后的 Unix 秒",
    Kind.END: "同 bind_time；仍在绑定时为空、0、NULL、None 或 0000-00-00 00:00:00",
    Kind.AMOUNT: "以分为单位的整数，如 100 或 100.0，小于 2^63（DOUBLE 2^53，FLOAT 2^24）",
    Kind.POWER: "0 到 7 的整数",
}
NAMES = {
    Kind.TEXT: ("text", "文本"),
    Kind.TIME: ("time", "时间"),
    Kind.END: ("time or empty", "时间或空"),
    Kind.AMOUNT: ("amount", "金额"),
    Kind.POWER: ("level", "等级"),
}
REASONS_ZH = {
    "wrong_column_count": "列数与列名行一致；字段内有逗号时，给该字段加双引号",
    "malformed_record": '给含引号的字段加双引号，字段内的引号写成两个（""），结束引号在同一行',
    "backslash_escape": "字段内的引号写成两个引号，前面不加反斜杠：Spark 用 option('escape', '\"') 和 "
    "option('quote', '\"')，MySQL 用 ESCAPED BY ''",
    "record_too_long": "每行不超过 1 MB",
    "invalid_utf8": "UTF-8 文本；若为 GBK，请另存为 UTF-8",
    "unbind_before_bind": "unbind_time 不早于 bind_time",
    "malformed_agency_id": "1 到 64 个字母、数字、_ 或 -",
}
OF_COLUMNS = {
    "missing": ("a value in every row: the column is required", "每行都有值：该列必填"),
    "unreadable": ("a value in one of the forms above", "上面列出的写法之一"),
    "newline_in": ("an id, time, number or tag without a line break", "ID、时间、数字和标签中没有换行"),
    "negative": ("an amount of 0 or more", "不小于 0 的金额"),
    "out_of_range": ("a level from 0 to 7", "0 到 7 的等级"),
}
_SECTION = re.compile(r"(<!-- (\w+): generated -->\n).*?(<!-- end -->)", re.DOTALL)


def page(language: str) -> Path:
    return ROOT / "docs" / f"extracts.{language}.md"


def rendered(text: str, language: str) -> str:
    """A page with its generated sections (columns, forms, reasons) as the code has them now."""
    sections = {"columns": _columns, "kinds": _kinds, "reasons": _reasons}
    return _SECTION.sub(lambda found: found[1] + sections[found[2]](LANGUAGES.index(language)) + found[3], text)


def _columns(language: int) -> str:
    head = (("dataset", "column", "holds", "meaning"), ("数据集", "列", "类型", "含义"))[language]
    return _table(head, (_column(dataset, column, language) for dataset in MONTHLY for column in dataset.columns))


def _column(dataset: Dataset, column: Column, language: int) -> tuple[str, ...]:
    required = (", required", "，必填")[language] if column.required else ""
    return str(dataset), f"`{column.name}`", NAMES[column.kind][language] + required, MEANINGS[column.name][language]


def _kinds(language: int) -> str:
    head = (("type", "form"), ("类型", "写法"))[language]
    return _table(head, ((NAMES[kind][language], (KINDS[kind], KINDS_ZH[kind])[language]) for kind in Kind))


def _reasons(language: int) -> str:
    head = (("reason", "expected"), ("原因", "应为"))[language]
    whole_rows = [(f"`{reason}`", (expected(reason), REASONS_ZH[reason])[language]) for reason in REASONS]
    name = ("<column>", "<列>")[language]
    of_columns = [
        (f"`{name}_{reason}`" if reason == "out_of_range" else f"`{reason}_{name}`", said[language])
        for reason, said in OF_COLUMNS.items()
    ]
    return _table(head, [*of_columns, *whole_rows])


def _table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    lines = [head, ["---"] * len(head), *rows]
    return "".join(f"| {' | '.join(cell.replace('|', chr(92) + '|') for cell in line)} |\n" for line in lines)
