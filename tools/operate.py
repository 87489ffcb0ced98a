"""Ask the deployed rating function for something: backfill, accept, rollback, preview, verify; make wraps this."""

from __future__ import annotations

import argparse
import json
import os
import sys
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import boto3
from botocore.config import Config

from shared.months import Month

if TYPE_CHECKING:
    from mypy_boto3_lambda import LambdaClient

LAMBDA_LIMIT_SECONDS = 900


def main(arguments: list[str] | None = None) -> int:
    """Invoke the function once for each event that the command line means; stops at the first failure."""
    options = _parser().parse_args(arguments)
    config = Config(read_timeout=LAMBDA_LIMIT_SECONDS + 30, retries={"max_attempts": 0})
    client = boto3.client("lambda", config=config)
    for event in _events(options):
        print(json.dumps(event, ensure_ascii=False), file=sys.stderr)
        if not _invoke(client, options.function, event):
            return 1
    return 0


def _events(options: argparse.Namespace) -> Iterator[dict[str, Any]]:
    if options.verb == "backfill":
        month = options.first
        while month <= options.last:
            yield {"month": str(month)}
            month = month.plus(1)
    elif options.verb == "preview":
        yield {"month": str(options.month), "mode": "preview"}
    elif options.verb == "verify":
        yield {"verify": options.run}
    elif options.verb in ("check", "refresh"):
        yield {"mode": options.verb}
    else:
        yield {options.verb: options.run, "by": options.by, "reason": options.reason}


def _invoke(client: LambdaClient, function: str, event: dict[str, Any]) -> bool:
    """Print the answer; False when the function failed or the month is not published."""
    answer = client.invoke(FunctionName=function, Payload=json.dumps(event).encode())
    payload = json.loads(answer["Payload"].read())
    print(json.dumps(payload, ensure_ascii=False, indent=2))
    return "FunctionError" not in answer and payload["outcome"] not in ("not_ready", "held", "differs")


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m tools.operate", description=__doc__)
    parser.add_argument(
        "--function",
        default=os.environ.get("RATING_FUNCTION", "mcn-levels-rating"),
        help="name of the deployed rating function (default: $RATING_FUNCTION, or mcn-levels-rating)",
    )
    verbs = parser.add_subparsers(dest="verb", required=True)
    backfill = verbs.add_parser("backfill", help="rate months one after the other, oldest first")
    backfill.add_argument("first", type=Month.parse, help="YYYY-MM")
    backfill.add_argument("last", type=Month.parse, help="YYYY-MM, inclusive")
    verbs.add_parser("preview", help="who would move").add_argument("month", type=Month.parse, help="YYYY-MM")
    verbs.add_parser("verify", help="recompute a run and compare to the byte").add_argument("run")
    verbs.add_parser("check", help="the spreadsheet's faults")
    verbs.add_parser("refresh", help="publish changed texts")
    for verb, help_text in (("accept", "publish a held run"), ("rollback", "go back to an earlier publication")):
        decision = verbs.add_parser(verb, help=help_text)
        decision.add_argument("run")
        decision.add_argument("--by", required=True, help="who decides; kept in the ledger")
        decision.add_argument("--reason", required=True, help="why; kept in the ledger")
    return parser


if __name__ == "__main__":
    sys.exit(main())
