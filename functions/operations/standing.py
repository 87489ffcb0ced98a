"""Where a month and a run stand: waiting for extracts, held, published; valid, replaced."""

from __future__ import annotations

from datetime import date
from typing import Any

from functions.operations import contract
from functions.operations.reading import Reader, RunFiles, held_runs
from shared.items import Pointer
from shared.months import Month
from shared.tickets import last_check


def next_renewal(newest: Month, pointer: Pointer, today: date) -> date:
    """The next day on which a month is due. ``newest``: the last month that is over."""
    month = newest.plus(1) if str(newest) in pointer.publications or newest.renewed_on < today else newest
    return month.renewed_on


def month_state(reader: Reader, month: Month, pointer: Pointer, today: date) -> contract.MonthState:
    """A month's state for the console. ``today``: in the platform's time zone."""
    valid, ledger = pointer.publications.get(str(month)), reader.ledger(month)
    held = held_runs(ledger)
    missing = [] if valid or held else reader.missing(month)
    if held and (valid is None or ledger[0]["run"] in held):
        state = "held"
    elif valid:
        state = "published"
    else:
        state = "waiting_for_extracts" if missing else _before_rating(reader, month)
    return contract.MonthState.model_validate(
        {
            "month": str(month),
            "state": state,
            "missing": missing,
            "held": held,
            "valid": {
                "run": valid.run,
                "published_at": reader.local(valid.published_at),
                "action": valid.action,
            }
            if valid
            else None,
            "renewed_on": month.renewed_on,
            "overdue": valid is None and month.renewed_on < today,
            "last": ledger[0] if ledger else None,
        }
    )


def _before_rating(reader: Reader, month: Month) -> str:
    """Whether a month with complete data is being measured outside the function."""
    last = last_check(reader.table) or {}
    return "measuring" if (last.get("outcome"), last.get("month")) == ("measuring", str(month)) else "ready"


def standing(found: RunFiles, month: str, pointer: Pointer, ledger: list[dict[str, Any]]) -> str:
    """What became of a run that has a report: preview, stopped, or what ``standing_of`` says."""
    return found.kind if found.kind != "run" else standing_of(found.run, month, pointer, ledger)


def standing_of(run: str, month: str, pointer: Pointer, ledger: list[dict[str, Any]]) -> str:
    """What became of a run that was rated for publication: valid, held, replaced, or never published."""
    valid = pointer.publications.get(month)
    if valid and valid.run == run:
        return "valid"
    if run in held_runs(ledger):
        return "held"
    return "replaced" if any(line["run"] == run for line in ledger) else "never published"
