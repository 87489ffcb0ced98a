"""What CloudFormation makes of template.yaml: prints it as JSON after the serverless transform.

Runs in the SAM CLI's environment, whose translator is the one that AWS runs:
.venv/sam/bin/python build/transform.py Architecture=arm64
"""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path

from samcli.yamlhelper import yaml_parse
from samtranslator.parser.parser import Parser
from samtranslator.translator.translator import Translator

ROOT = Path(__file__).resolve().parents[1]


def main(assignments: list[str]) -> None:
    os.environ.setdefault("AWS_DEFAULT_REGION", "us-east-1")
    template = yaml_parse((ROOT / "template.yaml").read_text(encoding="utf-8"))
    # The translator wants to know where the code was uploaded to, as it is when CloudFormation calls it.
    template["Globals"]["Function"]["CodeUri"] = "s3://artifacts/code.zip"
    parameters = dict(assignment.split("=", 1) for assignment in assignments)
    json.dump(Translator(None, Parser()).translate(template, parameters), sys.stdout)


if __name__ == "__main__":
    main(sys.argv[1:])
