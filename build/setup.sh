#!/bin/sh
# Makes an environment hold exactly what requirements/<name>.txt names; does nothing when it already does.
#   build/setup.sh demo               .venv: what make demo and make serve need
#   build/setup.sh dev                .venv: the same, and what tests and checks need
#   build/setup.sh sam|bench|e2e|clients|spark   .venv/<name>: tools that pin too much to share an environment with the project
set -eu
cd "$(dirname "$0")/.."
name=$1

checksum() { cksum <"requirements/$1.txt" | tr ' ' -; }

folder=.venv/$name
holds=$name=$(checksum "$name")
case $name in
demo) folder=.venv ;;
dev) folder=.venv holds="$holds demo=$(checksum demo)" ;; # what demo needs is among it
esac
[ -x "$folder/bin/python" ] && [ "$(cat "$folder/.ready-$name" 2>/dev/null)" = "$(checksum "$name")" ] && exit 0

fits() { "$1" -c 'import sys; sys.exit(not (3, 11) <= sys.version_info[:2] < (3, 14))' 2>/dev/null; }

for python in ${PYTHON:+"$PYTHON"} ${PYTHON:-python3 python3.13 python3.12 python3.11} none; do
    fits "$python" && break
done
if [ "$python" = none ]; then
    echo "setup: looked for Python 3.11, 3.12 or 3.13 as ${PYTHON:-python3, python3.13, python3.12, python3.11}:" \
        "found $(python3 --version 2>&1 || true). Install one of them, or name it: make PYTHON=/path/to/python3.12 …" >&2
    exit 1
fi
# shellcheck disable=SC2086 # several words
exec "$python" build/setup.py "$folder" $holds
