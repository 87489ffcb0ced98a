"""Make a run valid: one conditional write moves the pointer and writes the ledger, both or neither."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from typing import TYPE_CHECKING

from functions.rating.progress import Progress
from functions.rating.publication import ledger
from functions.rating.publication.ledger import Entry, entry_item
from functions.rating.publication.outbox import Outbox
from functions.rating.run.record import RunRecord
from functions.rating.run.standings import level_changes
from shared.errors import PublicationConflict, TableUnavailable
from shared.levels import Standing
from shared.observability import logger
from shared.table import MadeValid, Pointer, Publication, Table, pointer_item, table_errors

if TYPE_CHECKING:
    from mypy_boto3_dynamodb.type_defs import PutTypeDef

PUBLISH_ATTEMPTS = 5


@dataclass(frozen=True, slots=True)
class Publisher:
    """Moves the pointer. ``now`` gives an aware instant; ``code_version`` goes into the ledger."""

    table: Table
    outbox: Outbox
    progress: Progress
    now: Callable[[], datetime]
    code_version: str

    def write_outbox(
        self,
        record: RunRecord,
        replacing: Publication | None,
        standings: Mapping[str, Standing],
        expires_at: int,
        *,
        occasion: str = "",
    ) -> None:
        """Write the events that are sent once a run is valid: what differs from the levels that readers see now.

        Before the first publication of a month readers see the month that the run was compared with.
        """
        compared = record.compared_with
        seen = replacing.run if replacing else compared and compared.run
        changes = level_changes(self.table.standings(seen) if seen else {}, standings)
        replaced = replacing.run if replacing else None

        def progress(done: int) -> None:
            self.progress.advance("outbox", done, None)

        self.outbox.write_outbox(
            record.month, record.run, replaced, changes, expires_at=expires_at, progress=progress, occasion=occasion
        )

    def publish(
        self,
        record: RunRecord,
        action: MadeValid,
        replacing: Publication | None,
        *,
        by: str | None = None,
        reason: str | None = None,
    ) -> bool:
        """Make a staged run valid and send its events; False when another run of the same inputs had just done so.

        ``replacing``: what was valid for the month when the run began. Raises PublicationConflict when that, or what
        the run was compared with, is no longer valid.
        """
        line = Entry.of(action, record, self.now(), self.code_version, replaced=replacing, by=by, reason=reason)
        publication = Publication(record.month, record.run, record.rulebook, line.at, action)
        with self.progress.stage("publish"):
            for _ in range(PUBLISH_ATTEMPTS):
                pointer = self.table.pointer()
                valid = pointer.publications.get(record.month)
                if valid and valid.run == record.run:
                    publication = valid  # by another run, or by this one, whose answer was lost on the way
                    break
                _refuse_if_moved(pointer, record, replacing)
                try:
                    move_pointer(self.table, pointer, publication, line)
                    break
                except PublicationConflict:
                    logger.info("the pointer moved, reading it again", month=record.month, run=record.run)
            else:
                raise PublicationConflict(
                    f"month {record.month}: the pointer moved {PUBLISH_ATTEMPTS} times; run it again"
                )
        self.outbox.send_pending(record.run, line.replaced)
        return publication.published_at == line.at

    def send_pending(self, valid: Publication) -> None:
        """Send the events of a publication that could not be sent when it became valid."""
        made_valid = (valid.run, valid.published_at)
        lines = (line for line in ledger.entries(self.table, valid.month) if (line.run, line.at) == made_valid)
        self.outbox.send_pending(valid.run, next((line.replaced for line in lines), None))


def move_pointer(table: Table, seen: Pointer, publication: Publication, entry: Entry) -> None:
    """Make a publication the valid one of its month, and write the ledger, both or neither.

    ``seen``: the pointer that the decision rests on. Raises PublicationConflict when another run got there first.
    """
    following = replace(
        seen, version=seen.version + 1, publications={**seen.publications, publication.month: publication}
    )
    put_pointer: PutTypeDef = {
        "TableName": table.name,
        "Item": pointer_item(following),
        "ConditionExpression": "attribute_not_exists(version)",
    }
    if seen.version:
        put_pointer["ConditionExpression"] = "version = :seen"
        put_pointer["ExpressionAttributeValues"] = {":seen": {"N": str(seen.version)}}
    put_entry: PutTypeDef = {
        "TableName": table.name,
        "Item": entry_item(entry),
        "ConditionExpression": "attribute_not_exists(pk)",
    }
    try:
        with table_errors(table.name):
            table.client.transact_write_items(TransactItems=[{"Put": put_pointer}, {"Put": put_entry}])
    except TableUnavailable as error:
        if isinstance(error.__cause__, table.client.exceptions.TransactionCanceledException):
            raise PublicationConflict(
                f"month {publication.month}: the pointer moved while run {publication.run} was being prepared; "
                "nothing was published by this run. The next run starts from what is valid now."
            ) from error
        raise


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
