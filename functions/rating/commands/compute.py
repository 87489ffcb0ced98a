"""Computes a run: the same inputs give the same id, ratings and items on every machine and at any time."""

from __future__ import annotations

import gc
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict
from typing import TYPE_CHECKING

from functions.rating.extracts.inventory import NotReady
from functions.rating.garbage import cycle_collection_paused
from functions.rating.measuring.assemble import assemble
from functions.rating.run.computed import Computed
from functions.rating.run.guardrails import Totals, evaluate_guardrails
from functions.rating.run.nothing_counted import nothing_counted
from functions.rating.run.record import Compared, DataQuality, Input, RunRecord, record_from
from functions.rating.run.rules import RULES_VERSION, Rules
from functions.rating.run.standings import count_levels, count_moves
from functions.rating.scratch import causes_named
from shared.content import content_id
from shared.errors import ExtractError, ObjectInvalid, ReportUnwritten, ScratchUnusable
from shared.items import run_key
from shared.levels import Measured, Rating, Rulebook, Standing
from shared.months import Month
from shared.observability import logger

if TYPE_CHECKING:
    from functions.rating.extracts.inventory import Inventory
    from functions.rating.measuring.measured import MonthMeasured
    from functions.rating.services import Services


def inputs_of(inventory: Inventory) -> tuple[Input, ...]:
    """Every object that a run reads, including the previous month's creators, in a fixed order."""
    objects = inventory.all_objects
    return tuple(sorted((Input(o.dataset, o.key, o.etag, o.size) for o in objects), key=lambda i: i.key))


def changed_inputs(services: Services, record: RunRecord) -> list[str]:
    """The extract objects that changed or disappeared since the run read them, one sentence each."""
    try:
        inventory = services.extracts.find(Month.parse(record.month))
    except ObjectInvalid as error:  # an object that the run read is gone, or is another one
        return [str(error)]
    if isinstance(inventory, NotReady):
        return [f"the extracts of {record.month} are no longer there: {'; '.join(inventory.found)}"]
    then = {i.key: i.etag for i in record.inputs}
    now = {i.key: i.etag for i in inputs_of(inventory)}
    said = {
        **dict.fromkeys(then.keys() - now, "is no longer there"),
        **dict.fromkeys(now.keys() - then, "appeared after the run read"),
        **{key: "has changed since the run read it" for key in then.keys() & now if then[key] != now[key]},
    }
    return [f"{key} {what}" for key, what in sorted(said.items())]


def run_id(month: Month, rulebook_id: str, inputs: tuple[Input, ...], compared_with: Compared | None) -> str:
    """The id of a run: a hash of its inputs, rulebook, month, compared publication and the rules' version."""
    return content_id(
        {
            "month": str(month),
            "rulebook": rulebook_id,
            "inputs": [(i.key, i.etag) for i in inputs],
            "compared_with": [compared_with.month, compared_with.run] if compared_with else None,
            "rules_version": RULES_VERSION,
        }
    )


def compute(
    services: Services, month: Month, rulebook: Rulebook, inventory: Inventory, compared_with: Compared | None
) -> Computed:
    """Measure the month and rate every agency. Reads extracts and earlier standings; writes nothing."""
    progress = services.progress
    rulebook_id, inputs = content_id(rulebook), inputs_of(inventory)
    run = run_id(month, rulebook_id, inputs, compared_with)
    measured = _measured(services, rulebook, inventory, run)
    with progress.stage("rate") as facts:
        earlier = services.table.standings(compared_with.run) if compared_with else {}
        in_month = rulebook.as_of(str(month))
        rules = Rules(in_month, month, services.zone)
        ratings = rate_all(rules, measured.agencies, earlier)
        facts["agencies"] = len(ratings)
    totals = Totals(measured.paid_gmv, {name: count.rows for name, count in measured.datasets.items()})
    before = _totals_of(services, compared_with)
    record = RunRecord(
        run=run,
        month=str(month),
        rulebook=rulebook_id,
        rules_version=RULES_VERSION,
        compared_with=compared_with,
        inputs=inputs,
        agencies=len(ratings),
        levels=count_levels(ratings, len(in_month.levels)),
        moves=count_moves(ratings, earlier),
        totals=totals,
        quality=DataQuality(
            order_rows=asdict(measured.order_rows),
            datasets={name: asdict(count) for name, count in measured.datasets.items()},
            excluded_creators=measured.excluded_creators,
            excluded_orders=measured.excluded_orders,
        ),
        example_thresholds=services.example.gives(rulebook, month),
        guardrails=(
            *evaluate_guardrails(rulebook.settings, ratings, earlier, totals, before),
            *nothing_counted(rulebook.settings, month, measured, before.rows if before else {}),
        ),
    )
    return Computed(month, rulebook, record, ratings, earlier, measured)


def find_extracts(services: Services, month: Month) -> Inventory | NotReady:
    """The extracts of a month in S3. If they can't be used, a report says why, as it does when reading stops."""
    with _stops_reported(services, month):
        return services.extracts.find(month)


def _measured(services: Services, rulebook: Rulebook, inventory: Inventory, run: str) -> MonthMeasured:
    """Measure the month. If its files can't be used, write a report of the cause, and name it in the raised error."""
    with _stops_reported(services, inventory.month, run):
        totals = services.measure(inventory, rulebook.settings.max_bad_row_share, services.progress)
        services.extracts.confirm_unchanged(inventory)
        return assemble(totals)


@contextmanager
def _stops_reported(services: Services, month: Month, run: str | None = None) -> Iterator[None]:
    """If the month's files can't be used within the block, write a report of the cause, and name it in the error.

    Before the files are known there is no ``run``; the report's name is then computed from the cause.
    """
    try:
        with causes_named(services.scratch):
            yield
    except (ExtractError, ScratchUnusable) as error:
        try:
            report = services.reports.write_stopped(str(month), run or content_id([str(month), str(error)]), error)
        except ReportUnwritten as unwritten:
            logger.warning("why the run stopped could not be reported", cause=str(unwritten))
            raise error from unwritten
        raise type(error)(f"{error} Report: {report}") from error


def rate_all(rules: Rules, agencies: Iterable[Measured], earlier: Mapping[str, Standing]) -> tuple[Rating, ...]:
    """Every agency's rating, in the order of the agencies.

    The ratings are kept out of Python's search for reference cycles until somebody calls ``gc.unfreeze``.
    """
    with cycle_collection_paused():
        ratings = tuple([rules.rate(agency, earlier.get(agency.agency_id)) for agency in agencies])
        gc.freeze()
        return ratings


def _totals_of(services: Services, compared_with: Compared | None) -> Totals | None:
    item = services.table.get(run_key(compared_with.run)) if compared_with else None
    return record_from(item).totals if item else None
