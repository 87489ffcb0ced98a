"""Uploads the code of the Spark job, built by ``make build``, to a deployed stack's bucket.

python -m tools.measuring --stack mcn-levels

`make deploy` does this at its end if the stack has the parameter Measuring=glue or auto.
"""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from pathlib import Path

import boto3

from local.commandline import Parser, UserMistake
from local.commandline import run as run_this

BUILT = Path(__file__).parents[1] / ".aws-sam" / "measuring"
CODE = ("measuring.gluewheels.zip", "measure.py")


def main(arguments: Sequence[str] | None = None) -> int:
    parser = Parser(
        prog="python -m tools.measuring", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--stack", default="mcn-levels", help="name of the stack (default: mcn-levels)")
    parser.add_argument("--region", help="of the stack, where it is not your profile's")
    options = parser.parse_args(arguments)
    bucket = upload(options.stack, options.region)
    if bucket is None:
        raise UserMistake(f'stack {options.stack} has no Spark job. Switch it on: make deploy SET="Measuring=auto"')
    print(f"Spark  s3://{bucket}/{CODE[0]}")
    return 0


def upload(stack: str, region: str | None = None, built: Path = BUILT) -> str | None:
    """Upload the code. Returns the bucket; None if the stack has no job. Raises UserMistake if nothing is built."""
    (found,) = boto3.client("cloudformation", region_name=region).describe_stacks(StackName=stack)["Stacks"]
    outputs: dict[str, str] = {one["OutputKey"]: one["OutputValue"] for one in found.get("Outputs", [])}
    bucket = outputs.get("MeasuringCodeBucket")
    if bucket is None:
        return None
    if missing := [name for name in CODE if not (built / name).exists()]:
        raise UserMistake(f"{built}: no {' and no '.join(missing)}. Make them: make build")
    s3 = boto3.client("s3", region_name=region)
    for name in CODE:
        s3.upload_file(str(built / name), bucket, name)
    return bucket


if __name__ == "__main__":
    run_this(main)
