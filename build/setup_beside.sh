#!/bin/sh
# Makes .venv/<name> hold requirements/<name>.txt: tools that pin too much to share an environment with the project.
#   build/setup_beside.sh sam          the SAM CLI
#   build/setup_beside.sh bench        what the bench compares with
#   build/setup_beside.sh e2e          what end-to-end tests run the built functions in, on Lambda's Python
set -eu
cd "$(dirname "$0")/.."
name=$1

wanted=$(cksum <"requirements/$name.txt" | tr ' ' -)
stamp=.venv/$name/.ready
[ -x ".venv/$name/bin/python" ] && [ "$(cat "$stamp" 2>/dev/null)" = "$wanted" ] && exit 0

python=.venv/bin/python
[ "$name" != e2e ] || python=$(.venv/bin/python build/runtime_python.py)
echo "setup: installing requirements/$name.txt into .venv/$name" >&2
.venv/bin/uv venv --quiet --clear --python "$python" ".venv/$name"
.venv/bin/uv pip install --quiet --python ".venv/$name/bin/python" --require-hashes -r "requirements/$name.txt"
echo "$wanted" >"$stamp"
