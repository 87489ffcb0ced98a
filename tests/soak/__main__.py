"""make soak: random kills, faults, concurrency and decisions over many months. Prints how often it did each."""

from __future__ import annotations

import argparse
import random
import tempfile
from pathlib import Path


def main() -> None:
    from tests.soak.soak import soak  # noqa: PLC0415 - each process that this one starts would import all of it again

    parser = argparse.ArgumentParser(prog="python -m tests.soak", description=__doc__)
    parser.add_argument("--minutes", type=float, default=10.0, help="(default: 10)")
    parser.add_argument("--seed", type=int, default=random.SystemRandom().randrange(10**6), help="(default: at random)")
    options = parser.parse_args()
    print(f"seed {options.seed}, {options.minutes:g} minutes", flush=True)
    with tempfile.TemporaryDirectory() as folder:
        done = soak(Path(folder), options.minutes, options.seed, lambda line: print(line, flush=True))
    for name, number in sorted(done.items()):
        print(f"{number:8,}  {name}")


if __name__ == "__main__":
    main()
