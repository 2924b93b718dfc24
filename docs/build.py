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
    return "\n".join(lines)


if __name__ == "__main__":
    (HERE / "format.md").write_text(format_page(), encoding="utf-8", newline="\n")
