"""What operations may ask and decide, all with the scope ``levels.operate``; the gateway checks it by route.

Every route leads here with that one scope, so a path that is decoded after its route was chosen opens nothing more.
Powertools' validation reads and writes by the contract: nobody waits for a console's microseconds.
"""

from __future__ import annotations

from base64 import b64decode
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from http import HTTPStatus
from typing import TYPE_CHECKING, Annotated

from aws_lambda_powertools.event_handler import APIGatewayHttpResolver, Response, content_types
from aws_lambda_powertools.event_handler.openapi.params import Path, Query

from functions.operations import contract, views
from functions.operations.asking import Asking
from functions.operations.problems import Invalid, Nameless, NotPossible
from functions.operations.reading import Reader, unknown_run
from functions.operations.standing import month_state, next_renewal, standing, standing_of
from functions.operations.workbook_file import WorkbookFile
from shared.months import Month
from shared.settings import S3Prefix
from shared.tickets import Ticket, last_check

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

SCOPE = "levels.operate"
_XLSX = b"PK\x03\x04"
_NAMES = ("email", "preferred_username", "name", "sub")

RunInPath = Annotated[str, Path(pattern=r"^[0-9a-f]{20}$", description="批次")]
TicketInPath = Annotated[str, Path(pattern=r"^[0-9a-f]{20}$")]
MonthInQuery = Annotated[str | None, Query(pattern=r"^[1-9][0-9]{3}-(0[1-9]|1[0-2])$", description="考核月")]


@dataclass(frozen=True, slots=True)
class Services:
    """What operations work with. ``workbook``: the setting of that name."""

    reader: Reader
    asking: Asking
    s3: S3Client
    workbook: str
    now: Callable[[], datetime]

    @property
    def workbook_file(self) -> WorkbookFile | None:
        """The Excel file that is the workbook, where it is one."""
        is_file = self.workbook.startswith("s3://") and self.workbook.endswith(".xlsx")
        return WorkbookFile(self.s3, S3Prefix.parse(self.workbook)) if is_file else None


app = APIGatewayHttpResolver(enable_validation=True, response_validation_error_http_code=500)


def services() -> Services:
    found: Services = app.context["services"]
    return found


def by() -> str:
    """The caller's name in the token. Raises Nameless."""
    authorizer = app.current_event.raw_event["requestContext"].get("authorizer") or {}
    claims = (authorizer.get("jwt") or {}).get("claims") or {}
    name = next((claims[claim] for claim in _NAMES if claims.get(claim, "").strip()), None)
    if name is None:
        raise Nameless(
            "The ledger needs the name of whoever decides, and this token has none. Sign in as a person.",
            "台账须记录决定人的姓名，而此令牌没有姓名。请以个人身份登录。",
        )
    return str(name)


# --- reading ----------------------------------------------------------------------------------------------------------


@app.get("/v1/operations/months")
def get_months() -> contract.Months:
    """The state of the newest months (waiting for extracts, held, published …), and the last decision on each."""
    wired, pointer = services(), services().reader.table.pointer()
    months = wired.reader.months(pointer, wired.now())
    today = wired.now().astimezone(wired.reader.zone).date()
    return contract.Months(
        pointer=pointer.version,
        next_renewal_on=next_renewal(months[0], pointer, today),
        upload=wired.workbook_file is not None,
        items=[month_state(wired.reader, month, pointer, today) for month in months],
    )


@app.get("/v1/operations/runs")
def get_runs(
    month: Annotated[str, Query(pattern=r"^[1-9][0-9]{3}-(0[1-9]|1[0-2])$", description="考核月")],
) -> contract.Runs:
    """The runs of a month that have a report, newest first; also previews, and runs that stopped."""
    reader, rated = services().reader, Month.parse(month)
    pointer, ledger = reader.table.pointer(), reader.ledger(rated)
    lines = [
        contract.RunLine(
            run=found.run,
            month=month,
            preview=found.kind == "preview",
            written_at=found.written_at.astimezone(reader.zone),
            standing=standing(found, month, pointer, ledger),
            files=[contract.File(name=name, link=reader.link(key)) for name, key in found.files],
        )
        for found in reader.reports_of(rated)
    ]
    return contract.Runs(items=lines)


@app.get("/v1/operations/runs/<run>")
def get_run(run: RunInPath, month: MonthInQuery = None, preview: Annotated[bool, Query()] = False) -> contract.Report:
    """A run's report: guardrails, level changes and their causes, how agencies are spread over each metric.

    For a preview, send ``preview=true`` and ``month``.
    """
    reader = services().reader
    if preview and month is None:
        raise unknown_run()
    rated = Month.parse(month) if month else reader.month_of(run)
    shown = views.report(reader.report(run, rated, preview=preview))
    pointer, ledger = reader.table.pointer(), reader.ledger(rated)
    addresses = (last_check(reader.table) or {}).get("addresses", {})
    shown |= {part: views.linked(shown[part], addresses) for part in ("faults", "changes")}
    shown["ledger"] = ledger
    shown["standing"] = "preview" if preview else standing_of(run, str(rated), pointer, ledger)
    return contract.Report.model_validate({**shown, "pointer": pointer.version})


