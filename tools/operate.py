"""Runs a command of the rating function, deployed or local: preview, accept and others. The Makefile calls it."""

from __future__ import annotations

import argparse
import json
import os
import sys
from collections.abc import Callable, Iterator
from typing import Any

import boto3

from local.commandline import CREDENTIALS, REGION, Parser, UserMistake, required, run
from shared.months import Month
from tools.following import Deployed, lambda_of_serve

Ask = Callable[[dict[str, Any]], dict[str, Any]]

DECISION = "{verb} RUN=<id of the run> BY=<your name> REASON=<why>"


def main(arguments: list[str] | None = None) -> int:
    """Invoke the function for each event of the command line. Stops at the first failure."""
    parser = _parser()
    options = parser.parse_args(arguments)
    events = list(_events(parser, options))
    ask = _asking_deployed(options.function) if options.local is None else _asking_local(options.local)
    for event in events:
        _say(json.dumps(event, ensure_ascii=False))
        answer = ask(event)
        print(json.dumps(answer, ensure_ascii=False, indent=2))
        if answer["outcome"] in ("not_ready", "measuring", "held", "differs"):
            return 1
    return 0


def _say(line: str) -> None:
    print(line, file=sys.stderr, flush=True)


def _asking_local(port: int) -> Ask:
    """Asks the function of `make serve` on a port of this machine."""
    client = lambda_of_serve(port)

    def ask(event: dict[str, Any]) -> dict[str, Any]:
        answer = client.invoke(FunctionName="rating", Payload=json.dumps(event).encode())
        payload: dict[str, Any] = json.loads(answer["Payload"].read())
        if "FunctionError" in answer:
            raise UserMistake(f"{payload.get('errorType', 'Failed')}: {' '.join(str(payload['errorMessage']).split())}")
        return payload

    return ask


def _asking_deployed(function: str) -> Ask:
    """Asks the deployed function. Raises UserMistake without a region or credentials."""
    session = boto3.Session()
    if missing := [
        text for text, known in ((REGION, session.region_name), (CREDENTIALS, session.get_credentials())) if not known
    ]:
        raise UserMistake("\n".join([*missing, "Or ask the function of `make serve` on this machine: LOCAL=1"]))
    return Deployed.find(session, function, _say).ask


def _events(parser: argparse.ArgumentParser, options: argparse.Namespace) -> Iterator[dict[str, Any]]:
    match options.verb:
        case "backfill":
            required(parser, "backfill FROM=YYYY-MM TO=YYYY-MM", FROM=options.first, TO=options.last)
            month, last = _month(parser, options.first), _month(parser, options.last)
            if last < month:
                parser.exit(2, f"FROM={month} TO={last}: nothing to rate. Expected TO in or after FROM.\n")
            while month <= last:
                yield {"month": str(month)}
                month = month.plus(1)
        case "preview":
            required(parser, "preview MONTH=YYYY-MM", MONTH=options.month)
            yield {"month": str(_month(parser, options.month)), "mode": "preview"}
        case "verify":
            required(parser, "verify RUN=<id of the run>", RUN=options.run)
            yield {"verify": options.run}
        case "repair":
            required(parser, "repair MONTH=YYYY-MM", MONTH=options.month)
            yield {"month": str(_month(parser, options.month)), "repair": True}
        case "check":
            yield {"mode": "check"}
        case "refresh":
            event = {"mode": "refresh"}
            if options.by or options.reason:
                required(parser, "refresh BY=<your name> REASON=<why>", BY=options.by, REASON=options.reason)
                event |= {"by": options.by, "reason": options.reason}
                event |= {"confirms": options.confirms} if options.confirms else {}
            yield event
        case verb:
            asked = {"RUN": options.run, "BY": options.by, "REASON": options.reason}
            required(parser, DECISION.format(verb=verb), **asked)
            decided = {verb: options.run, "by": options.by, "reason": options.reason}
            yield decided | ({"anyway": True} if getattr(options, "anyway", False) else {})


def _month(parser: argparse.ArgumentParser, text: str) -> Month:
    try:
        return Month.parse(text)
    except ValueError:
        parser.exit(2, f"{text!r} is no month. Expected YYYY-MM, such as 2026-10.\n")


def _parser() -> Parser:
    parser = Parser(prog="python -m tools.operate", description=__doc__)
    parser.add_argument(
        "--function",
        default=os.environ.get("RATING_FUNCTION", "mcn-levels-rating"),
        help="name of the deployed rating function (default: $RATING_FUNCTION, or mcn-levels-rating)",
    )
    parser.add_argument("--local", type=int, metavar="PORT", help="ask the function of `make serve`")
    verbs = parser.add_subparsers(dest="verb", required=True)
    backfill = verbs.add_parser("backfill", help="rate months one after the other, oldest first")
    backfill.add_argument("first", nargs="?", help="YYYY-MM")
    backfill.add_argument("last", nargs="?", help="YYYY-MM, inclusive")
    verbs.add_parser("preview", help="whose level would change").add_argument("month", nargs="?", help="YYYY-MM")
    verbs.add_parser("verify", help="compute a run again and compare").add_argument("run", nargs="?")
    verbs.add_parser("check", help="the spreadsheet's faults")
    verbs.add_parser("repair", help="write a damaged month again").add_argument("month", nargs="?", help="YYYY-MM")
    refresh = verbs.add_parser("refresh", help="publish changed texts; with --by and --reason also what is taken away")
    refresh.add_argument("--confirms", help="changes_id of the answer that was read: nothing edited since goes along")
    accept = verbs.add_parser("accept", help="publish a held run")
    accept.add_argument("--anyway", action="store_true", help="although it has been overtaken since it was held")
    rollback = verbs.add_parser("rollback", help="go back to an earlier publication")
    for decision in (accept, rollback):
        decision.add_argument("run", nargs="?")
    for decision in (accept, rollback, refresh):
        decision.add_argument("--by", help="who decides; kept in the ledger")
        decision.add_argument("--reason", help="why; kept in the ledger")
    return parser


if __name__ == "__main__":
    run(main)
