#!/bin/sh
# Pins what requirements/*.in name, with hashes, for every supported Python and platform; what is pinned stays unless it
# must move. `build/lock.sh --upgrade` moves everything. dev.txt goes first, the functions carry what was tested with.
set -eu
cd "$(dirname "$0")/../requirements"
export UV_CUSTOM_COMPILE_COMMAND="make lock"

# What is set for pip (a mirror, certificates) holds for uv too.
eval "$(../.venv/bin/python ../build/pip_settings.py)"

compile() { ../.venv/bin/uv pip compile --quiet --universal --python-version 3.11 --generate-hashes "$@"; }

compile "$@" dev.in -o dev.txt
for part in uv demo rating lookup; do
    compile --no-annotate -c dev.txt "$part.in" -o "$part.txt"
done
compile "$@" --no-annotate sam.in -o sam.txt
compile "$@" --no-annotate clients.in -o clients.txt
compile "$@" --no-annotate -c dev.txt bench.in -o bench.txt
compile "$@" --no-annotate -c dev.txt spark.in -o spark.txt
compile "$@" --no-annotate -c dev.txt glue.in -o glue.txt
../.venv/bin/uv pip compile --quiet --universal --python-version 3.13 --generate-hashes --no-annotate \
    "$@" e2e.in -o e2e.txt
