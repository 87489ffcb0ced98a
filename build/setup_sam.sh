#!/bin/sh
# Makes .venv/sam hold the SAM CLI. It pins boto3, pydantic and others, so it can't share an environment.
set -eu
cd "$(dirname "$0")/.."

wanted=$(cksum <requirements/sam.txt | tr ' ' -)
stamp=.venv/sam/.ready
[ -x .venv/sam/bin/sam ] && [ "$(cat "$stamp" 2>/dev/null)" = "$wanted" ] && exit 0

echo "setup: installing the SAM CLI into .venv/sam" >&2
.venv/bin/uv venv --quiet --clear --python .venv/bin/python .venv/sam
.venv/bin/uv pip install --quiet --python .venv/sam/bin/python --require-hashes -r requirements/sam.txt
echo "$wanted" >"$stamp"
