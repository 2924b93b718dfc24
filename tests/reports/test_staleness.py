"""The committed reports are what `mfa report` makes of the workbooks today."""

from __future__ import annotations

import math
import xml.etree.ElementTree as ET
from pathlib import Path

import pytest
from python_calamine import CalamineWorkbook

import mfa
from mfa.io.xlsx_write import from_frame
from mfa.report.results import result_tables

ROOT = Path(__file__).parents[2]
CASES = sorted(path.stem for path in (ROOT / "flows").glob("*.xlsx"))
# p-values of a z of rounding size, and residuals themselves, are rounding.
ROUNDING = {"residual", "z", "adjustment", "assumed", "p_value"}


@pytest.fixture(scope="module", params=CASES)
def case(request) -> tuple[str, mfa.Balance]:
    book = mfa.read_workbook(ROOT / "flows" / f"{request.param}.xlsx")
    return request.param, mfa.reconcile(book)


def _same(new: object, old: object, column: str) -> bool:
    blank = (None, "")
    if isinstance(new, float) and math.isnan(new):
        new = None
    if new in blank or old in blank:
        return new in blank and old in blank
    if isinstance(new, (int, float)) and not isinstance(new, bool):
        slack = 1e-7 if column in ROUNDING else 1e-12
        return math.isclose(float(new), float(old), rel_tol=1e-9, abs_tol=slack)
    return str(new) == str(old)


def test_tables_are_current(case):
    name, balance = case
    book = CalamineWorkbook.from_path(str(ROOT / "reports" / name / "results.xlsx"))
    compared = set()
    for sheet, frame in result_tables(balance).items():
        if not len(frame):
            continue
        table = from_frame(sheet, frame)
        headers, *rows = book.get_sheet_by_name(sheet).to_python(skip_empty_area=False)
        assert list(table.headers) == headers
        assert len(table.rows) == len(rows)
        for number, (new, old) in enumerate(zip(table.rows, rows, strict=True), start=2):
            for header, a, b in zip(headers, new, old, strict=True):
                assert _same(a, b, header), (
                    f"{name}: {sheet} row {number}, {header}: {a!r} != {b!r}"
                )
        compared.add(sheet)
    expected = {"flows", "stocks", "balances", "indicators", "bottlenecks"}
    assert compared >= expected | ({"suspects"} if balance.dof else set())


def _structure(svg: str) -> list[tuple[str, str | None, str | None, str | None]]:
    return [
        (item.tag, item.get("class"), item.get("data-link"), item.get("data-node"))
        for item in ET.fromstring(svg).iter()
    ]


def _charts(balance: mfa.Balance) -> dict[str, tuple[str, int]]:
    """Return substance and year of every chart by the name of its file."""
    substances = balance.system.substances
    several = len(substances) > 1
    return {
        f"chart-{f'{substance}-' if several else ''}{year}.svg": (substance, year)
        for substance in substances
        for year in balance.system.years
    }


def test_charts_are_current(case):
    name, balance = case
    for file, (substance, year) in _charts(balance).items():
        old = (ROOT / "reports" / name / file).read_text(encoding="utf-8")
        new = mfa.sankey(balance, substance=substance, year=year).svg
        assert _structure(new) == _structure(old)


def test_every_file_of_a_report_is_there(case):
    name, balance = case
    have = {path.name for path in (ROOT / "reports" / name).iterdir()}
    regions = balance.system.regions if len(balance.system.regions) > 1 else ()
    apart = {f"chart-region-{region.replace(' ', '-')}.svg" for region in regions}
    assert have == {"report.html", "results.xlsx", "chart.png", *_charts(balance), *apart}


def test_the_page_is_small_enough_to_be_sent(case):
    assert (ROOT / "reports" / case[0] / "report.html").stat().st_size < 2_000_000
