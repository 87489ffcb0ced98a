"""make pull KEY=… INTO=folder: writes a workbook as a folder of CSV files with the same rulebook."""

from __future__ import annotations

import tempfile
from collections.abc import Sequence
from pathlib import Path

from functions.rating.workbook.folder import read_folder, write_folder
from local.commandline import UserMistake, required, run
from shared.content import content_id
from tools.versions import FORMS, Versions, VersionsParser


def main(arguments: Sequence[str] | None = None, versions: Versions | None = None) -> int:
    """Write the folder, read it again, and print its rulebook's id. A folder with CSV files is not changed."""
    parser = VersionsParser(prog="make pull", description=__doc__)
    parser.add_argument("workbook", nargs="?", help=f"{FORMS}; but no stored rulebook, which has no cells")
    parser.add_argument("into", nargs="?", type=Path, help="the folder to write")
    asked = parser.parse_args(arguments)
    usage = "make pull KEY=<spreadsheet key> INTO=<folder>, or make pull WORKBOOK=<file>.xlsx INTO=<folder>"
    required(parser, usage, WORKBOOK=asked.workbook, INTO=asked.into and str(asked.into))
    versions = versions or Versions(asked.function, asked.local)
    pull(versions, asked.workbook, asked.into)
    return 0


def pull(versions: Versions, name: str, into: Path) -> None:
    """Write the tabs that are read. Raises UserMistake for a workbook with errors, which has no rulebook."""
    if into.is_dir() and (there := sorted(path.name for path in into.glob("*.csv"))):
        raise UserMistake(f"{into}: it holds {', '.join(there)}. Name another folder, or remove these files.")
    raw = versions.cells(name)
    expected = content_id(versions.read(raw, name).rulebook)
    into.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=into) as folder:
        write_folder(raw, Path(folder))
        written = content_id(versions.read(read_folder(Path(folder)), str(into)).rulebook)
        if written != expected:
            raise UserMistake(
                f"{into}: read again, the files give rulebook {written}, expected {expected} as in {name}; nothing was "
                "kept. This is a defect of this software: report it with the workbook."
            )
        for path in Path(folder).iterdir():
            path.rename(into / path.name)
    print(f"{into}: {len(raw.tabs)} 个标签页 tabs, 规则版本 rulebook {expected}")
    if raw.unread:
        print(f"未写入 not written, because nobody reads them: {', '.join(raw.unread)}")


if __name__ == "__main__":
    run(main)
