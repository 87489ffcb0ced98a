"""The requests and answers of the console's API. Amounts are whole numbers, or text in yuan for money."""

from __future__ import annotations

from datetime import date, datetime
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field

MonthText = Annotated[str, Field(pattern=r"^[1-9][0-9]{3}-(0[1-9]|1[0-2])$", examples=["2026-10"])]
RunId = Annotated[str, Field(description="批次", examples=["5f0c9a7be13d24680ace"])]
Amount = int | str
Standing = Annotated[
    str,
    Field(
        description="A level's number; unrated; awaiting (its first rating); or absent (not on the platform).",
        examples=["3"],
    ),
]


class Answer(BaseModel):
    model_config = ConfigDict(extra="ignore", frozen=True)


class Both(Answer):
    """A text in both languages."""

    zh: str
    en: str


# --- the month --------------------------------------------------------------------------------------------------------


class LedgerLine(Answer):
    """One thing that happened to a run: by the schedule, or by a person (``by``), with the reason."""

    at: datetime
    action: Annotated[str, Field(examples=["accepted"])]
    month: MonthText
    run: RunId
    replaced: str | None = None
    by: str | None = None
    reason: str | None = None
    because: Annotated[Both | None, Field(description="Why the system held it, if the guardrails do not say it.")] = (
        None
    )


class Valid(Answer):
    """The run whose levels readers see."""

    run: RunId
    published_at: datetime
    action: str


class MonthState(Answer):
    """The state of a month.

    waiting_for_extracts: the datasets in ``missing`` are not complete. ready: all data are there, and the next firing
    rates the month (or one is rating it now). measuring: Spark is measuring it, and a later firing continues. held: the
    runs in ``held`` wait for a decision. published: readers see the run in ``valid``; runs in ``held`` may still wait.
    """

    month: MonthText
    state: Literal["waiting_for_extracts", "ready", "measuring", "held", "published"]
    missing: list[str]
    held: Annotated[list[RunId], Field(description="Newest first.")]
    valid: Valid | None
    renewed_on: Annotated[date, Field(description="The day on which the month's levels are due.")]
    overdue: Annotated[bool, Field(description="That day is over, and the month is not published.")]
    last: LedgerLine | None


class Months(Answer):
    """The newest months, newest first. ``pointer``: the version of the publications; send it with a decision."""

    pointer: int
    next_renewal_on: Annotated[date, Field(description="The next day, today or later, on which a month is due.")]
    upload: Annotated[bool, Field(description="Whether the workbook is an Excel file that can be replaced here.")]
    items: list[MonthState]


class Ledger(Answer):
    """The ledger, newest first."""

    items: list[LedgerLine]


# --- runs -------------------------------------------------------------------------------------------------------------


class File(Answer):
    """A file of a run. ``link`` works for an hour, for anyone who has it."""

    name: Annotated[str, Field(examples=["report.html"])]
    link: str


class RunLine(Answer):
    """A run that has a report. ``standing``: stopped means that its data were bad, and nothing was rated."""

    run: RunId
    month: MonthText
    preview: bool
    written_at: datetime
    standing: Literal["preview", "valid", "held", "replaced", "never published", "stopped"]
    files: list[File]


class Runs(Answer):
    """The runs of a month, newest first."""

    items: list[RunLine]


class Guardrail(Answer):
    """A limit, and the run's value. ``because``: why it is exceeded, if the numbers alone do not explain it."""

    name: Annotated[str, Field(examples=["max_changed_share"])]
    limit: float
    value: float | None
    exceeded: bool
    because: Both | None = None


class MatrixCell(Answer):
    before: Standing
    after: Standing
    agencies: int


class Decided(Answer):
    """The threshold that decided. ``share``: actual / required."""

    metric: str
    required: Amount
    actual: Amount
    share: float | None


class BenefitChange(Answer):
    """A benefit that stays but changes: ``20`` → ``5``, ``5`` → ``unlimited``, or one text → another."""

    benefit: str
    before: str
    now: str


class Mover(Answer):
    """An agency whose level changes.

    ``cause``: override (a level set by hand) or override_ended; null if the metrics or the ladder decided.
    """

    agency_id: str
    name: str
    old_level: int | None
    new_level: int | None
    channel: int | None
    decided_by: Decided | None
    cause: Literal["override", "override_ended"] | None
    benefits_gained: list[str]
    benefits_lost: list[str]
    benefits_changed: list[BenefitChange]


class MetricName(Answer):
    metric: str
    name: str
    unit: str


class MonthToCome(Answer):
    """The levels that the workbook's rules for a later month would give, with the numbers of ``measured_month``."""

    month: MonthText
    due_on: Annotated[date, Field(description="The day on which the month's levels are due.")]
    measured_month: MonthText
    moves: Annotated[
        dict[str, int], Field(description="The number of agencies: up, down, new, same.", examples=[{"up": 3}])
    ]
    level_names: dict[str, str]
    metrics: list[MetricName]
    matrix: list[MatrixCell]
    movers: Annotated[list[Mover], Field(description="At most 600 agencies whose level changes; falling levels first.")]
    moving: Annotated[int, Field(description="The number of all agencies whose level changes.")]


class Bin(Answer):
    at_least: Amount
    below: Amount
    agencies: int


