"""Sends the console's requests to the rating function: a ticket first, so that a repeated click is one request."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any

from botocore.exceptions import BotoCoreError, ClientError

from functions.operations.problems import NotPossible, Stale, TicketUnknown, Unavailable
from functions.operations.reading import Reader, held_runs
from shared.content import content_id
from shared.items import Pointer
from shared.months import Month
from shared.table import Table
from shared.tickets import Ticket, close_ticket, last_check, open_ticket, read_ticket

if TYPE_CHECKING:
    from mypy_boto3_lambda import LambdaClient

Invoke = Callable[[Mapping[str, Any]], None]
"""Sends an event to the rating function without waiting for the answer."""


def invoke_with(client: LambdaClient, function: str) -> Invoke:
    """Sends by asynchronous invocation. Raises Unavailable."""

    def invoke(event: Mapping[str, Any]) -> None:
        try:
            client.invoke(FunctionName=function, InvocationType="Event", Payload=json.dumps(event).encode())
        except (BotoCoreError, ClientError) as error:
            raise Unavailable(
                "The rating function can't be asked now. Nothing was done; try again in a moment.",
                "暂时无法调用考核函数，未做任何改动，请稍后重试。",
            ) from error

    return invoke


@dataclass(frozen=True, slots=True)
class Asking:
    """Sends requests of ``by``, whose name goes into the ledger."""

    table: Table
    invoke: Invoke
    now: Callable[[], datetime]

    def decide(self, reader: Reader, action: str, run: str, by: str, decision: Mapping[str, Any]) -> Ticket:
        """Accept a run, or roll back to it. Raises Stale if its page is out of date, NotPossible for other reasons."""
        pointer = self.table.pointer()
        month = reader.month_of(run)
        ledger = reader.ledger(month)
        ticket = content_id([action, run, decision["pointer"]])
        known = read_ticket(self.table, ticket, self.now())
        if known and known.state != "failed":
            return self._same(known, by)
        if pointer.version != decision["pointer"]:
            raise _stale(pointer, month, ledger)
        if decision["month"] != str(month):
            raise NotPossible(
                f"Run {run} is of {month}, and {decision['month']} was typed. Type the month of the run.",
                f"批次 {run} 属于 {month}，而输入的是 {decision['month']}。请输入该批次的考核月。",
            )
        if action == "accept" and run not in held_runs(ledger):
            raise NotPossible(
                f"Run {run} is not held, so there is nothing to accept.",
                f"批次 {run} 未处于暂缓状态，无需确认。",
            )
        event: dict[str, Any] = {action: run, "by": by, "reason": decision["reason"].strip()}
        if decision.get("anyway"):
            event["anyway"] = True
        return self._ask(ticket, by, event)

    def preview(self, month: str, by: str) -> Ticket:
        """Preview a month. The same month within a minute is one request."""
        return self._ask(content_id(["preview", month, self._minute()]), by, {"month": month, "mode": "preview"})

    def refresh(self, by: str, decision: Mapping[str, Any]) -> Ticket:
        """Publish texts, and what is taken away. Raises Stale if something was published or checked since."""
        ticket = content_id(["refresh", decision["pointer"], decision["checked_at"].isoformat()])
        known = read_ticket(self.table, ticket, self.now())
        if known and known.state != "failed":
            return self._same(known, by)
        pointer, checked = self.table.pointer(), last_check(self.table)
        if pointer.version != decision["pointer"]:
            raise Stale(
                "Something was published since this page was loaded. Load the page again.",
                "页面打开后发布内容已变化。请刷新页面。",
                pointer=pointer.version,
            )
        if checked is None or datetime.fromisoformat(checked["at"]) != decision["checked_at"]:
            raise Stale(
                "The workbook was read again since this page was loaded. Look at its changes again.",
                "页面打开后工作簿已重新读取。请重新查看改动。",
                at=checked and checked["at"],
            )
        event = {
            "mode": "refresh",
            "by": by,
            "reason": decision["reason"].strip(),
            "confirms": checked.get("changes_id"),
        }
        return self._ask(ticket, by, event)

    def check(self, by: str) -> Ticket:
        """Check the current workbook."""
        return self._ask(content_id(["check", self.now().isoformat()]), by, {"mode": "check"})

    def read(self, ticket: str) -> Ticket:
        """The state of a request. Raises TicketUnknown."""
        found = read_ticket(self.table, ticket, self.now())
        if found is None:
            raise TicketUnknown("No request has this id.", "没有这个编号的请求。")
        return found

    def _minute(self) -> str:
        return self.now().isoformat(timespec="minutes")

    def _same(self, known: Ticket, by: str) -> Ticket:
        """The ticket, if the same person has taken this decision already. Raises Stale if another person has."""
        if known.by == by:
            return known
        raise Stale(
            f"{known.by} has decided this already. Load the page again.",
            f"{known.by} 已经做出这个决定。请刷新页面。",
            by=known.by,
            at=known.at,
        )

    def _ask(self, ticket: str, by: str, event: dict[str, Any]) -> Ticket:
        if not open_ticket(self.table, ticket, by, self.now(), event):
            return self._same(self.read(ticket), by)
        try:
            self.invoke({**event, "ticket": ticket})
        except Unavailable as error:
            close_ticket(self.table, ticket, "failed", {"error": "Unavailable", "message": error.detail})
            raise
        return self.read(ticket)


def _stale(pointer: Pointer, month: Month, ledger: list[dict[str, Any]]) -> Stale:
    """The refusal of an outdated page, with what happened since."""
    valid = pointer.publications.get(str(month))
    last = ledger[0] if ledger else None
    run = valid.run if valid else None
    happened = f"{last['action']} {last['run']}" + (f" by {last['by']}" if last.get("by") else "") if last else "–"
    happened_zh = (
        f"{last['run']}（{last['action']}）" + (f"，操作人 {last['by']}" if last.get("by") else "") if last else "–"
    )
    return Stale(
        f"Something was published since this page was loaded. Last of {month}: {happened}. Load the page again.",
        f"页面打开后发布内容已变化。{month} 最近一条：{happened_zh}。请刷新页面。",
        month=str(month),
        valid_run=run,
        last=last,
        pointer=pointer.version,
    )
