"""The guardrails: limits from the settings tab. A run that exceeds one is held for a person to check. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from fractions import Fraction

from shared.bilingual import in_both
from shared.content import added_later
from shared.levels import Change, Rating, RuleSettings, Standing, Status


@dataclass(frozen=True, slots=True)
class Because:
    """The reason why a run is held, as a sentence in both languages."""

    en: str
    zh: str

    def __str__(self) -> str:
        return in_both(self.zh, self.en)


@dataclass(frozen=True, slots=True)
class Guardrail:
    """One limit applied to one run.

    ``value``: a share (0.05, not 5 percent); None if there is nothing to compare with.
    """

    name: str
    limit: Decimal
    value: float | None
    exceeded: bool
    because: Because | None = added_later(None)


@dataclass(frozen=True, slots=True)
class Totals:
    """The totals that guardrails compare between months: GMV in fen, and rows of each dataset."""

    paid_gmv: int
    rows: Mapping[str, int]


def evaluate_guardrails(
    settings: RuleSettings,
    ratings: Sequence[Rating],
    earlier: Mapping[str, Standing],
    totals: Totals,
    earlier_totals: Totals | None,
) -> tuple[Guardrail, ...]:
    """Every guardrail that is switched on, with its value. A value equal to the limit does not exceed it."""
    values = {
        "max_changed_share": _share(ratings, earlier, (Change.UP, Change.DOWN)),
        "max_downgraded_share": _share(ratings, earlier, (Change.DOWN,)),
        "max_gmv_change_share": _drift(totals.paid_gmv, earlier_totals.paid_gmv if earlier_totals else None),
        "max_rows_change_share": _largest(
            _drift(rows, earlier_totals.rows.get(dataset)) if earlier_totals else None
            for dataset, rows in totals.rows.items()
        ),
    }
    limits: dict[str, Decimal | None] = {name: getattr(settings, name) for name in values}
    return tuple(
        Guardrail(name, limit, None if value is None else float(value), value is not None and value > Fraction(limit))
        for name, value in values.items()
        if (limit := limits[name]) is not None
    )


def _share(ratings: Sequence[Rating], earlier: Mapping[str, Standing], changes: tuple[Change, ...]) -> Fraction | None:
    """The share of the agencies rated in both months that have one of these changes."""
    both = [r for r in ratings if _rated(r.status) and (s := earlier.get(r.agency_id)) and _rated(s.status)]
    return Fraction(sum(r.change in changes for r in both), len(both)) if both else None


def _rated(status: Status) -> bool:
    return status is not Status.AWAITING_FIRST_RATING


def _drift(now: int, before: int | None) -> Fraction | None:
    """The relative change of a total: 0.1 for 10 percent. From zero to anything is 1."""
    if before is None:
        return None
    if before == 0:
        return Fraction(int(now != 0))
    return Fraction(abs(now - before), before)


def _largest(values: Iterable[Fraction | None]) -> Fraction | None:
    return max((value for value in values if value is not None), default=None)
