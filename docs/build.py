"""Write the pages that are made from code: ``python docs/build.py``."""

from __future__ import annotations

from pathlib import Path

from mfa.schema import SETTINGS, SHEETS

HERE = Path(__file__).parent
_INTRO = """\
# The flow workbook, format 1

Made from `mfa/schema.csv`, from which the reader and its checks are made, too.

Sheets and columns are found by name, in English or Japanese, never by position; case, spaces,
underscores and full or half width do not matter. Headers stand in row 1, data from row 2 on. A
blank cell is unknown, a zero is a known zero. Only `system`, `processes` and `flows` must be there.

Numbers typed as text ("1,200") are read with a warning. Anything else that is no number, a formula
without a stored result, or an Excel error is an error that names the cell. Every problem in the
file is reported at once.

A value needs an uncertainty: `sd` or `cv` in its row, or `default_cv` in `system`; sd 0 makes it
exact. Flows are at least 0 unless `min` says otherwise. `include` no shows and tests a number
beside the result without letting it pull; `basis` assumption marks what nobody measured, to
the end.

`mfa template new.xlsx` writes a workbook to fill in, with this help on every header, drop-downs and
a page of instructions; `--example copper-japan` fills it with a real case, `--lang ja` takes the
Japanese names. Its hidden sheet of lists is not read.
"""
_TWIN = """\
## The CSV twin

A folder with one file per sheet is the same as a workbook: `mfa convert book.xlsx folder` and
`mfa convert folder book.xlsx`, `mfa.convert`, `mfa.read_tables` and `mfa.write_tables`. No cell
changes on the way there and back, in unknown columns and sheets neither. Files are UTF-8 with
commas, `flows.csv` for the sheet `flows`; what the name of a file cannot have stands as `%XX`.
Those with other than ASCII characters begin with a byte order mark, as Excel needs it.

| cell | in the file |
|---|---|
| blank | nothing |
| number | the shortest decimal that gives the same binary number: `0.1`, `2018` |
| truth value | `TRUE`, `FALSE` |
| date, date and time | `2018-03-31`, `2018-03-31 12:30:00` |
| time of day, duration in seconds | `12:30:00`, `PT93780S` |
| Excel's error values | `#N/A`, `#REF!` … |
| text | as it is, or after an apostrophe: `'007`, `'=A1`, `'-` |

The apostrophe stands where a text would be taken for any of the others, or by a spreadsheet for a
formula. Typed by hand, none of this needs thought: `007` in a column of texts is a text, `1.50` in
a column of numbers is a number, and an apostrophe is taken off only where it would have been put.
Formulas become their results; comments, colours and drop-downs are made anew.

## Results as an input

A results workbook can be read again. By default what was observed is reconciled anew;
`mfa.read_workbook(path, values="reconciled")` takes the results instead, as exact values (sd 0).
What the data left undetermined stays unknown, limits stay, and every observation that took part
states what came out.
"""


def format_page() -> str:
    """Return the page that lists every sheet and column of the format."""
    lines = [_INTRO]
    for sheet in SHEETS:
        required = " (required)" if sheet.required else ""
        lines.append(f"## {sheet.name} · {sheet.ja}{required}\n\n{sheet.help}\n")
        if sheet.name == "system":
            lines.append("| key | meaning |\n|---|---|")
            lines += [f"| `{key}` | {help_} |" for key, help_ in SETTINGS.items()]
            lines.append("")
            continue
        lines.append("| column | Japanese | holds | meaning |\n|---|---|---|---|")
        for column in sheet.columns:
            holds = ", ".join(column.choices) if column.choices else column.kind
            name = f"**`{column.name}`**" if column.needed else f"`{column.name}`"
            lines.append(f"| {name} | {column.ja} | {holds} | {column.help} |")
        lines.append("")
    return "\n".join([*lines, _TWIN])


if __name__ == "__main__":
    (HERE / "format.md").write_text(format_page(), encoding="utf-8", newline="\n")
