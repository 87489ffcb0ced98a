"""Prints a template as JSON after the serverless transform, as CloudFormation would make it.

Runs in the SAM CLI's environment, whose translator is the one that AWS runs:

    .venv/sam/bin/python build/transform.py template.yaml Architecture=arm64
"""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path

from samcli.yamlhelper import yaml_parse
from samtranslator.parser.parser import Parser
from samtranslator.translator.translator import Translator


def main(path: str, *assignments: str) -> None:
    os.environ.setdefault("AWS_DEFAULT_REGION", "us-east-1")
    template = yaml_parse(Path(path).read_text(encoding="utf-8"))
    # The translator requires the address of uploaded code, which only a packaged template has.
    template["Globals"]["Function"]["CodeUri"] = "s3://artifacts/code.zip"
    parameters = dict(assignment.split("=", 1) for assignment in assignments)
    json.dump(Translator(None, Parser()).translate(template, parameters), sys.stdout)


if __name__ == "__main__":
    main(*sys.argv[1:])
