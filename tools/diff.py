"""make diff A=… B=…: the differences between two versions of the workbook, cell by cell."""

from __future__ import annotations

from collections.abc import Sequence

from functions.rating.workbook.changes import between
from local.commandline import required, run
from shared.content import content_id
from tools.versions import FORMS, Versions, VersionsParser


def main(arguments: Sequence[str] | None = None, versions: Versions | None = None) -> int:
    """Print the changes from A to B, each with its cell in B. The exit code is 0 with and without changes."""
    parser = VersionsParser(prog="make diff", description=__doc__)
    for name in ("a", "b"):
        parser.add_argument(name, nargs="?", help=FORMS)
    asked = parser.parse_args(arguments)
    required(parser, "make diff A=<version> B=<version>", A=asked.a, B=asked.b)
    versions = versions or Versions(asked.function, asked.local)
    old, new = versions.find(asked.a), versions.find(asked.b)
    for name, version in (("A", old), ("B", new)):
        print(f"{name}  {content_id(version.rulebook)}  {version.name}")
    changes = between(old.rulebook, new.rulebook, versions.description, new.addresses)
    print(f"{len(changes)} 处改动 changes" if changes else "内容相同 the same rulebook")
    for change in changes:
        print(change)
    return 0


if __name__ == "__main__":
    run(main)
