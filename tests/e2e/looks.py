"""In which looks states of pages are seen, and what must hold in each of them."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import cycle, product
from pathlib import Path
from typing import Literal, Protocol

from tests.e2e.browser import Visitor
from tests.e2e.conftest import ROOT

PICTURES = ROOT / ".local" / "pictures"

Scheme = Literal["light", "dark"]
Look = tuple[int, Scheme]
WIDTHS, SCHEMES, LANGUAGES = (375, 1280), ("light", "dark"), ("zh", "en")
LOOKS: tuple[Look, ...] = tuple(product(WIDTHS, SCHEMES))  # type: ignore[arg-type]


class Looks(Protocol):
    """In which language a state is opened, and in which looks it is seen then."""

    def language(self) -> str: ...

    def here(self) -> tuple[Look, ...]: ...


@dataclass(frozen=True)
class EveryLook:
    """Phone and desk, light and dark, in one language."""

    chosen: str

    def language(self) -> str:
        return self.chosen

    def here(self) -> tuple[Look, ...]:
        return LOOKS


class OneLookEach:
    """One look for each state, in turn: after eight states every look in every language was had."""

    def __init__(self) -> None:
        self._turns = cycle(product(LANGUAGES, LOOKS))
        self._now: tuple[Look, ...] = ()

    def language(self) -> str:
        chosen, look = next(self._turns)
        self._now = (look,)
        return chosen

    def here(self) -> tuple[Look, ...]:
        return self._now


def assert_fine(visitor: Visitor, axe: str, states: Iterator[str], looks: Looks, folder: Path = PICTURES) -> int:
    """How many states were seen, each without a complaint of the browser, anything sideways, a violation of axe."""
    count = 0
    for count, state in enumerate(states, 1):  # noqa: B007 - the count is the answer
        for width, scheme in looks.here():
            visitor.page.set_viewport_size({"width": width, "height": 900})
            visitor.page.emulate_media(color_scheme=scheme)
            what = f"{state}-{width}-{scheme}"
            visitor.picture(folder, what.replace(" ", "-"))
            assert visitor.errors == [], what
            assert visitor.overflow() == 0, what
            assert visitor.violations(axe) == [], what
    return count
