"""Holds a published month when its own thresholds were changed: a person has to accept the new levels."""

from __future__ import annotations

from functions.rating.run.guardrails import Because
from functions.rating.services import Services
from functions.rating.workbook.changes import Change, compare
from functions.rating.workbook.rulebook import Verdict
from functions.rating.workbook.texts import what_rates
from shared.items import Publication
from shared.levels import Rulebook

SHOWN_CHANGES = 20


def why_held(services: Services, verdict: Verdict, valid: Publication | None) -> Because | None:
    """Why the month of ``valid`` is held when it is rated again, with the changed cells; None if it is not held.

    It is held if the ladder, or what a metric counts, differs from the rules that the month was published with.
    """
    if valid is None or verdict.rulebook is None:
        return None
    old, new = services.table.rulebook(valid.rulebook), verdict.rulebook
    if _thresholds(old, valid.month) == _thresholds(new, valid.month):
        return None
    compared = compare(old, new, [valid.month], verdict.addresses, services.description)
    past = [change for change in compared.changes if valid.month in change.past_months]
    zh, en = (_listed([_in_words(change, language) for change in past]) for language in ("zh", "en"))
    return Because(f"thresholds of a published month were changed: {en}", f"已发布月份的门槛被改动：{zh}")


def _thresholds(rulebook: Rulebook, month: str) -> tuple[object, object]:
    rates = what_rates(rulebook, month)
    return rates["rungs"], rates["metrics"]


def _listed(cells: list[str]) -> str:
    return "; ".join(cells[:SHOWN_CHANGES]) + ("; …" if len(cells) > SHOWN_CHANGES else "")


def _in_words(change: Change, language: str) -> str:
    cell = f"{change.tab}!{change.cell}" if change.cell else change.tab
    return f"{cell} {getattr(change.what, language)} {change.old or '–'} → {change.new or '–'}"
