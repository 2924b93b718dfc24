"""Write the pages that are made from code: ``python docs/build.py``."""

from __future__ import annotations

from pathlib import Path

import mfa
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


_CONTRADICTIONS = """\
# Contradictions that are known, and what comes of them

Made by `python docs/build.py` from the case [copper-japan](../flows/copper-japan.md); a test keeps
it current. Fourteen contradictions in statistics of copper were collected by hand beforehand. Here
is each of them, whether it lies within the case, and what the reconciliation says of it without
being told.

"Tested" is a number that balances or an observation check. z is its distance to what all others
say, in sd; beyond ±1.96 it stands out.

| contradiction | within the case | what comes out |
|---|---|---|
"""
_HOW = """
How to see the same:

```python
import mfa

balance = mfa.reconcile(mfa.read_workbook("flows/copper-japan.xlsx"))
balance.chi2, balance.dof, balance.p_value  # the global test

# Data against data: z, by how much each would have to change, and what cannot be told from it.
suspects = balance.suspects.head(9)
suspects[["item", "quantity", "year", "z", "observed", "should_be", "change", "same_as", "cell"]]

# Numbers left out of the calculation (include = no), against its result.
totals = balance.excluded[["item", "year", "observed", "value", "z", "cell"]]
totals[totals["z"].abs() > 1.96]

# Every balance that the data as they are can test, merged where something is unmeasured.
nodal = balance.processes[balance.processes["nodal_z"].notna()]
nodal[["process", "year", "imbalance", "imbalance_sd", "nodal_z", "nodal_p", "merged_with"]]

# What checks a number, or why nothing does.
balance.why([("refined_ore", 2015)])["checked_by"].iloc[0]
```
"""


def _total(balance: mfa.Balance, item: str) -> str:
    """Say what comes of a printed total that was left out of the calculation."""
    row = balance.excluded.set_index("item").loc[f"printed total, {item}"]
    return f"{row['observed']:.1f} for {row['value']:.1f}, z = {row['z']:.1f}"


def _said(balance: mfa.Balance) -> list[tuple[str, str, str]]:
    """Return each known contradiction, whether it is in the case, and what comes out."""
    excluded = balance.excluded.set_index("item")
    preliminary = excluded.loc["preliminary total, wire 2019"]
    nodal = balance.processes[balance.processes["process"] == "refined_market"]
    worst = balance.suspects.iloc[0]
    alike = len(worst["same_as"].split(", ")) + 1
    years = "; ".join(
        f"{row.year}: {row.imbalance:+.1f} (z = {row.nodal_z:.1f})" for row in nodal.itertuples()
    )
    stocks = balance.stocks.set_index(["process", "quantity", "year"])
    ore = stocks.loc[("smelting_ore", "change", 2015)]
    wire = [
        balance.ratio(("scrap_to_wire", y), {("scrap_to_wire", y): 1, ("refined_to_wire", y): 1})
        for y in balance.system.years
    ]
    share = balance.suspects.set_index("item").loc["scrap share of rolled mills 2018"]
    rolled = balance.ratio(
        ("scrap_to_rolled", 2018), {("scrap_to_rolled", 2018): 1, ("refined_to_rolled", 2018): 1}
    )
    both = balance.linear({("refined_ore", 2018): 1, ("refined_scrap", 2018): 1})
    primary = balance.linear(("refined_ore", 2018))
    printed = "printed totals of {}, left out (`include` no) and tested beside the result"
    no_year = "no: the case begins in fiscal 2015"
    return [
        (
            "Wire, domestic total of fiscal 2017: 337.6 printed, parts sum to 666.1",
            printed.format("table 13"),
            f"found: {_total(balance, 'wire domestic 2017')}",
        ),
        (
            "Wire, total of 2016: 699.3 printed (the year before), parts sum to 680.2",
            printed.format("table 13"),
            f"found: {_total(balance, 'wire 2016')}",
        ),
        (
            "Wire, total of 2019: 701.9 against 692.81 in an earlier release",
            "yes, the release left out likewise",
            (
                f"not found, and rightly so: z = {preliminary['z']:.1f}; 1.3 % is within the sd of "
                "2 % that wire is given"
            ),
        ),
        (
            "Rolled copper, total of 2016: 761.6 printed (the year before), parts sum to 798.2",
            printed.format("table 14"),
            f"found: {_total(balance, 'rolled 2016')}",
        ),
        (
            "Rolled copper, domestic total of 2017: 676.2 printed, parts sum to 651.0",
            printed.format("table 14"),
            (
                f"found: {_total(balance, 'rolled domestic 2017')}; the grand total as well, "
                f"{_total(balance, 'rolled 2017')}, so that the error is in a part"
            ),
        ),
        (
            (
                "Refined copper, apparent against reported demand, 2015–2019: +72.9, +46.2, +8.8, "
                "−26.6, −44.3"
            ),
            "yes, the balance of the refined market",
            (
                f"found, by the nodal test of the market: {years}. Serial elimination begins with "
                f"{worst['item']} {worst['year']} (z = {worst['z']:.2f}, change "
                f"{worst['change']:+.1f}), one of {alike} that one balance cannot tell apart"
            ),
        ),
        (
            "Ore recovery, refined from ore ÷ (concentrate + blister): up to 1.03",
            "yes, but nothing tests it: the smelters' stocks of concentrate are not published",
            (
                f"taken up by the stock: its change in 2015 comes out as {ore['value']:.0f} ± "
                f"{ore['sd']:.0f} kt"
            ),
        ),
        (
            "Wire mills, refined copper in ÷ shipments: 0.84–0.97",
            "yes, as direct scrap, which is unmeasured and takes up the gap",
            (
                f"no contradiction: scrap is {100 * min(q.value for q in wire):.0f}–"
                f"{100 * max(q.value for q in wire):.0f} % of what the mills take in"
            ),
        ),
        (
            "Smelters 2018: 1,591.2 (WMS) against 1,169.5 (USGS, primary only)",
            "neither number is entered",
            (
                f"two definitions: the result is {both.value:,.1f} ± {both.sd:.1f} in all, "
                f"{primary.value:,.1f} ± {primary.sd:.1f} of it from ore"
            ),
        ),
        ("World in-use stock 2015: 440 against 221 Mt", "no: the case is Japan", ""),
        (
            "Rolled copper, share of scrap: 0.40 (press, 2019) against 0.56 (industry, c. 2008)",
            "the first as an observation of 2018; the second is of another time",
            (
                f"0.40 does not stand out (z = {share['z']:.2f}); the result is "
                f"{rolled.value:.2f} ± {rolled.sd:.2f}, between the two"
            ),
        ),
        ("Scrap of 2007: supply 1,660 against demand 1,530", no_year, ""),
        ("E-scrap of fiscal 2014: 324 kt against 214 kt", no_year, ""),
        (
            "Self-sufficiency of 2018: 34.9 % against a target's base of 50.1 %",
            "no: shares in foreign mines are not published",
            "",
        ),
    ]


def contradictions_page() -> str:
    """Return the page on known contradictions in copper statistics."""
    case = HERE.parent / "flows" / "copper-japan.xlsx"
    rows = _said(mfa.reconcile(mfa.read_workbook(case)))
    lines = [f"| {' | '.join(row)} |" for row in rows]
    return _CONTRADICTIONS + "\n".join(lines) + "\n" + _HOW


if __name__ == "__main__":
    for name, text in (("format", format_page()), ("contradictions", contradictions_page())):
        (HERE / f"{name}.md").write_text(text, encoding="utf-8", newline="\n")
