#!/bin/sh
# Makes .venv at the project's root hold exactly what requirements/dev.txt names. Does nothing when it already does.
set -eu
cd "$(dirname "$0")/.."

wanted=$(cksum <requirements/dev.txt | tr ' ' -)
stamp=.venv/.ready
[ -x .venv/bin/python ] && [ "$(cat "$stamp" 2>/dev/null)" = "$wanted" ] && exit 0

fits() { "$1" -c 'import sys; sys.exit(not (3, 11) <= sys.version_info[:2] < (3, 14))' 2>/dev/null; }

if ! { [ -x .venv/bin/python ] && fits .venv/bin/python; }; then
    for python in ${PYTHON:-python3 python3.13 python3.12 python3.11 none}; do
        fits "$python" && break
    done
    if ! fits "$python"; then
        echo "setup: looked for Python 3.11, 3.12 or 3.13 as ${PYTHON:-python3, python3.13, python3.12, python3.11}:" \
            "found $(python3 --version 2>&1 || true). Install one of them, or name it: make PYTHON=/path/to/python3.12 …" >&2
        exit 1
    fi
    if ! "$python" -c 'import ensurepip, venv' 2>/dev/null; then
        echo "setup: $python lacks venv or ensurepip. On Debian and Ubuntu they are in a package of their own:" \
            "apt install $("$python" -c 'import sys; print("python%d.%d-venv" % sys.version_info[:2])')" >&2
        exit 1
    fi
    rm -rf .venv
    "$python" -m venv .venv
fi

echo "setup: installing requirements/dev.txt into .venv (a minute the first time)" >&2
.venv/bin/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements/dev.txt
echo "$wanted" >"$stamp"
