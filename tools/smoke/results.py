"""The results of the checks as a table: proved, failed, or not provable from here, each with its evidence."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Literal

from botocore.exceptions import BotoCoreError, ClientError
from requests import RequestException

from local.commandline import one_line
from shared.errors import LevelsError

State = Literal["proved", "failed", "not provable here"]
MARKS: dict[State, str] = {"proved": "✓", "failed": "✗", "not provable here": "–"}
NOT_ALLOWED = ("AccessDenied", "AccessDeniedException", "UnauthorizedOperation", "AccessDeniedForDependencyException")
NOT_THERE = ("InvalidAction", "NotImplemented", "UnknownOperationException", "UnsupportedOperation", "NotSupported")


class Failed(Exception):
    """The deployed stack differs from what it should be. The message says what was found and expected."""


class NotProvable(Exception):
    """A check that is not possible from here. The message says what is missing."""


@dataclass(frozen=True, slots=True)
class Line:
    """One row of the table."""

    what: str
    state: State
    because: str


@dataclass
class Results:
    """The table so far. ``say`` prints each row when it is found."""

    say: Callable[[str], None]
    lines: list[Line] = field(default_factory=list)

    def check(self, what: str, look: Callable[[], str]) -> None:
        """Run a check and note its result. If AWS refuses the caller, that is not a fault of the stack."""
        try:
            state, because = "proved", look()
        except NotProvable as reason:
            state, because = "not provable here", str(reason)
        except ClientError as error:
            code = error.response["Error"]["Code"]
            because = one_line(error)
            state = "not provable here" if code in NOT_ALLOWED + NOT_THERE else "failed"
        except (Failed, BotoCoreError, LevelsError, RequestException, OSError) as error:
            state, because = "failed", one_line(error) if not isinstance(error, Failed) else str(error)
        line = Line(what, state, because)  # type: ignore[arg-type] # one of the three
        self.lines.append(line)
        self.say(f"{MARKS[line.state]} {line.what}: {line.because}")

    def of(self, state: State) -> list[Line]:
        return [line for line in self.lines if line.state == state]

    def summary(self) -> str:
        """The whole table, by state, with the number of each."""
        blocks = []
        for state, mark in MARKS.items():
            found = self.of(state)
            rows = [f"  {mark} {line.what}" + (f": {line.because}" if state != "proved" else "") for line in found]
            blocks.append("\n".join([f"{state}: {len(found)}", *rows]))
        return "\n\n".join(blocks)
