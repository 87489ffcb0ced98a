"""Lists known vulnerabilities of every pinned dependency. Prints SKIPPED if the database can't be reached."""

from __future__ import annotations

import json
import subprocess
import sys
from collections import Counter
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]


def main() -> int:
    command = [sys.executable, "-m", "pip_audit", "--disable-pip", "--require-hashes", "--format", "json"]
    command += ["--progress-spinner", "off", "--timeout", "10"]
    command += ["--requirement", str(ROOT / "requirements" / "dev.txt")]
    answer = subprocess.run(command, capture_output=True, text=True, check=False)
    try:
        listed = json.loads(answer.stdout)["dependencies"]
    except (ValueError, KeyError):
        reason = (answer.stderr.strip().splitlines() or [f"pip-audit ended with {answer.returncode}"])[-1]
        print(f"vulnerabilities: SKIPPED, the database of vulnerabilities could not be reached: {reason}")
        return 0
    asked = [found for found in listed if "vulns" in found]
    known = [(found["name"], found["version"], flaw) for found in asked for flaw in found["vulns"]]
    for name, version, flaw in known:
        fixed_in = ", ".join(flaw["fix_versions"]) or "no release yet"
        print(f"vulnerabilities: {name} {version}: {flaw['id']}, fixed in {fixed_in}")
    if len(asked) < len(listed):
        reasons = Counter(found["skip_reason"].split(":")[0] for found in listed if "skip_reason" in found)
        unasked = f"{len(listed) - len(asked)} of {len(listed)} dependencies"
        print(f"vulnerabilities: SKIPPED for {unasked}: {', '.join(reasons)}")
    if asked:
        print(f"vulnerabilities: {len(asked)} dependencies asked for, {len(known)} known vulnerabilities")
    return 1 if known else 0


if __name__ == "__main__":
    sys.exit(main())
