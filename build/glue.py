"""Builds the Spark job's code for AWS Glue: a zip of wheels (the project's own among them) and a script.

    python build/glue.py --into .aws-sam/measuring

Glue installs the zip with pip on each worker, without an index. Two builds give equal bytes.

    https://docs.aws.amazon.com/glue/latest/dg/aws-glue-programming-python-libraries.html
"""

from __future__ import annotations

import argparse
import base64
import subprocess
import sys
import tempfile
import zipfile
from collections.abc import Iterator, Mapping, Sequence
from hashlib import sha256
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
PYTHON = "3.11"  # of Glue 5.0 and 5.1, on Amazon Linux 2023 with an Intel or AMD processor
PLATFORMS = ("manylinux2014_x86_64", *(f"manylinux_2_{minor}_x86_64" for minor in (34, 28, 27, 24, 17, 12)))
ZIP, SCRIPT = "measuring.gluewheels.zip", "measure.py"
BUDGET_MB = 60
NAME, VERSION = "mcn_levels_measuring", "0"
ROOMS = ("functions/rating/extracts", "functions/rating/measuring", "shared")
FILES = (
    "functions/__init__.py",
    "functions/rating/__init__.py",
    "functions/rating/garbage.py",
    "functions/rating/progress.py",
)
RUN = "from functions.rating.measuring.spark.job import main\n\nmain()\n"


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description="Build the code of the Spark job for AWS Glue.")
    parser.add_argument("--into", type=Path, required=True)
    folder: Path = parser.parse_args(arguments).into
    folder.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as work:
        wheels = Path(work)
        download(wheels)
        own_wheel(wheels / f"{NAME}-{VERSION}-py3-none-any.whl")
        write_zip(folder / ZIP, {f"wheels/{path.name}": path.read_bytes() for path in wheels.iterdir()})
    (folder / SCRIPT).write_text(RUN, encoding="utf-8")
    size_mb = (folder / ZIP).stat().st_size / 1e6
    digest = sha256((folder / ZIP).read_bytes()).hexdigest()
    print(f"measuring: {size_mb:.1f} MB of wheels (budget {BUDGET_MB} MB), sha256 {digest}")
    if size_mb > BUDGET_MB:
        print("measuring: over its budget; see which wheel grew", file=sys.stderr)
        return 1
    return 0


def download(into: Path) -> None:
    """Download only wheels, and only what requirements/glue.txt names."""
    command = [sys.executable, "-m", "pip", "download", "--quiet", "--no-deps", "--only-binary", ":all:"]
    command += [
        "--require-hashes",
        "--python-version",
        PYTHON,
        "--implementation",
        "cp",
        "--abi",
        "cp311",
        "--abi",
        "abi3",
    ]
    command += ["--abi", "none", *(word for platform in PLATFORMS for word in ("--platform", platform))]
    command += ["--disable-pip-version-check", "--dest", str(into)]
    subprocess.run([*command, "--requirement", str(ROOT / "requirements" / "glue.txt")], check=True)


def own_wheel(path: Path) -> None:
    """Write a wheel with the code of the job, under the import paths that tests use too."""
    files = {name: (ROOT / name).read_bytes() for name in code()}
    info = f"{NAME}-{VERSION}.dist-info"
    files[f"{info}/METADATA"] = f"Metadata-Version: 2.1\nName: {NAME}\nVersion: {VERSION}\n".encode()
    files[f"{info}/WHEEL"] = b"Wheel-Version: 1.0\nGenerator: build/glue.py\nRoot-Is-Purelib: true\nTag: py3-none-any\n"
    record = "".join(f"{name},sha256={_digest(content)},{len(content)}\n" for name, content in sorted(files.items()))
    write_zip(path, {**files, f"{info}/RECORD": f"{record}{info}/RECORD,,\n".encode()})


def code() -> Iterator[str]:
    yield from FILES
    for room in ROOMS:
        for path in sorted((ROOT / room).rglob("*")):
            if path.suffix in (".py", ".sql"):
                yield path.relative_to(ROOT).as_posix()


def write_zip(path: Path, files: Mapping[str, bytes]) -> None:
    """Write an archive without times, so that equal files give equal bytes."""
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in sorted(files.items()):
            entry = zipfile.ZipInfo(name)
            entry.external_attr = 0o644 << 16
            entry.compress_type = zipfile.ZIP_STORED if name.endswith(".whl") else zipfile.ZIP_DEFLATED
            archive.writestr(entry, content)


def _digest(content: bytes) -> str:
    return base64.urlsafe_b64encode(sha256(content).digest()).rstrip(b"=").decode()


if __name__ == "__main__":
    sys.exit(main())
