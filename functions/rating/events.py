"""The input of the rating function: one JSON object, validated as a Request."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Annotated, Any, Literal, Self
from zoneinfo import ZoneInfo

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field, ValidationError, field_validator, model_validator

from shared.errors import EventInvalid
from shared.months import Month

_UPLOAD = ("aws.s3", "Object Created")
_JOB_ENDED = ("aws.glue", "Glue Job State Change")
Mode = Literal["preview", "check", "refresh", "console"]

FORMS = (
    '{"scheduled_at": "<instant>"}, {"month": "YYYY-MM"}, either with "mode": "preview"; {"mode": "check"}; '
    '{"mode": "refresh"}, with "by" and "reason" to confirm what is taken away (and "confirms": the changes_id seen); '
    '{"accept": "<run>"} or {"rollback": "<run>"} with "by" and "reason" (accept also with "anyway": true); '
    '{"month": "YYYY-MM", "repair": true}; {"verify": "<run>"}; {"mode": "console"}, to look for ticks in the sheet'
)


class Request(BaseModel):
    """One request: exactly one of scheduled_at, month, accept, rollback, verify, or a mode alone.

    ``ticket``: the id under which the console reads the answer (shared/tickets.py).
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    scheduled_at: AwareDatetime | None = None
    month: str | None = None
    mode: Mode | None = None
    accept: str | None = None
    rollback: str | None = None
    verify: str | None = None
    by: str | None = None
    reason: str | None = None
    uploaded: tuple[str, str] | None = None
    """Bucket and key of an uploaded object. If it is the workbook, the workbook is checked."""
    job_ended: bool = False
    """The Spark job has ended: rates like the schedule, but never before the day of the renewal."""
    ticket: Annotated[str, Field(pattern=r"^[0-9a-f]{20}$")] | None = None
    anyway: bool = False
    confirms: Annotated[str, Field(pattern=r"^[0-9a-f]{20}$")] | None = None
    """The changes of the workbook that were looked at, by their id in an earlier answer: only these are confirmed."""
    repair: bool = False

    @field_validator("month")
    @classmethod
    def _is_a_month(cls, text: str | None) -> str | None:
        return text if text is None else str(Month.parse(text))

    @model_validator(mode="after")
    def _is_one_of_the_forms(self) -> Self:
        asked = [name for name in ("scheduled_at", "month", "accept", "rollback", "verify") if getattr(self, name)]
        if len(asked) > 1 or (not asked and self.mode not in ("check", "refresh", "console")):
            raise ValueError("expected exactly one thing to do")
        if self.uploaded and self.mode != "check":
            raise ValueError("an uploaded object can only be checked")
        if self.mode and asked and not (self.mode == "preview" and asked[0] in ("scheduled_at", "month")):
            raise ValueError(f"mode {self.mode} does not go with {asked[0]}")
        decided = asked in (["accept"], ["rollback"])
        signed = bool(self.by and self.by.strip() and self.reason and self.reason.strip())
        given = self.by is not None or self.reason is not None
        if (decided or given) and not (signed and (decided or self.mode == "refresh")):
            raise ValueError("accept and rollback need by and reason; besides them only mode refresh takes both")
        if self.anyway and not self.accept:
            raise ValueError("anyway goes with accept only")
        if self.confirms and not (self.mode == "refresh" and signed):
            raise ValueError("confirms goes with mode refresh, by and reason")
        if self.repair and (asked != ["month"] or self.mode):
            raise ValueError("repair goes with month only")
        return self

    @property
    def publishes(self) -> bool:
        """Whether this request may publish a month's levels."""
        return self.mode is None and not self.verify and not self.repair

    @property
    def sends_events(self) -> bool:
        """Whether this request also sends the events that are still unsent."""
        return self.publishes or self.mode == "refresh"

    @property
    def reads_the_sheet(self) -> bool:
        """Whether the answer describes the current spreadsheet."""
        return not (self.accept or self.rollback or self.verify or self.repair)

    def rating_month(self, zone: ZoneInfo) -> Month:
        """The month to rate: the named one, or the month before ``scheduled_at`` in the time zone ``zone``."""
        if self.month:
            return Month.parse(self.month)
        instant: datetime | None = self.scheduled_at
        if instant is None:
            raise EventInvalid("this request rates no month")
        return Month.of(instant, zone).plus(-1)


def parse_event(event: Any) -> Request:
    """The validated request of an event. Raises EventInvalid, which names what was found and the valid forms."""
    try:
        return Request.model_validate(_check_of_upload(event) or _after_job(event) or event)
    except ValidationError as error:
        found = "; ".join(f"{'.'.join(map(str, e['loc'])) or 'event'}: {e['msg']}" for e in error.errors())
        raise EventInvalid(f"{found}. Valid forms: {FORMS}.") from error


def _check_of_upload(event: Any) -> dict[str, Any] | None:
    """A request to check the workbook, if the event is S3's "Object Created"; else None."""
    if not isinstance(event, Mapping) or (event.get("source"), event.get("detail-type")) != _UPLOAD:
        return None
    detail = event.get("detail", {})
    return {"mode": "check", "uploaded": (detail["bucket"]["name"], detail["object"]["key"])}


def _after_job(event: Any) -> dict[str, Any] | None:
    """A request to rate, if the event is Glue's "Job State Change"; else None."""
    if not isinstance(event, Mapping) or (event.get("source"), event.get("detail-type")) != _JOB_ENDED:
        return None
    return {"scheduled_at": event.get("time"), "job_ended": True}
