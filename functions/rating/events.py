"""What the rating function may be asked to do: its input, one JSON object, as a validated request."""

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
    '{"mode": "refresh"}, with "by" and "reason" to confirm what is taken away; '
    '{"accept": "<run>"} or {"rollback": "<run>"} with "by" and "reason" (accept also with "anyway": true); '
    '{"month": "YYYY-MM", "repair": true}; {"verify": "<run>"}; {"mode": "console"}, to look for ticks in the sheet'
)


class Request(BaseModel):
    """One request: exactly one of scheduled_at, month, accept, rollback, verify, or a lone mode.

    ``ticket``: where the console looks for the answer (shared/tickets.py).
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
    """Bucket and key of an object that was uploaded: perhaps the workbook, which is checked then."""
    job_ended: bool = False
    """The Spark job has ended: like a firing of the schedule, but never before the day of the renewal."""
    ticket: Annotated[str, Field(pattern=r"^[0-9a-f]{20}$")] | None = None
    anyway: bool = False
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
        if self.repair and (asked != ["month"] or self.mode):
            raise ValueError("repair goes with month only")
        return self

    @property
    def publishes(self) -> bool:
        """Whether this request may make a month's levels visible."""
        return self.mode is None and not self.verify and not self.repair

    @property
    def sends_events(self) -> bool:
        """Whether events that are still unsent are sent on this occasion."""
        return self.publishes or self.mode == "refresh"

    @property
    def reads_the_sheet(self) -> bool:
        """Whether the answer says something about the spreadsheet as it is now."""
        return not (self.accept or self.rollback or self.verify or self.repair)

    def rating_month(self, zone: ZoneInfo) -> Month:
        """The month to be rated: the one named, or the one before the scheduled instant by the clock of ``zone``."""
        if self.month:
            return Month.parse(self.month)
        instant: datetime | None = self.scheduled_at
        if instant is None:
            raise EventInvalid("this request rates no month")
        return Month.of(instant, zone).plus(-1)


def parse_event(event: Any) -> Request:
    """The request that an event makes. Raises EventInvalid, which says what was found and what is understood."""
    try:
        return Request.model_validate(_check_of_upload(event) or _after_job(event) or event)
    except ValidationError as error:
        found = "; ".join(f"{'.'.join(map(str, e['loc'])) or 'event'}: {e['msg']}" for e in error.errors())
        raise EventInvalid(f"{found}. Understood are: {FORMS}.") from error


def _check_of_upload(event: Any) -> dict[str, Any] | None:
    """The check that S3 asks for through EventBridge when an object was uploaded; None for any other event."""
    if not isinstance(event, Mapping) or (event.get("source"), event.get("detail-type")) != _UPLOAD:
        return None
    detail = event.get("detail", {})
    return {"mode": "check", "uploaded": (detail["bucket"]["name"], detail["object"]["key"])}


def _after_job(event: Any) -> dict[str, Any] | None:
    """The firing that EventBridge asks for when a run of the Spark job has ended; None for any other event."""
    if not isinstance(event, Mapping) or (event.get("source"), event.get("detail-type")) != _JOB_ENDED:
        return None
    return {"scheduled_at": event.get("time"), "job_ended": True}
