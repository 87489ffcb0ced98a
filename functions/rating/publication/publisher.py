"""From a computed run to what readers see: stage it, move the pointer, tell the news. And back, from its id."""

from __future__ import annotations

from collections.abc import Mapping

from functions.rating.publication import ledger, staging
from functions.rating.publication.ledger import Action, Entry
from functions.rating.run.computed import Computed
from functions.rating.run.record import RunRecord, record_from
from functions.rating.run.standings import moved, standings_of
from functions.rating.services import Services
from shared.errors import PublicationConflict, RunUnknown
from shared.levels import Standing
from shared.months import Month
from shared.observability import logger
from shared.table import MadeValid, Pointer, Publication, run_key

PUBLISH_ATTEMPTS = 5


def stage_run(services: Services, computed: Computed, pointer: Pointer) -> None:
    """Write all of a run where no reader looks: ratings, directory, record, rulebook, and the news to be told."""
    expires_at, total = expiry(services, computed.month), len(computed.ratings)
    with services.progress.stage("stage") as facts:
        staging.keep_rulebook(services.table, computed.rulebook, expires_at)
        items = staging.items_of(computed.ratings, computed.record, expires_at)
        facts["items"] = staging.stage(
            services.table, items, lambda done: services.progress.advance("stage", done, total)
        )
        valid = pointer.publications.get(str(computed.month))
        keep_news(services, computed.record, valid, standings_of(computed.ratings))


def keep_news(
    services: Services,
    record: RunRecord,
    replacing: Publication | None,
    standings: Mapping[str, Standing],
    *,
    occasion: str = "",
) -> None:
    """Write what is to be announced once a run is valid: against what readers see now, or saw in the month before."""
    compared = record.compared_with
    seen = replacing.run if replacing else compared and compared.run
    news = moved(services.table.standings(seen) if seen else {}, standings)
    replaced = replacing.run if replacing else None
    outbox = services.announcer.outbox_items(
        record.month, record.run, replaced, news, expiry(services, Month.parse(record.month)), occasion=occasion
    )
    staging.stage(services.table, outbox, lambda done: services.progress.advance("news", done, None))


def publish_record(
    services: Services,
    record: RunRecord,
    action: MadeValid,
    replacing: Publication | None,
    *,
    by: str | None = None,
    reason: str | None = None,
) -> bool:
    """Make a staged run valid and tell the news; False when another run of the same inputs had just done so.

    ``replacing``: what was valid for the month when the run began. Raises PublicationConflict when that, or what the
    run was compared with, is no longer valid.
    """
    line = entry(services, action, record, replaced=replacing, by=by, reason=reason)
    publication = Publication(record.month, record.run, record.rulebook, line.at, action)
    with services.progress.stage("publish"):
        for _ in range(PUBLISH_ATTEMPTS):
            pointer = services.table.pointer()
            valid = pointer.publications.get(record.month)
            if valid and valid.run == record.run:
                publication = valid  # by another run, or by this one, whose answer was lost on the way
                break
            _refuse_if_moved(pointer, record, replacing)
            try:
                staging.move_pointer(services.table, pointer, publication, line)
                break
            except PublicationConflict:
                logger.info("pointer moved meanwhile, looking again", month=record.month, run=record.run)
        else:
            raise PublicationConflict(f"month {record.month}: the pointer moved {PUBLISH_ATTEMPTS} times; run it again")
    services.announcer.send(record.run, line.replaced)
    return publication.published_at == line.at


def tell_what_is_untold(services: Services, valid: Publication) -> None:
    """Send the news of a publication that could not be sent when it became valid."""
    made_valid = (valid.run, valid.published_at)
    lines = (line for line in ledger.entries(services.table, valid.month) if (line.run, line.at) == made_valid)
    services.announcer.send(valid.run, next((line.replaced for line in lines), None))


def load_record(services: Services, run: str) -> RunRecord:
    """A run's record. Raises RunUnknown."""
    item = services.table.get(run_key(run))
    if item is None:
        raise RunUnknown(f"there is no run {run} in table {services.table.name}; the report of each run names its id")
    return record_from(item)


def entry(
    services: Services,
    action: Action,
    record: RunRecord,
    *,
    replaced: Publication | None = None,
    by: str | None = None,
    reason: str | None = None,
) -> Entry:
    """A ledger line about a run, now."""
    return Entry(
        at=services.now().isoformat(timespec="microseconds"),
        action=action,
        month=record.month,
        run=record.run,
        rulebook=record.rulebook,
        code_version=services.code_version,
        replaced=replaced.run if replaced else None,
        by=by,
        reason=reason,
    )


def expiry(services: Services, month: Month) -> int:
    """Epoch second after which the table may forget a month's items."""
    return int(month.plus(services.retention_months).end(services.zone).timestamp())


def _refuse_if_moved(pointer: Pointer, record: RunRecord, replacing: Publication | None) -> None:
    """A run rests on what was valid when it began: for its own month, and for the month it was compared with."""
    valid, before, compared = pointer.publications.get(record.month), pointer.before(record.month), record.compared_with
    if (valid and valid.run) != (replacing and replacing.run):
        raise PublicationConflict(
            f"month {record.month}: {valid} became valid while run {record.run} was being prepared; nothing was "
            "published by this run. Look at the newer publication, then run the month again if it is still needed."
        )
    if (before and before.run) != (compared and compared.run):
        raise PublicationConflict(
            f"run {record.run} was compared with {compared}, but the newest earlier publication is now {before}; "
            "nothing was published by this run. Run the month again."
        )
