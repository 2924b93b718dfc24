"""``--json``: one answer of one shape, alone on standard output."""

from __future__ import annotations

import json

import pytest

from tests.system import books

from .test_inputs import CLASH, CONTRADICTION

KEYS = ["format", "command", "exit", "problems", "fit", "outputs"]
PROBLEM = ["file", "sheet", "cell", "severity", "what", "found", "do"]


def answer(desk, *words, code=0):
    """Return the answer of a command; nothing else may be printed."""
    given = desk.run(*words, "--json", code=code)
    assert given.err == ""

    def refuse(name):
        raise AssertionError(f"{name} is no JSON")

    data = json.loads(given.out, parse_constant=refuse)
    assert list(data) == KEYS
    assert (data["format"], data["command"], data["exit"]) == (1, words[0], code)
    for problem in data["problems"]:
        assert list(problem) == PROBLEM
        assert problem["severity"] in ("error", "warning")
        assert all(isinstance(problem[key], str) for key in PROBLEM if key != "found")
        assert problem["found"] is None or isinstance(problem["found"], str)
    assert all(isinstance(path, str) for path in data["outputs"])
    return data


@pytest.mark.parametrize(
    "words",
    [
        ("check", "book.xlsx"),
        ("balance", "book.xlsx"),
        ("sankey", "book.xlsx", "-o", "c.svg"),
        ("report", "book.xlsx"),
    ],
    ids=lambda words: words[0],
)
def test_a_good_workbook(desk, small, words):
    small()
    data = answer(desk, *words)
    assert data["problems"] == []
    outputs = {
        "check": [],
        "balance": ["book-results.xlsx"],
        "sankey": ["c.svg"],
        "report": ["reports/book/report.html"],
    }
    assert [path.replace("\\", "/") for path in data["outputs"]] == outputs[words[0]]
    if words[0] == "check":
        assert data["fit"] is None
    else:
        assert data["fit"]["chi2"] == pytest.approx(2.308823529411765, rel=1e-9)
        assert data["fit"]["dof"] == 2
        assert data["fit"]["p_value"] == pytest.approx(0.3152429193852115, rel=1e-9)


def test_the_fit_has_just_these_keys(desk, small):
    small()
    fit = answer(desk, "balance", "book.xlsx")["fit"]
    assert list(fit) == ["chi2", "dof", "p_value", "approximate"]
    assert fit["approximate"] is False


def test_nothing_to_test(desk):
    desk.book(books.flows_book({"to": "Market", "value": 5, "sd": 1}))
    fit = answer(desk, "balance", "book.xlsx")["fit"]
    assert (fit["dof"], fit["p_value"]) == (0, None)


def test_errors_in_the_input(desk):
    desk.book(books.put(books.SMALL, "flows!C2", "Smeltr"))
    data = answer(desk, "report", "book.xlsx", code=3)
    assert data["outputs"] == []
    problem = data["problems"][0]
    assert problem == {
        "file": "book.xlsx",
        "sheet": "flows",
        "cell": "C2",
        "severity": "error",
        "what": problem["what"],
        "found": "Smeltr",
        "do": "did you mean 'Smelter'?",
    }


def test_a_clash(desk):
    desk.book(CLASH)
    data = answer(desk, "balance", "book.xlsx", code=5)
    assert data["fit"] is None
    assert data["outputs"] == []
    error = next(problem for problem in data["problems"] if problem["severity"] == "error")
    assert (error["sheet"], error["cell"]) == ("flows", "E2")
    assert "flows!E3" in error["what"]


def test_a_contradiction(desk):
    desk.book(CONTRADICTION)
    data = answer(desk, "balance", "book.xlsx", "--strict", code=4)
    assert data["outputs"] == ["book-results.xlsx"]
    warning = data["problems"][-1]
    assert (warning["severity"], warning["cell"]) == ("warning", "E3")
    assert data["fit"]["p_value"] < 1e-9


def test_wrong_outputs(desk, small):
    small()
    data = answer(desk, "sankey", "book.xlsx", "-o", "chart.gif", code=2)
    assert ".svg" in data["problems"][0]["do"]
    data = answer(desk, "balance", "book.xlsx", "-o", "book.xlsx", code=2)
    assert data["problems"][0]["severity"] == "error"


def test_internal_errors(desk, small, monkeypatch):
    small()

    def fail(*_, **__):
        raise RuntimeError("odd")

    monkeypatch.setattr("mfa.reconcile", fail)
    data = answer(desk, "balance", "book.xlsx", code=1)
    assert "odd" in data["problems"][0]["what"]


def test_hostile_and_foreign_texts(desk):
    book = books.put(books.SMALL, "flows!C2", '銅"\\\n\u2028</script>🙂')
    desk.book(book, "日本 語.xlsx")
    problem = answer(desk, "check", "日本 語.xlsx", code=3)["problems"][0]
    assert problem["file"] == "日本 語.xlsx"
    assert problem["found"] == '銅"\\\n\u2028</script>🙂'
