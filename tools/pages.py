"""Uploads the pages to a deployed stack's bucket: the committed build, and /config.json with the issuer.

python -m tools.pages --stack mcn-levels

`make deploy` does this at its end if the stack has the parameter Pages=true.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Iterator, Sequence

import boto3

from local.cloud.issuer import SCOPES
from local.cloud.pages import bundle
from local.commandline import Parser, UserMistake
from local.commandline import run as run_this

CACHE = "no-cache"  # names have no digest, so a browser asks each time whether its copy is still right


def main(arguments: Sequence[str] | None = None) -> int:
    options = _parser().parse_args(arguments)
    address = upload(options.stack, options.region)
    if address is None:
        raise UserMistake(
            f"stack {options.stack} has no pages. Switch them on: "
            'make deploy SET="Pages=true PagesClient=<client id of the pages at your issuer>"'
        )
    print(f"页面 pages  {address}/  {address}/console")
    return 0


def upload(stack: str, region: str | None = None) -> str | None:
    """Upload the pages of a stack. Returns their address; None if the stack has none."""
    (found,) = boto3.client("cloudformation", region_name=region).describe_stacks(StackName=stack)["Stacks"]
    outputs: dict[str, str] = {one["OutputKey"]: one["OutputValue"] for one in found.get("Outputs", [])}
    if "PagesBucketName" not in outputs:
        return None
    parameters: dict[str, str] = {one["ParameterKey"]: one["ParameterValue"] for one in found["Parameters"]}
    s3 = boto3.client("s3", region_name=region)
    for key, body, kind in files(outputs, parameters):
        s3.put_object(Bucket=outputs["PagesBucketName"], Key=key, Body=body, ContentType=kind, CacheControl=CACHE)
    return outputs["PagesUrl"]


def files(outputs: dict[str, str], parameters: dict[str, str]) -> Iterator[tuple[str, bytes, str]]:
    """Every object: its key, bytes and content type. HTML pages come last, after the files that they load."""
    config = {
        "issuer": parameters["JwtIssuer"],
        "client_id": outputs["PagesClientId"],
        "scope": SCOPES,
        "agency_claim": parameters["AgencyClaim"],
    }
    yield "config.json", json.dumps(config).encode(), "application/json"
    found = {path.removeprefix("/"): page for path, page in bundle().items() if path != "/"}
    for key, page in sorted(found.items(), key=lambda one: one[1].content_type.startswith("text/html")):
        yield key, page.body.encode(), page.content_type


def _parser() -> Parser:
    parser = Parser(
        prog="python -m tools.pages", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--stack", default="mcn-levels", help="name of the stack (default: mcn-levels)")
    parser.add_argument("--region", help="its region (default: the one of your AWS settings)")
    return parser


if __name__ == "__main__":
    run_this(main)
