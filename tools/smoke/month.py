"""Two invented months through the copied functions: checked, previewed, published, restated, taken back, looked up."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from shared.items import POINTER_KEY
from shared.months import Month
from shared.settings import DEFAULT_ZONE
from tools.smoke.configuration import Check
from tools.smoke.invented import AGENCIES, asked, objects
from tools.smoke.results import Failed
from tools.smoke.trial import Trial

ZONE = ZoneInfo(DEFAULT_ZONE)
FEN = (100_000_000, 1_000_000, 100)
DECIDED = {"by": "make smoke", "reason": "tried and taken back"}


class Months:
    """What is done to the trial's two months, in this order; each step rests on those before."""

    def __init__(self, trial: Trial) -> None:
        self.trial = trial
        self.last = Month.of(datetime.now(UTC), ZONE).plus(-1)
        self.before = self.last.plus(-1)
        self.run = ""

    def checks(self) -> Iterator[Check]:
        yield "month: the workbook is checked", self.check
        yield "month: without extracts it is not ready", self.not_ready
        yield "month: a preview publishes nothing", self.preview
        yield "month: two months are published", self.publish
        yield "month: the schedule's next firing changes nothing", self.fire_again
        yield "month: changed extracts are published again", self.restate
        yield "month: and taken back", self.roll_back
        yield "month: a run computed again is the same to the byte", self.verify
        yield "events: each publication was received, and who changed", self.events
        yield "lookups: card, own view, history and publications agree with it", self.look_up

    def check(self) -> str:
        return _said(self._outcome({"mode": "check"}, "checked"))

    def not_ready(self) -> str:
        self._outcome({"month": str(self.before)}, "not_ready")
        return str(self.before)

    def preview(self) -> str:
        self._write(self.before, FEN)
        answer = self._outcome({"month": str(self.before), "mode": "preview"}, "previewed")
        pointer = self.trial.stack.client("dynamodb").get_item(TableName=self.trial.table, Key=POINTER_KEY)
        if "Item" in pointer:
            raise Failed("the preview moved the pointer")
        return _said(answer)

    def publish(self) -> str:
        self._write(self.last, FEN)
        first = self._outcome({"month": str(self.before)}, "published")
        second = self._outcome({"month": str(self.last)}, "published")
        self.run = second["run"]
        return f"{_said(first)}; {_said(second)}"

    def fire_again(self) -> str:
        third = self.last.plus(1).start(ZONE) + timedelta(days=2, hours=2)
        answer = self._outcome({"scheduled_at": third.isoformat()}, "unchanged")
        if answer["month"] != str(self.last):
            raise Failed(f"the firing of {third.isoformat()} is of {answer['month']}; expected {self.last}")
        return _said(answer)

    def restate(self) -> str:
        self._write(self.last, tuple(reversed(FEN)))
        answer = self._outcome({"month": str(self.last)}, "published")
        if answer["run"] == self.run:
            raise Failed(f"other extracts, and the same run {self.run}")
        return _said(answer)

    def roll_back(self) -> str:
        answer = self._outcome({"rollback": self.run, **DECIDED}, "rolled_back")
        self._write(self.last, FEN)
        return _said(answer)

    def verify(self) -> str:
        return _said(self._outcome({"verify": self._run_of(self.before)}, "verified"))

    def events(self) -> str:
        """Three publications and a rollback; each LevelsPublished says how many AgencyLevelChanged go with it."""

        def enough(found: list[dict[str, Any]]) -> bool:
            details = [event["detail"] for event in found if event["detail-type"] == "LevelsPublished"]
            changed = {e["detail"]["event_id"] for e in found if e["detail-type"] == "AgencyLevelChanged"}
            publications = {detail["event_id"]: detail["changed"] for detail in details}
            return len(publications) == 4 and len(changed) == sum(publications.values())

        found = self.trial.received(enough)
        kinds = [event["detail-type"] for event in found]
        if not enough(found):
            raise Failed(
                f"received {len(kinds)}: {', '.join(sorted(set(kinds)))}; expected 4 LevelsPublished and theirs"
            )
        return (
            f"{kinds.count('LevelsPublished')} LevelsPublished, {kinds.count('AgencyLevelChanged')} AgencyLevelChanged"
        )

    def look_up(self) -> str:
        card = self._asked(f"/v1/agencies/{AGENCIES[0]}")
        own = self._asked(f"/v1/agencies/{AGENCIES[0]}/level")
        history = self._asked(f"/v1/agencies/{AGENCIES[0]}/history")
        publications = self._asked("/v1/publications")
        if [one["month"] for one in publications["items"]] != [str(self.last), str(self.before)]:
            raise Failed(f"/v1/publications: {publications['items']}; expected {self.last} and {self.before}")
        levels = {card["level"], own["level"], history["items"][0]["level"]}
        if len(levels) != 1 or publications["items"][0]["run"] != self.run:
            raise Failed(f"levels {levels}, run {publications['items'][0]['run']}; expected one, and run {self.run}")
        return f"{AGENCIES[0]}: level {card['level']} in {card['month']}"

    def _asked(self, path: str) -> dict[str, Any]:
        answer = self.trial.ask("lookup", asked(path, self.trial.name))
        if answer["statusCode"] != 200:
            raise Failed(f"{path} answers {answer['statusCode']}: {answer['body']}")
        found: dict[str, Any] = json.loads(answer["body"])
        return found

    def _run_of(self, month: Month) -> str:
        found = self._asked("/v1/publications")["items"]
        return str(next(one["run"] for one in found if one["month"] == str(month)))

    def _write(self, month: Month, fen: tuple[int, ...]) -> None:
        for key, body in objects(month, dict(zip(AGENCIES, fen, strict=True))):
            self.trial.put(key, body)

    def _outcome(self, event: Mapping[str, Any], expected: str) -> dict[str, Any]:
        answer = self.trial.ask("rating", event)
        if answer["outcome"] != expected:
            raise Failed(
                f"{json.dumps(event)} answers {answer['outcome']}; expected {expected}. {answer.get('faults')}"
            )
        return answer


def _said(answer: Mapping[str, Any]) -> str:
    return f"{answer['month']} {answer['outcome']}, run {answer['run']}"
