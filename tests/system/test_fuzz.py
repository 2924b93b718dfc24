"""Whatever stands in the cells, the end is a result or an error that mfa raises on purpose."""

from __future__ import annotations

import copy
import datetime as dt
import random

import pytest

import mfa
from mfa.report.document import edition, render

from . import books

FULL = books.small(
    processes=[*books.SMALL["processes"], ["Bin", None, None, "sink", None, "disposal"]],
    coefficients=[
        ["coefficient", "flow", "of", "substance", "year", "value", "unit", "sd"],
        ["k", "slag", "inputs", "Cu", 2018, 2, "%", 0],
        ["m", "slag", "metal", "Cu", 2019, 0.03, None, 0],
    ],
    compositions=[["flow", "substance", "year", "value", "sd"], ["ore", "Cu", 2018, 0.3, 0]],
    observations=[
        ["observation", "flow", "process", "quantity", "factor", "year", "relation", "value", "sd"],
        ["sum", "ore", None, None, 1, 2018, "=", 195, 5],
        ["sum", "metal", None, None, 1, 2018, None, None, None],
        ["most", "scrap", None, None, 1, 2018, "<=", 80, None],
        ["level", None, "Use", "level", 1, 2019, "=", 1000, 50],
    ],
    lifetimes=[["process", "distribution", "mean", "sd"], ["Use", "weibull", 20, 5]],
    origins=[["flow", "country", "value", "unit"], ["ore", "Chile", 50, "%"]],
)
FULL = books.add(
    books.with_column(FULL, "flows", "role", "primary", "refined", "old_scrap"),
    "flows",
    ["slag", "Smelter", "Bin", "Cu", 2018, None, None, None, "loss"],
    ["slag", None, None, "Cu", 2019, None, None, None, None],
    ["ore", None, None, "goods", 2018, 300, "kt/yr", 20, None],
)
VALUES = [
    None,
    "",
    0,
    -1,
    1,
    0.5,
    -0.0,
    1e12,
    1e-12,
    2018,
    2019,
    2050,
    1000,
    3000,
    True,
    False,
    "x",
]
VALUES += ["Mine", "Smelter", "Use", "ore", "metal", "ore,metal", "Cu", "goods", "kt", "t/yr", "%"]
VALUES += ["yes", "no", "level", "change", "=", "<=", ">=", "inputs", "outputs", "source", "sink"]
VALUES += ["loss", "discrepancy", "end_of_life", "１２３", "1,200", "1e400", "5%", "=1+1", "#N/A"]
VALUES += [
    "a" * 300,
    "\n",
    "{x}",
    "{0}",
    "%s",
    "</script>",
    "\u202eabc",
    "😀",
    "nan",
    "inf",
    "-0.0",
]
VALUES += [dt.datetime.fromisoformat("2018-01-01"), dt.time(1, 2), dt.timedelta(3), "flow", "unit"]


def mutate(book, chance):
    """Change a few cells, rows and columns at random."""
    for _ in range(chance.choice([1, 1, 2, 3, 6])):
        rows = book[chance.choice(list(book))]
        what = chance.random()
        if what < 0.8 and len(rows) > 1:
            row = chance.randrange(1 if chance.random() < 0.93 else 0, len(rows))
            other = rows[chance.randrange(len(rows))]
            value = chance.choice(other) if chance.random() < 0.4 else chance.choice(VALUES)
            rows[row][chance.randrange(len(rows[0]))] = value
        elif what < 0.87 and len(rows) > 1:
            rows.pop(chance.randrange(1, len(rows)))
        elif what < 0.95 and len(rows) > 1:
            rows.append(list(chance.choice(rows[1:])))
        elif len(rows[0]) > 1:
            column = chance.randrange(len(rows[0]))
            for row in rows:
                row.pop(column)
    return book


def run(book, lang):
    """Read, reconcile and render a book; return how far it came."""
    try:
        system = books.read(book)
        mfa.remarks(system)
        balance = mfa.reconcile(system)
        assert "</html>" in render([edition(balance, lang)])
    except mfa.WorkbookError:
        return "refused"
    except mfa.BalanceError:
        return "impossible"
    return "done"


@pytest.mark.parametrize("batch", range(2))
def test_random_mutations_end_in_a_result_or_an_error_of_mfa(batch):
    ends = []
    for seed in range(30):
        chance = random.Random(1000 * batch + seed)
        ends.append(run(mutate(copy.deepcopy(FULL), chance), chance.choice(["en", "ja"])))
    assert {"done", "refused"} <= set(ends)