class Near(Answer):
    """The number of agencies within ``percent`` of a threshold: in all, below it, and at or above it."""

    percent: int
    agencies: int
    below: int
    at_or_above: int


class ThresholdSeen(Answer):
    """A threshold.

    ``met_by``: the number of agencies that meet it. ``position``: where it is in the histogram, counted in bins from
    the first one; null if it is outside.
    """

    level: int
    channel: int
    required: Amount
    met_by: int
    near: list[Near]
    position: float | None


class Cutoff(Answer):
    """The value that exactly this many agencies would meet, if it were the threshold."""

    agencies: int
    value: Amount


class Distribution(Answer):
    metric: str
    agencies: int
    bins: list[Bin]
    thresholds: list[ThresholdSeen]
    cutoffs: list[Cutoff]


class Report(Answer):
    """What a decision on a run needs: guardrails, level changes and their causes, agencies near a threshold."""

    run: RunId
    month: MonthText
    preview: bool
    rulebook: str
    compared_with_month: str | None
    compared_with_run: str | None
    pointer: int
    standing: Literal["preview", "valid", "held", "replaced", "never published"]
    agencies: int
    levels: dict[str, int]
    moves: dict[str, int]
    order_rows: dict[str, int]
    held_because: Annotated[Both | None, Field(description="Why the run is held, if the guardrails do not say it.")]
    guardrails: list[Guardrail]
    level_names: dict[str, str]
    metrics: list[MetricName]
    matrix: list[MatrixCell]
    movers: Annotated[
        list[Mover], Field(description="At most 2,000 agencies whose level changes; falling levels come first.")
    ]
    moving: Annotated[int, Field(description="The number of all agencies whose level changes.")]
    distributions: list[Distribution]
    faults: list[Fault]
    changes: Annotated[list[Change], Field(description="How the run's workbook differs from the rules in force then.")]
    data_warnings: list[str]
    retention_assessed: Annotated[bool, Field(description="Whether the creators of the month before were read.")]
    ledger: list[LedgerLine]


# --- the workbook -----------------------------------------------------------------------------------------------------


class Fault(Answer):
    severity: str
    code: str
    tab: str
    cell: str
    found: str
    expected: Both
    fix: Both
    link: Annotated[str | None, Field(description="A link to the cell, if the workbook is a Google Sheet.")] = None


class Change(Answer):
    """A cell that differs from the rules in force."""

    tab: str
    cell: str
    what: Both
    old: str | None
    new: str | None
    effect: str
    takes_away: bool
    when: Both
    link: str | None = None


class Stored(Answer):
    """The Excel file that is the workbook now. ``by``: who uploaded it in the console; null if nobody did."""

    etag: Annotated[str, Field(description="Identifies the content; send it as `replaces` with an upload.")]
    at: datetime
    by: str | None


class Workbook(Answer):
    """The result of the last reading of the workbook. ``at``: null before the first. ``stored``: null if not a file."""

    stored: Stored | None
    at: datetime | None
    outcome: str | None
    month: str | None
    effective_month: str | None
    faults: list[Fault]
    unshown_faults: int
    changes: list[Change]
    prepared: Annotated[
        list[MonthToCome], Field(description="The later months from which the rules change, the next one first.")
    ]


# --- asking -----------------------------------------------------------------------------------------------------------


class Asked(BaseModel):
    model_config = ConfigDict(extra="forbid")


class DecisionRequest(Asked):
    """A decision. ``pointer``: that of the page on which it was made. ``month``: typed by the person who decides."""

    reason: Annotated[str, Field(min_length=1, max_length=1000, pattern=r"\S", examples=["looked at: a new promotion"])]
    month: MonthText
    pointer: Annotated[int, Field(ge=0)]
    anyway: Annotated[
        bool, Field(description="Publish the run even if its data or its month's publication changed since.")
    ] = False


class PreviewRequest(Asked):
    month: MonthText


class CheckRequest(Asked):
    """An empty object."""


class RefreshRequest(Asked):
    """Confirms the changes that take something away. ``pointer``, ``checked_at``: those of the page."""

    reason: Annotated[str, Field(min_length=1, max_length=1000, pattern=r"\S", examples=["agreed with legal"])]
    pointer: Annotated[int, Field(ge=0)]
    checked_at: datetime


class WorkbookRequest(Asked):
    """An Excel workbook, in Base64. It replaces the current one, which S3 keeps as an older version.

    ``replaces``: the ``etag`` of the file that the page showed; null if there was none.
    """

    content: Annotated[str, Field(min_length=4, max_length=5_600_000, pattern=r"^[A-Za-z0-9+/]+={0,2}$")]
    replaces: Annotated[str | None, Field(min_length=1, max_length=200, pattern=r"^[0-9A-Za-z-]+$")]


class TicketAnswer(Answer):
    """A request to the rating function. ``answer``: its result, or ``error`` and ``message``.

    ``to_come``: what the preview of a month to come found, which has no report.
    """

    ticket: str
    state: Literal["asked", "done", "failed"]
    by: str
    at: datetime
    poll: Annotated[str, Field(description="GET this path until the state is done or failed.")]
    answer: dict[str, Any] | None
    to_come: MonthToCome | None = None


class ProblemAnswer(BaseModel):
    """RFC 9457 problem details, in English and Chinese."""

    type: str
    title: str
    title_zh: str
    status: int
    detail: str
    detail_zh: str
