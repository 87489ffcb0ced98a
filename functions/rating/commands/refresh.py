"""Publishes changed names and added benefits at once, with the levels that are in force.

Whatever rates (ladder, metrics, overrides, waiting time, binding rules) changes only with a month's publication. A
benefit that is taken away waits for a confirmation, or for the next month's publication.
"""

from __future__ import annotations

from typing import Any

from functions.rating.commands.check import dicts, read_rulebook, valid_rulebook, with_unknown_overrides
from functions.rating.commands.decide import Decision
from functions.rating.commands.prepared import prepared
from functions.rating.publication import staging
from functions.rating.publication.items import load_record
from functions.rating.result import result
from functions.rating.services import Services
from functions.rating.workbook.changes import changes_id
from functions.rating.workbook.rulebook import Verdict
from functions.rating.workbook.texts import what_is_shown, what_rates, with_texts_of
from shared.content import content_id
from shared.errors import ChangesUnseen, NothingPublished
from shared.months import Month
from shared.tickets import last_check

TOLD_OF_THE_FIRST = ("effective_month", "effective_on", "preview")
"""What the answer says in its own name of the first month that is prepared."""


def refresh(services: Services, confirmed: Decision | None = None) -> dict[str, Any]:
    """Publish changed texts, and answer what waits: its cells, from when it counts, and who would move.

    ``confirmed``: who confirmed, and why, that benefits, guardrails and overrides are taken away today. Levels change
    with the next month all the same. Raises ChangesUnseen when the sheet has other changes now than those confirmed.
    """
    pointer = services.table.pointer()
    try:
        valid = pointer.current()
    except NothingPublished:
        return _checked_before_the_first_month(services)
    month = Month.parse(valid.month)
    verdict = with_unknown_overrides(services, read_rulebook(services, month.plus(1)))
    rulebook, in_force = valid_rulebook(verdict), services.table.rulebook(valid.rulebook)
    changes = dicts(verdict.changes)
    if confirmed and confirmed.confirms and confirmed.confirms != changes_id(changes):
        raise _unseen(services, month, verdict)
    taken_away = any(change.takes_away for change in verdict.changes)
    now = with_texts_of(in_force, rulebook, take_away=confirmed is not None)
    rates_alike = what_rates(rulebook, valid.month) == what_rates(now, valid.month)
    waits = not rates_alike or (taken_away and not confirmed)
    shown = now if waits else rulebook
    texts_changed = what_is_shown(shown, valid.month) != what_is_shown(in_force, valid.month)
    steps = prepared(services, valid, rulebook, in_force, verdict.prepared_until)
    common = {
        "faults": dicts(verdict.faults),
        "changes": changes,
        "changes_id": changes_id(changes),
        "report": services.reports.url(valid.month, valid.run),
        "texts_published": texts_changed,
        "prepared": steps,
        **({part: steps[0][part] for part in TOLD_OF_THE_FIRST} if steps else {}),
    }
    record = load_record(services.table, valid.run)
    if texts_changed or (taken_away and confirmed):
        rulebook_id = staging.keep_rulebook(services.table, shown, services.expiry(month))
        by, reason = (confirmed.by, confirmed.reason) if confirmed else (None, None)
        services.publisher.show_texts(
            pointer, valid, rulebook_id, record, by=by, reason=reason, workbook=verdict.stored_as
        )
    if waits:
        return result("pending", valid.month, record, **common)
    if not texts_changed and not taken_away:
        return result("unchanged", valid.month, record, **common, inputs_changed=False)
    return result("refreshed", valid.month, record, rulebook=content_id(shown), **common)


def _checked_before_the_first_month(services: Services) -> dict[str, Any]:
    month = Month.of(services.now(), services.zone).plus(-1)
    verdict = read_rulebook(services, month)
    rulebook = content_id(valid_rulebook(verdict))
    return result("checked", str(month), rulebook=rulebook, faults=dicts(verdict.faults), changes=[])


def _unseen(services: Services, month: Month, verdict: Verdict) -> ChangesUnseen:
    """The refusal of a confirmation, because the sheet has other changes now. It lists the new ones."""
    answer = result("checked", str(month), faults=dicts(verdict.faults), changes=dicts(verdict.changes))
    seen = (last_check(services.table) or {}).get("changes", [])
    new = [change for change in answer["changes"] if change not in seen]
    listed = "; ".join(f"{one['tab']}!{one['cell']} {one['old'] or '–'} → {one['new'] or '–'}" for one in new[:20])
    return ChangesUnseen(
        "the workbook was edited after its changes were looked at, so nothing was taken away. "
        f"New since then: {listed or 'nothing; some changes are gone'}. Look at the changes again, then confirm them.",
        answer,
    )
