"""The requests that people tick in the console tab: one row with a tick box for each kind. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from functions.rating.workbook.cells import Language, RawCell, plain_text
from shared.months import Month

Kind = Literal["check", "preview", "accept", "rollback"]
KINDS: Sequence[Kind] = ("check", "preview", "accept", "rollback")
"""In the order of the tab's rows."""
DECISIONS = ("accept", "rollback")
TICK, ABOUT, NAME, REASON, ANSWER = 1, 2, 3, 4, 5
"""The columns of a row: tick box, month or run, who asks, why, and the answer."""


class AskRefused(Exception):
    """A ticked request that is incomplete or wrong. The message says why in Chinese and English."""


@dataclass(frozen=True, slots=True)
class Ask:
    """A row with a ticked box. ``about``: its month or run, as typed.

    ``at``: the title of its tab, and row and column of its first cell, counted from 0.
    """

    kind: Kind
    at: tuple[str, int, int]
    about: str
    name: str
    reason: str
    language: Language

    def event(self) -> dict[str, Any]:
        """The event for the rating function. Raises AskRefused."""
        if self.kind == "check":
            return {"mode": "check"}
        if self.kind == "preview":
            return {"mode": "preview", "month": _month(self.about)}
        missing = [
            text for given, text in ((self.about, "run"), (self.name, "name"), (self.reason, "reason")) if not given
        ]
        if missing:
            words = {"run": "批次", "name": "姓名", "reason": "原因"}
            raise AskRefused(
                f"请先填写{'、'.join(words[one] for one in missing)}，再重新勾选 / "
                f"fill in {', '.join(missing)}, then tick again"
            )
        return {self.kind: self.about.split()[-1], "by": self.name, "reason": self.reason}


def ticked(rows: Sequence[Sequence[RawCell]], first: tuple[str, int, int], language: Language) -> Iterator[Ask]:
    """The ticked rows, in the tab's order. ``first``: the position of the first row."""
    title, top, left = first
    for row, (kind, cells) in enumerate(zip(KINDS, rows, strict=False)):
        texts = [plain_text(cell) or "" for cell in (*cells, *[None] * (ANSWER + 1 - len(cells)))]
        if len(cells) > TICK and cells[TICK] is True:
            yield Ask(kind, (title, top + row, left), texts[ABOUT], texts[NAME], texts[REASON], language)


def choice(month: str, run: str) -> str:
    """A run as text in the tab's list of choices."""
    return f"{month} {run}"


def _month(text: str) -> str:
    try:
        return str(Month.parse(text))
    except ValueError as error:
        raise AskRefused(
            f"考核月应为 YYYY-MM 格式的文本，例如 2026-12，现在是“{text}” / "
            f"expected the rating month as text, YYYY-MM, such as 2026-12; found {text!r}"
        ) from error
