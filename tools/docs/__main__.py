"""``make docs``: writes the generated parts of docs/ and config/ again, and names the files that changed."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from functions.rating.workbook.description import load_description
from local.cloud.template import ROOT
from local.commandline import Parser, run
from tools.docs import api_docs, console_openapi, event_docs, extracts_docs, openapi, operations_docs


def generated() -> Iterator[tuple[Path, str]]:
    """Each generated file with the text that it should have."""
    yield openapi.PATH, openapi.text()
    yield console_openapi.PATH, console_openapi.text()
    yield api_docs.PATH, event_docs.with_events(api_docs.with_answers(_read(api_docs.PATH)))
    yield event_docs.SCHEMA_PATH, event_docs.schema_text()
    for language in extracts_docs.LANGUAGES:
        path = extracts_docs.page(language)
        yield path, extracts_docs.rendered(_read(path), language)
    description = load_description(ROOT / "config" / "workbook.json")
    for spoken in operations_docs.LANGUAGES:
        path = operations_docs.page(spoken)
        yield path, operations_docs.rendered(_read(path), description, spoken)


def main() -> int:
    Parser(prog="make docs", description=__doc__).parse_args()
    for path, text in generated():
        if _read(path) != text:
            path.write_text(text, encoding="utf-8")
            print(path.relative_to(ROOT))
    return 0


def _read(path: Path) -> str:
    return path.read_text(encoding="utf-8") if path.exists() else ""


if __name__ == "__main__":
    run(main)
