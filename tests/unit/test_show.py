"""What the demo prints fits into a terminal of 80 columns, and no Chinese text is cut."""

from __future__ import annotations

import io
import re
from pathlib import Path

from rich.console import Console

from local.cloud.template import ROOT
from local.demo import show
from local.demo.__main__ import what_next

METRIC = "6级及以上带货达人数（人）含本月新增绑定"
FAULT = {
    "tab": "thresholds",
    "cell": "F8",
    "found": '"600,000" (文本 text)',
    "expected": {"zh": "0 到 9999999999999 的金额（元），最多两位小数", "en": "yuan from 0 to 9999999999999"},
    "fix": {"zh": "以元为单位直接输入数字，例如 1234.5 或 99.50，不要加千分位", "en": "Type the number of yuan."},
}
GAP = {"metric": "six", "required": "2200000.00", "missing": "1595410.47", "progress": 0.3}
NEXT = {"level": 5, "level_name": "领航机构", "nearest_channel": 1, "channels": [{"channel": 1, "gaps": [GAP]}]}


def printed_text(what: object) -> str:
    """What a terminal of 80 columns shows, without whitespace."""
    text = io.StringIO()
    Console(file=text, width=80).print(what)
    assert all(len(line) <= 80 for line in text.getvalue().splitlines())
    return "".join(text.getvalue().split())


def test_the_text_of_a_fault_is_not_cut() -> None:
    shown = printed_text(show.faults([FAULT]))
    assert "…" not in shown
    for letter in FAULT["fix"]["zh"]:  # type: ignore[index]
        assert letter.strip() in shown


def test_the_text_of_a_gap_is_not_cut() -> None:
    shown = printed_text(show._gaps(NEXT, {"six": METRIC}))
    assert "…" not in shown
    for letter in METRIC:
        assert letter in shown


def test_the_demo_ends_with_next_steps_and_their_targets_and_pages_exist(tmp_path: Path) -> None:
    printed = io.StringIO()
    what_next(Console(width=200, file=printed), tmp_path / "report.html")
    text = printed.getvalue()
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    assert lines[0] == "接下来 What next"
    steps = {line.split(" ")[0]: step for line, step in zip(lines[1::2], lines[2::2], strict=True)}
    assert steps["运行报告"] == (tmp_path / "report.html").as_uri()
    assert steps["页面与接口"].startswith("make serve")
    assert {"改一个门槛并预览", "接口说明", "自己的规则", "自己的数据"} <= steps.keys()
    targets = re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text("utf-8"), re.MULTILINE)
    assert set(re.findall(r"make ([a-z-]+)", text)) <= set(targets)
    assert [path for path in re.findall(r"docs/[\w./]+\.md", text) if not (ROOT / path).is_file()] == []
