#!/usr/bin/env bash
# Shows that the README's two commands work in fresh clones of what is committed, each with one Python and an empty HOME.
# Of the machine it keeps pip's settings and its cache. MATRIX="3.12" chooses versions.
set -euo pipefail
cd "$(dirname "$0")/.."

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
pip_cache=${PIP_CACHE_DIR:-$(python3 -m pip cache dir)}
mapfile -t settings < <(env | grep -E '^(PIP_|SSL_|REQUESTS_CA_BUNDLE|https?_proxy|HTTPS?_PROXY)' || true)

interpreter() {
    local candidate
    for candidate in "${PYENV_ROOT:-$HOME/.pyenv}/versions/$1".*/bin/python"$1" "$(command -v "python$1" || true)"; do
        "$candidate" -c '' 2>/dev/null && echo "$candidate" && return
    done
    echo "matrix: no Python $1 on this machine" >&2
    return 1
}

for version in ${MATRIX:-3.11 3.12 3.13}; do
    python=$(interpreter "$version")
    folder=$work/$version
    mkdir -p "$folder/bin" "$folder/home"
    ln -s "$python" "$folder/bin/python3"
    git clone --quiet . "$folder/clone"
    for command in demo test; do
        echo "matrix: Python $version: make $command"
        env -i "${settings[@]}" PIP_CACHE_DIR="$pip_cache" HOME="$folder/home" PATH="$folder/bin:/usr/bin:/bin" \
            make --no-print-directory -C "$folder/clone" "$command" >"$folder/$command.log" 2>&1 </dev/null ||
            { tail -60 "$folder/$command.log"; echo "matrix: Python $version: make $command FAILED"; exit 1; }
        tail -1 "$folder/$command.log"
    done
    "$folder/clone/.venv/bin/python" --version
done
echo "matrix: all passed"
