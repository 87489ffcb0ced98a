"""Reads answers with the models of datamodel-code-generator. Standard input: one JSON object {model name: answer}.

Each answer is read twice: unchanged, and as a later version may send it, with a new field and new values of enums.
"""

import json
import sys
from typing import Any

import models

NEW = {"status": "brand_new", "kind": "brand_new", "change": "brand_new", "reason": "brand_new", "action": "brand_new"}


def later(value: Any) -> Any:
    if isinstance(value, list):
        return [later(item) for item in value]
    if not isinstance(value, dict):
        return value
    changed = {name: NEW.get(name, later(inner)) if inner is not None else None for name, inner in value.items()}
    return changed | {"brand_new": 1}


answers = json.load(sys.stdin)
for name, answer in answers.items():
    model = getattr(models, name)
    model.model_validate(answer)
    if name not in ("HealthAnswer", "ProblemAnswer", "PublicationsAnswer"):
        model.model_validate(later(answer))
print(json.dumps(sorted(answers)))
