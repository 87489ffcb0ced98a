"""The errors that this system raises: one type per cause. A message names the location, the finding and the fix.

LevelsError
├── SettingsMissing         environment variables are absent or malformed; all of them at once
├── EventInvalid            the rating function's input is not a documented event
├── MonthNotOver            the month asked for has not ended yet
├── WorkbookError
│   ├── WorkbookUnavailable the spreadsheet can't be read: not shared, wrong key, folder absent, Google down
│   ├── WorkbookFaulty      it was read, and it has faults (listed)
│   ├── ChangesUnseen       it has other changes than those that somebody confirmed
│   └── ExampleThresholds   it has the invented thresholds of the shipped example, which this stack must not use
├── ExtractError
│   ├── ExtractsUnavailable S3 can't be reached, or refuses
│   ├── ObjectInvalid       an object is empty, truncated, corrupt, or lacks a required column
│   ├── ObjectChanged       an object was added, changed or deleted while it was being read
│   ├── AgenciesInvalid     a row of the agencies extract is bad, or two of one agency differ
│   ├── TooManyBadRows      a dataset has more bad rows than the settings allow
│   ├── MeasuringFailed     a measurement can't be read or written, or the Spark job that makes it failed
│   ├── OutOfRoom           too little memory or scratch space for the extracts
│   └── NotReconciled       the rows accounted for are not the rows in the files
├── PublicationError
│   ├── PublicationConflict another run moved the pointer first
│   ├── ItemTooLarge        an item is too large for the table
│   ├── RunUnknown          there is no such run, or this action is not possible for it
│   ├── RunSuperseded       a held run is out of date; "anyway" accepts it
│   ├── RunUnrepairable     a run can't be computed again: its inputs or its rulebook are gone
│   ├── MonthExpired        the month's retention is over
│   ├── ItemInvalid         a stored item can't be read: altered, or written by a newer version
│   └── NothingPublished    there is no publication to read
├── ScratchUnusable         the working folder is absent, read-only, or can't be used for another reason
├── TableUnavailable        DynamoDB can't be reached, or refuses
├── ReportUnwritten         the run's report could not be written, so nothing was published
├── EventsUnsent            the levels are published, but the event bus did not take all events
└── OutOfTime               the function has too little time left; it stopped cleanly
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any


class LevelsError(Exception):
    """Base of every error that this system raises."""


class SettingsMissing(LevelsError):
    """Environment variables are absent or malformed."""


class EventInvalid(LevelsError):
    """The rating function's input is not a documented event."""


class MonthNotOver(LevelsError):
    """The requested month has not ended yet."""


class WorkbookError(LevelsError):
    """The spreadsheet can't be used."""


class WorkbookUnavailable(WorkbookError):
    """The spreadsheet can't be read."""


class WorkbookFaulty(WorkbookError):
    """The spreadsheet has faults. ``faults`` are JSON objects: tab, cell, found, expected, fix.

    ``changes``: what the rest of it changes of what is in force, as JSON objects too.
    """

    def __init__(self, message: str, faults: Sequence[dict[str, Any]], changes: Sequence[dict[str, Any]] = ()) -> None:
        super().__init__(message)
        self.faults = list(faults)
        self.changes = list(changes)


class ChangesUnseen(WorkbookError):
    """The spreadsheet has other changes than those that were confirmed. ``found``: the answer of a check of now."""

    def __init__(self, message: str, found: dict[str, Any]) -> None:
        super().__init__(message)
        self.found = found


class ExampleThresholds(WorkbookError):
    """The thresholds are those of the shipped example, which this stack must not use."""


class ExtractError(LevelsError):
    """The month's files can't be used. ``quarantine``: a ``.csv.gz`` of the first bad rows; empty without any."""

    quarantine: bytes = b""


class ExtractsUnavailable(ExtractError):
    """S3 can't be reached, or refuses."""


class ObjectInvalid(ExtractError):
    """An object is empty, truncated, corrupt, or lacks a required column."""


class ObjectChanged(ExtractError):
    """An object was added, changed or deleted while it was being read."""


class AgenciesInvalid(ExtractError):
    """A row of the agencies extract is bad, or two rows of one agency differ."""


class TooManyBadRows(ExtractError):
    """A dataset has more bad rows than the settings allow."""


class MeasuringFailed(ExtractError):
    """A measurement can't be read or written, or the Spark job that makes it failed."""


class OutOfRoom(ExtractError):
    """There is too little memory or scratch space for the extracts."""


class NotReconciled(ExtractError):
    """The rows accounted for are not the rows in the files."""


class PublicationError(LevelsError):
    """A publication can't be made or read."""


class PublicationConflict(PublicationError):
    """Another run moved the pointer first."""


class ItemTooLarge(PublicationError):
    """An item is too large for the table."""


class RunUnknown(PublicationError):
    """There is no such run, or the action is not possible for it."""


class RunSuperseded(PublicationError):
    """A held run is out of date: its extracts or its month's publication changed since."""


class RunUnrepairable(PublicationError):
    """A run can't be computed again: its inputs or its rulebook are gone."""


class MonthExpired(PublicationError):
    """The month's retention is over."""


class ItemInvalid(PublicationError):
    """A stored item can't be read, or exists too early. ``key``: its partition key and sort key."""

    def __init__(self, message: str, key: tuple[str, str]) -> None:
        super().__init__(message)
        self.key = key


class NothingPublished(PublicationError):
    """There is no publication to read."""


class ScratchUnusable(LevelsError):
    """The working folder can't be used."""


class TableUnavailable(LevelsError):
    """DynamoDB can't be reached, or refuses."""


class ReportUnwritten(LevelsError):
    """The run's report could not be written."""


class EventsUnsent(LevelsError):
    """The levels are published, but the event bus did not take all events."""


class OutOfTime(LevelsError):
    """The function has too little time left."""