@app.get("/v1/operations/ledger")
def get_ledger(month: MonthInQuery = None) -> contract.Ledger:
    """The ledger of a month, or of all the newest months, newest line first."""
    wired = services()
    months = [Month.parse(month)] if month else wired.reader.months(wired.reader.table.pointer(), wired.now())
    lines = [line for one in months for line in wired.reader.ledger(one)]
    lines.sort(key=lambda line: line["at"], reverse=True)
    return contract.Ledger.model_validate({"items": lines})


@app.get("/v1/operations/workbook")
def get_workbook() -> contract.Workbook:
    """The workbook's faults, its changes of the rules in force, and the months that it prepares, as last read."""
    wired = services()
    found = last_check(wired.reader.table) or {"faults": [], "changes": [], "unshown_faults": 0}
    blank = dict.fromkeys(("at", "outcome", "month", "effective_month"))
    linked = {part: views.linked(found[part], found.get("addresses", {})) for part in ("faults", "changes")}
    linked["prepared"] = [views.month_to_come(one) for one in found.get("prepared", [])]
    at = {"at": wired.reader.local(found["at"])} if found.get("at") else {}
    return contract.Workbook.model_validate({**blank, **found, **linked, **at, "stored": _stored(wired)})


def _stored(wired: Services) -> contract.Stored | None:
    stored = wired.workbook_file.stored() if wired.workbook_file else None
    if stored is None:
        return None
    return contract.Stored(etag=stored.etag, at=stored.at.astimezone(wired.reader.zone), by=stored.by)


@app.get("/v1/operations/tickets/<ticket>")
def get_ticket(ticket: TicketInPath) -> contract.TicketAnswer:
    """The state of a request to the rating function, and its result."""
    return _ticket(services().asking.read(ticket))


# --- asking and deciding ----------------------------------------------------------------------------------------------


@app.post("/v1/operations/runs/<run>/accept")
def post_accept(run: RunInPath, body: contract.DecisionRequest) -> Response[contract.TicketAnswer]:
    """Publish exactly this held run. It is refused if something was published since the page was loaded."""
    return _accepted(services().asking.decide(services().reader, "accept", run, by(), body.model_dump()))


@app.post("/v1/operations/runs/<run>/rollback")
def post_rollback(run: RunInPath, body: contract.DecisionRequest) -> Response[contract.TicketAnswer]:
    """Make this run, published earlier for its month, the valid one again."""
    return _accepted(services().asking.decide(services().reader, "rollback", run, by(), body.model_dump()))


@app.post("/v1/operations/previews")
def post_preview(body: contract.PreviewRequest) -> Response[contract.TicketAnswer]:
    """Rate a month with the current workbook; nothing is published."""
    return _accepted(services().asking.preview(body.month, by()))


@app.post("/v1/operations/checks")
def post_check(body: contract.CheckRequest) -> Response[contract.TicketAnswer]:
    """Read the workbook now. Then ``GET /v1/operations/workbook`` has its faults and changes."""
    del body
    return _accepted(services().asking.check(by()))


@app.post("/v1/operations/refresh")
def post_refresh(body: contract.RefreshRequest) -> Response[contract.TicketAnswer]:
    """Publish changed texts now, also the changes of the last check that take something away from agencies."""
    return _accepted(services().asking.refresh(by(), body.model_dump()))


@app.post("/v1/operations/workbook")
def post_workbook(body: contract.WorkbookRequest) -> Response[contract.TicketAnswer]:
    """Replace the Excel workbook that the page showed with a new one, and check it."""
    wired, name = services(), by()
    file = wired.workbook_file
    if file is None:
        raise NotPossible(
            "The workbook of this system is not an Excel file. Change it in its Google Sheet, or in its CSV files.",
            "本系统的工作簿不是 Excel 文件。请在原处修改：Google 表格或 CSV 文件。",
        )
    file.replace(_decoded(body.content), name, body.replaces)
    return _accepted(wired.asking.check(name))


def _ticket(ticket: Ticket) -> contract.TicketAnswer:
    answer = dict(ticket.answer) if ticket.answer else None
    to_come = answer.pop("to_come", None) if answer else None
    return contract.TicketAnswer(
        ticket=ticket.ticket,
        state=ticket.state,
        by=ticket.by,
        at=services().reader.local(ticket.at),
        poll=f"/v1/operations/tickets/{ticket.ticket}",
        answer=answer,
        to_come=contract.MonthToCome.model_validate(views.month_to_come(to_come)) if to_come else None,
    )


def _accepted(ticket: Ticket) -> Response[contract.TicketAnswer]:
    return Response(HTTPStatus.ACCEPTED.value, content_types.APPLICATION_JSON, _ticket(ticket))


def _decoded(text: str) -> bytes:
    """The bytes of an Excel workbook. Raises Invalid."""
    try:
        content = b64decode(text, validate=True)
    except ValueError:
        content = b""
    if not content.startswith(_XLSX):
        raise Invalid("content: expected an .xlsx workbook in Base64", "content：应为 Base64 编码的 .xlsx 工作簿")
    return content
