"""Makes a run valid: one conditional write moves the pointer and writes ledger and outbox, all or none."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime

from functions.rating.progress import Progress
from functions.rating.publication import ledger, staging
from functions.rating.publication.ledger import Entry
from functions.rating.publication.outbox import Outbox, OutboxEntry, changes_items, outbox_item
from functions.rating.publication.pointer import PointerMoved, move_pointer
from functions.rating.run.record import RunRecord
from functions.rating.run.standings import level_changes
from shared.errors import PublicationConflict
from shared.items import MadeValid, Pointer, Publication
from shared.levels import Standing
from shared.observability import logger
from shared.table import Table


@dataclass(frozen=True, slots=True)
class Publisher:
    """Moves the pointer. ``now``: returns an aware instant. ``code_version``: is written to the ledger."""

    table: Table
    outbox: Outbox
    progress: Progress
    now: Callable[[], datetime]
    code_version: str

    def publish(
        self,
        record: RunRecord,
        action: MadeValid,
        replacing: Publication | None,
        standings: Mapping[str, Standing],
        *,
        expires_at: int,
        rulebook: str | None = None,
        by: str | None = None,
        reason: str | None = None,
        workbook: tuple[str, ...] = (),
        engine: str | None = None,
    ) -> bool:
        """Make a staged run valid. False if another invocation has just done so. Events are not sent here.

        ``replacing``: the publication that was valid for the month when the decision was taken. ``standings``: of the
        run. ``rulebook``: the id whose texts are shown; None is the record's. ``workbook``: the S3 objects that it was
        read from. ``engine``: the engine that measured the month, if it was measured now.

        Raises PublicationConflict if ``replacing`` is no longer valid, or (except for a rollback) if the run was
        compared with a publication that is no longer valid.
        """
        with self.progress.stage("publish"):
            entry = self._write_changes(record, action, replacing, standings, expires_at)
            line = Entry.of(
                action,
                record,
                self.now(),
                self.code_version,
                replaced=replacing,
                rulebook=rulebook,
                by=by,
                reason=reason,
                workbook=workbook,
                engine=engine,
            )
            publication = Publication(record.month, record.run, line.rulebook, line.at, action)
            while True:
                self.progress.check_time("publish")
                seen = self.table.pointer()
                valid = seen.publications.get(record.month)
                if valid and valid.run == record.run:
                    return valid == publication  # False: another invocation did it
                _refuse_if_moved(seen, record, replacing, rests_on_compared=action != "rolled_back")
                following = seen.following(publication)
                entry = replace(
                    entry,
                    sequence=following.version,
                    published_at=line.at,
                    current=following.current().month == record.month,
                )
                try:
                    move_pointer(self.table, seen, following, line, outbox_item(entry, expires_at))
                except PointerMoved:
                    logger.info("the pointer moved, reading it again", month=record.month, run=record.run)
                else:
                    return True

    def show_texts(
        self,
        seen: Pointer,
        valid: Publication,
        rulebook: str,
        record: RunRecord,
        *,
        by: str | None = None,
        reason: str | None = None,
        workbook: tuple[str, ...] = (),
    ) -> None:
        """Show a publication with the texts of another rulebook. Raises PublicationConflict if the pointer moved."""
        line = Entry.of(
            "refreshed",
            record,
            self.now(),
            self.code_version,
            replaced=valid,
            rulebook=rulebook,
            by=by,
            reason=reason,
            workbook=workbook,
        )
        try:
            move_pointer(self.table, seen, seen.following(replace(valid, rulebook=rulebook)), line)
        except PointerMoved as error:
            raise PublicationConflict(
                f"month {record.month}: something else was published while its texts were being refreshed; they stay "
                "as they were. Refresh again."
            ) from error

    def write_changes(
        self, record: RunRecord, replaced: str | None, standings: Mapping[str, Standing], expires_at: int
    ) -> tuple[int, int]:
        """Write the level changes against what readers see now. Returns how many agencies, and on how many items.

        Before the first publication of a month, readers see the month that the run was compared with.
        """
        compared = record.compared_with
        seen = replaced or (compared and compared.run)
        changes = level_changes(self.table.standings(seen) if seen else {}, standings)

        def progress(done: int) -> None:
            self.progress.advance("level changes", done, None)

        pages = staging.stage(self.table, changes_items(record.run, replaced, changes, expires_at), progress)
        return len(changes), pages

    def append(
        self,
        action: ledger.Action,
        record: RunRecord,
        reason: str | None = None,
        *,
        workbook: tuple[str, ...] = (),
        engine: str | None = None,
    ) -> None:
        """Write a line of the ledger that does not move the pointer."""
        version = self.table.pointer().version
        entry = Entry.of(
            action,
            record,
            self.now(),
            self.code_version,
            version=version,
            reason=reason,
            workbook=workbook,
            engine=engine,
        )
        ledger.append(self.table, entry)

    def _write_changes(
        self,
        record: RunRecord,
        action: MadeValid,
        replacing: Publication | None,
        standings: Mapping[str, Standing],
        expires_at: int,
    ) -> OutboxEntry:
        replaced = replacing.run if replacing else None
        changed, pages = self.write_changes(record, replaced, standings, expires_at)
        return OutboxEntry(0, record.month, record.run, replaced, action, "", True, changed, pages)


def _refuse_if_moved(
    pointer: Pointer, record: RunRecord, replacing: Publication | None, *, rests_on_compared: bool
) -> None:
    """Raises PublicationConflict if the publication of the month, or the one compared with, has changed."""
    valid, before, compared = pointer.publications.get(record.month), pointer.before(record.month), record.compared_with
    if (valid and valid.run) != (replacing and replacing.run):
        raise PublicationConflict(
            f"month {record.month}: {valid} became valid while run {record.run} was being prepared; nothing was "
            "published by this run. Look at the newer publication, then run the month again if it is still needed."
        )
    if rests_on_compared and (before and before.run) != (compared and compared.run):
        raise PublicationConflict(
            f"run {record.run} was compared with {compared}, but the newest earlier publication is now {before}; "
            "nothing was published by this run. Run the month again."
        )
