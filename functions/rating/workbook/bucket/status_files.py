"""The status as files next to a workbook in S3: an Excel file and an HTML page with the same rows."""

from __future__ import annotations

import io
from collections.abc import Sequence

from jinja2 import Environment
from openpyxl import Workbook
from openpyxl.cell.cell import ILLEGAL_CHARACTERS_RE
from openpyxl.styles import Alignment, Font, PatternFill
from openpyxl.utils import get_column_letter

from functions.rating.workbook.cells import Language
from functions.rating.workbook.status_cells import StatusRow

TITLES = {"en": "status", "zh": "状态"}
_FILLS = {"green": "D9F0D4", "orange": "FFE699", "red": "F5CCCC"}
_WIDEST = 60

_PAGE = Environment(autoescape=True, trim_blocks=True, lstrip_blocks=True).from_string("""\
<!doctype html>
<html lang="{{ language }}">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'">
<title>{{ title }}</title>
<style>
:root { color-scheme: light dark; }
body { font: 15px/1.6 system-ui, sans-serif; margin: 2rem auto; max-width: 75rem; padding: 0 1rem; }
td { padding: .3rem .8rem .3rem 0; vertical-align: top; white-space: pre-line; overflow-wrap: anywhere; }
.name { font-weight: 600; }
.green { background: light-dark(#d9f0d4, #24451c); }
.orange { background: light-dark(#ffe699, #5c4400); }
.red { background: light-dark(#f5cccc, #5e1f1f); }
</style>
</head>
<body>
<h1>{{ title }}</h1>
<table>
{% for row in rows %}
<tr>
{% for cell in row %}
<td class="{{ 'name' if cell.bold }} {{ cell.colour or '' }}">
{%- if cell.to is string %}<a href="{{ cell.to }}">{{ cell.text }}</a>{% else %}{{ cell.text }}{% endif -%}
</td>
{% else %}
<td>&nbsp;</td>
{% endfor %}
</tr>
{% endfor %}
</table>
</body>
</html>
""")


def status_page(rows: Sequence[StatusRow], language: Language) -> bytes:
    """The rows as one HTML page."""
    return _PAGE.render(rows=rows, title=TITLES[language], language=language).encode()


def status_workbook(rows: Sequence[StatusRow], language: Language) -> bytes:
    """The rows as an Excel file with one sheet. Text stays text, even if it begins with "=", as a formula does."""
    book = Workbook()
    sheet = book.worksheets[0]
    sheet.title = TITLES[language]
    widths: dict[str, int] = {}
    for r, row in enumerate(rows, 1):
        for c, cell in enumerate(row, 1):
            written = sheet.cell(r, c, ILLEGAL_CHARACTERS_RE.sub("", cell.text))
            written.data_type = "s"
            written.font = Font(bold=cell.bold)
            written.alignment = Alignment(wrap_text=True, vertical="top")
            if cell.colour:
                written.fill = PatternFill("solid", fgColor=_FILLS[cell.colour])
            if isinstance(cell.to, str):
                written.hyperlink = cell.to
            if r == 1:  # the verdict is longer than its column
                written.alignment = Alignment(wrap_text=False)
                continue
            longest = max(map(len, cell.text.splitlines()), default=0)
            letter = get_column_letter(c)
            widths[letter] = max(widths.get(letter, 10), min(2 * longest, _WIDEST))
    for letter, width in widths.items():
        sheet.column_dimensions[letter].width = width
    packed = io.BytesIO()
    book.save(packed)
    return packed.getvalue()
