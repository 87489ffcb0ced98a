"""What the demo prints fits a terminal of 80 columns, and nothing of a Chinese text is cut."""

from __future__ import annotations

import io

from rich.console import Console

from local.demo import show

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


def printed(what: object) -> str:
    """What a terminal of 80 columns shows, without line breaks, blanks and frames."""
    text = io.StringIO()
    Console(file=text, width=80).print(what)
    assert all(len(line) <= 80 for line in text.getvalue().splitlines())
    return "".join(text.getvalue().split())


def test_faults_are_whole() -> None:
    shown = printed(show.faults([FAULT]))
    assert "…" not in shown
    for letter in FAULT["fix"]["zh"]:  # type: ignore[index]
        assert letter.strip() in shown


def test_gaps_are_whole() -> None:
    shown = printed(show._gaps(NEXT, {"six": METRIC}))
    assert "…" not in shown
    for letter in METRIC:
        assert letter in shown
