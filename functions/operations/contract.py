"""What the console may ask, and what it is answered. Amounts: whole numbers, or yuan text for money."""

from __future__ import annotations

from datetime import date, datetime
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field

MonthText = Annotated[str, Field(pattern=r"^[1-9][0-9]{3}-(0[1-9]|1[0-2])$", examples=["2026-10"])]
RunId = Annotated[str, Field(description="批次", examples=["5f0c9a7be13d24680ace"])]
Amount = int | str
Standing = Annotated[str, Field(description="A level's number, unrated, awaiting, or absent.", examples=["3"])]


class Answer(BaseModel):
    model_config = ConfigDict(extra="ignore", frozen=True)


class Both(Answer):
    """A text in both languages."""

    zh: str
    en: str


# --- the month --------------------------------------------------------------------------------------------------------


class LedgerLine(Answer):
    """What happened to a month's runs: by the schedule, or by somebody, with the reason."""

    at: datetime
    action: Annotated[str, Field(examples=["accepted"])]
    month: MonthText
    run: RunId
    replaced: str | None = None
    by: str | None = None
    reason: str | None = None
    because: Annotated[Both | None, Field(description="Why the system held it, where a guardrail doesn't say it.")] = (
        None
    )


class Valid(Answer):
    """The run whose levels readers see."""

    run: RunId
    published_at: datetime
    action: str


class MonthState(Answer):
    """Where a month stands.

    waiting_for_extracts: datasets are ``missing``; ready: nothing is missing, the next firing rates it, or does so now;
    measuring: a cluster counts its data, the next firing goes on;
    held: ``held`` waits for a decision; published: ``valid`` is shown, and a held run may still wait.
    """

    month: MonthText
    state: Literal["waiting_for_extracts", "ready", "measuring", "held", "published"]
    missing: list[str]
    held: Annotated[list[RunId], Field(description="Newest first.")]
    valid: Valid | None
    renewed_on: Annotated[date, Field(description="The day on which the month's levels are due.")]
    overdue: Annotated[bool, Field(description="Nothing of the month is published, and that day is over.")]
    last: LedgerLine | None


class Months(Answer):
    """The newest months, newest first. ``pointer``: which state of the publications this is; decisions name it."""

    pointer: int
    next_renewal_on: Annotated[date, Field(description="The next day, today or later, on which a month is due.")]
    upload: Annotated[bool, Field(description="Whether the workbook is a file that may be replaced here.")]
    items: list[MonthState]


class Ledger(Answer):
    """The ledger, newest first."""

    items: list[LedgerLine]


# --- runs -------------------------------------------------------------------------------------------------------------


class File(Answer):
    """A file of a run. ``link``: good for an hour, for whoever has it."""

    name: Annotated[str, Field(examples=["report.html"])]
    link: str


class RunLine(Answer):
    """A run that has a report. ``stopped``: its data were bad, and nothing was rated."""

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
    """A limit, and what the run has. ``because``: why it is exceeded, where the number does not explain itself."""

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
    """The threshold that decided. ``share``: actual of required."""

    metric: str
    required: Amount
    actual: Amount
    share: float | None


class BenefitChange(Answer):
    """A benefit that is kept, with another extent: ``20`` → ``5``, ``unlimited``, or one text → another."""

    benefit: str
    before: str
    now: str


class Mover(Answer):
    """``cause``: a level set by hand, or the end of one; null where the numbers or the ladder decided."""

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


class Bin(Answer):
    at_least: Amount
    below: Amount
    agencies: int


class Near(Answer):
    """How many agencies are within so many percent of a threshold, and on which side."""

    percent: int
    agencies: int
    below: int
    at_or_above: int


class ThresholdSeen(Answer):
    """A threshold. ``position``: where in the bins it stands, in bins from the first; null outside of them."""

    level: int
    channel: int
    required: Amount
    met_by: int
    near: list[Near]
    position: float | None


class Cutoff(Answer):
    """The threshold that this many agencies would meet."""

    agencies: int
    value: Amount


class Distribution(Answer):
    metric: str
    agencies: int
    bins: list[Bin]
    thresholds: list[ThresholdSeen]
    cutoffs: list[Cutoff]


class Report(Answer):
    """A run, as it is decided on: guardrails, who goes from where to where, why, and who sits near a threshold."""

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
    held_because: Annotated[Both | None, Field(description="What holds the run besides guardrails.")]
    guardrails: list[Guardrail]
    level_names: dict[str, str]
    metrics: list[MetricName]
    matrix: list[MatrixCell]
    movers: Annotated[list[Mover], Field(description="Those whose level falls first, at most 2,000.")]
    moving: Annotated[int, Field(description="How many there are.")]
    distributions: list[Distribution]
    faults: list[Fault]
    changes: Annotated[list[Change], Field(description="What the workbook of the run changes of what was in force.")]
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
    link: Annotated[str | None, Field(description="The cell itself, where the workbook is a Google Sheet.")] = None


class Change(Answer):
    """A cell that says something else than what is in force."""

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
    """The Excel file that is the workbook now. ``by``: who uploaded it in the console, where somebody did."""

    etag: Annotated[str, Field(description="Stands for its content; an upload names it.")]
    at: datetime
    by: str | None


class Workbook(Answer):
    """What the last reading of the workbook found; ``at`` null before the first. ``stored``: where it is a file."""

    stored: Stored | None
    at: datetime | None
    outcome: str | None
    month: str | None
    effective_month: str | None
    faults: list[Fault]
    unshown_faults: int
    changes: list[Change]


# --- asking -----------------------------------------------------------------------------------------------------------


class Asked(BaseModel):
    model_config = ConfigDict(extra="forbid")


class DecisionRequest(Asked):
    """``pointer``: of the page that the decision was made on. ``month``: typed by whoever decides."""

    reason: Annotated[str, Field(min_length=1, max_length=1000, pattern=r"\S", examples=["looked at: a new promotion"])]
    month: MonthText
    pointer: Annotated[int, Field(ge=0)]
    anyway: Annotated[bool, Field(description="Also when the run's inputs changed since.")] = False


class PreviewRequest(Asked):
    month: MonthText


class CheckRequest(Asked):
    """Nothing needs to be said."""


class RefreshRequest(Asked):
    """Confirms what the workbook takes away. ``pointer``, ``checked_at``: of the page it was decided on."""

    reason: Annotated[str, Field(min_length=1, max_length=1000, pattern=r"\S", examples=["agreed with legal"])]
    pointer: Annotated[int, Field(ge=0)]
    checked_at: datetime


class WorkbookRequest(Asked):
    """An Excel workbook, in Base64; it takes the place of the one before, which is kept as an older version.

    ``replaces``: the ``etag`` of the file that the page showed; null where there was none.
    """

    content: Annotated[str, Field(min_length=4, max_length=5_600_000, pattern=r"^[A-Za-z0-9+/]+={0,2}$")]
    replaces: Annotated[str | None, Field(min_length=1, max_length=200, pattern=r"^[0-9A-Za-z-]+$")]


class TicketAnswer(Answer):
    """A request to the rating function. ``answer``: its result, or ``error`` and ``message``."""

    ticket: str
    state: Literal["asked", "done", "failed"]
    by: str
    at: datetime
    poll: Annotated[str, Field(description="Ask here until the state is done or failed.")]
    answer: dict[str, Any] | None


class ProblemAnswer(BaseModel):
    """RFC 9457 problem details, in English and Chinese."""

    type: str
    title: str
    title_zh: str
    status: int
    detail: str
    detail_zh: str
