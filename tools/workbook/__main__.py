"""``make workbook INTO=levels.xlsx [LANG=zh|en]``: the Excel file that operations edit, filled with the example."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from functions.rating.workbook.description import load_description
from functions.rating.workbook.folder import read_folder
from local.commandline import Parser, run
from tools.workbook.builder import build_workbook

CONFIG = Path(__file__).parents[2] / "config"


def main(arguments: Sequence[str] | None = None) -> int:
    """Write the file; one that is there stays, because operations may have changed it."""
    parser = Parser(prog="make workbook", description=__doc__)
    parser.add_argument("into", type=Path, help="the .xlsx file to write")
    parser.add_argument("--lang", choices=("zh", "en"), default="zh", help="language of tabs, headers and notes")
    given = parser.parse_args(arguments)
    if given.into.suffix != ".xlsx":
        parser.error(f"{given.into}: expected a name that ends in .xlsx")
    if given.into.exists():
        parser.error(f"{given.into} is there already; name another file, or remove this one")
    if not given.into.parent.is_dir():
        parser.error(f"{given.into.parent}: there is no such folder")
    description = load_description(CONFIG / "workbook.json")
    given.into.write_bytes(build_workbook(description, read_folder(CONFIG / "workbook"), given.lang))
    print(f"{given.into}: written. Every number in it is invented; change them, then upload it to S3.")
    return 0


if __name__ == "__main__":
    run(main)
