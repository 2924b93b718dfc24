"""The template: what people see, what they can choose, and that programs open it."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import openpyxl
import pytest

import mfa
from mfa.io.drop_downs import fixed_lists
from mfa.io.instructions import TITLE
from mfa.io.xlsx import read_sheets
from mfa.schema import LISTS, RECEIVERS, ROLES, SENDERS, SETTINGS, SHEETS, STAGES, fold
from mfa.system import RawSheet

LANGS = ("en", "ja")
CORE = ("system", "processes", "flows", "stocks", "coefficients", "compositions", "observations")
EXAMPLE = "copper-japan"


@pytest.fixture(scope="module")
def folder(tmp_path_factory) -> Path:
    """Return a folder with templates, blank and filled, in both languages."""
    out = tmp_path_factory.mktemp("templates")
    for lang in LANGS:
        mfa.write_template(out / f"blank-{lang}.xlsx", lang=lang)
        mfa.write_template(out / f"case-{lang}.xlsx", example=EXAMPLE, lang=lang)
    return out


def name_of(sheet: str, lang: str) -> str:
    spec = next(spec for spec in SHEETS if spec.name == sheet)
    return spec.ja if lang == "ja" else spec.name


@pytest.mark.parametrize("lang", LANGS)
def test_a_blank_template_is_read_and_says_that_it_is_blank(folder, lang):
    system = mfa.read_workbook(folder / f"blank-{lang}.xlsx")
    assert len(system.flows) == len(system.processes) == len(system.data) == 0
    assert (system.unit, system.substances, system.years) == ("kt/yr", ("Cu",), ())
    (problem,) = system.problems
    assert problem.severity == "warning"
    assert "nothing is filled in yet" in problem.what
    assert mfa.remarks(system) == ()
    with pytest.raises(mfa.SystemDefinitionError, match="no flows to reconcile; fill in"):
        mfa.reconcile(system)


@pytest.mark.parametrize("lang", LANGS)
def test_sheets_and_headers_are_those_of_the_format(folder, lang):
    book = openpyxl.load_workbook(folder / f"blank-{lang}.xlsx")
    names = [name_of(spec.name, lang) for spec in SHEETS]
    assert book.sheetnames == [TITLE[lang], *names, LISTS[lang]]
    for spec in SHEETS:
        sheet = book[name_of(spec.name, lang)]
        wanted = [column.ja if lang == "ja" else column.name for column in spec.columns]
        assert [cell.value for cell in sheet[1]] == wanted
        assert sheet.freeze_panes in ("A2", "B2")
        for cell, column in zip(sheet[1], spec.columns, strict=True):
            assert (column.help_ja if lang == "ja" else column.help) in cell.comment.text
        hidden = spec.name not in CORE
        assert sheet.sheet_state == ("hidden" if hidden else "visible"), spec.name
    assert book[LISTS[lang]].sheet_state == "hidden"
    assert book.active.title == TITLE[lang]


@pytest.mark.parametrize("lang", LANGS)
def test_every_key_of_the_system_stands_there_with_its_help(folder, lang):
    rows = list(openpyxl.load_workbook(folder / f"blank-{lang}.xlsx")[name_of("system", lang)])
    assert [row[0].value for row in rows[1:]] == list(SETTINGS)
    assert all(row[2].value for row in rows[1:])
    given = {row[0].value: row[1].value for row in rows[1:] if row[1].value is not None}
    assert given == {"format": 1, "unit": "kt/yr", "substances": "Cu"}


def rules(sheet) -> dict[str, openpyxl.worksheet.datavalidation.DataValidation]:
    """Return the rules of a sheet by the header of their column."""
    out = {}
    for rule in sheet.data_validations.dataValidation:
        (area,) = rule.sqref.ranges
        if area.size["rows"] > 1:
            assert (area.min_row, area.max_row) == (2, 2**20)
        out[sheet.cell(1, area.min_col).value] = rule
    return out


def test_drop_downs(folder):
    book = openpyxl.load_workbook(folder / "blank-en.xlsx")
    flows, processes = rules(book["flows"]), rules(book["processes"])
    assert flows["from"].formula1 == flows["to"].formula1 == "mfa_processes"
    assert flows["substance"].formula1 == "mfa_substances"
    assert flows["unit"].formula1 == rules(book["system"])["value"].formula1 == "mfa_rates"
    assert flows["role"].formula1 == "mfa_flows_role"
    assert not flows["role"].showErrorMessage  # several roles are allowed
    assert flows["from"].errorStyle == "warning"  # a process may be written down later
    assert (flows["basis"].showErrorMessage, flows["basis"].errorStyle) == (True, "stop")
    assert flows["value"].type == "decimal"
    assert flows["year"].type == "whole"
    assert processes["kind"].formula1 == "mfa_processes_kind"
    assert processes["stock"].formula1 == "mfa_yes_no"
    assert rules(book["stocks"])["process"].formula1 == "mfa_processes"
    assert rules(book["observations"])["flow"].formula1 == "mfa_flows"
    assert rules(book["compositions"])["unit"].formula1 == "mfa_shares"


@pytest.mark.parametrize("name", ["blank-en", "blank-ja", "case-en", "case-ja"])
def test_every_drop_down_has_its_list_and_excel_can_hold_it(folder, name):
    book = openpyxl.load_workbook(folder / f"{name}.xlsx")
    used = set()
    for sheet in book:
        for rule in sheet.data_validations.dataValidation:
            if rule.type == "list":
                used.add(rule.formula1)
            assert len(rule.error or "") <= 225
    assert used <= set(book.defined_names)
    for defined in book.defined_names.values():
        assert len(defined.attr_text) < 8192
        place = defined.attr_text.split("!")[0].strip("'")
        assert place in book.sheetnames
    for row in book[LISTS[name[-2:]]].rows:
        for cell in row:
            if cell.data_type == "f":
                assert len(cell.value) < 8192
                assert cell.value.count("(") < 64


def test_fixed_lists_are_the_words_that_are_read():
    lists = fixed_lists()
    assert lists["processes_stage"] == STAGES
    assert lists["flows_role"] == ROLES
    assert set(lists["processes_kind"]) == {"process", *SENDERS, *RECEIVERS}
    assert "kt/yr" in lists["rates"]
    assert "%" in lists["shares"]


@pytest.mark.parametrize("lang", LANGS)
def test_the_page_explains_every_sheet_and_word(folder, lang):
    page = openpyxl.load_workbook(folder / f"blank-{lang}.xlsx")[TITLE[lang]]
    said = {str(cell.value) for row in page.rows for cell in row}
    assert {name_of(spec.name, lang) for spec in SHEETS} <= said
    assert {*STAGES, *ROLES, "statistic", "estimate", "assumption", "sink"} <= said
    assert not any(text.startswith("@") for text in said)


@pytest.mark.parametrize("lang", LANGS)
def test_the_example_on_the_page_is_a_system(folder, lang, tmp_path):
    """What the page shows can be typed in as it stands."""
    rows = read_sheets(folder / f"blank-{lang}.xlsx")[TITLE[lang]].columns
    lines = [list(row) for row in zip(*rows, strict=True)]
    book = openpyxl.load_workbook(folder / f"blank-{lang}.xlsx")
    for name, last in (("processes", 4), ("flows", 6)):
        sheet = book[name_of(name, lang)]
        headers = [cell.value for cell in sheet[1]]
        start = next(i for i, row in enumerate(lines) if row[0] == name_of(name, lang) and i > 8)
        for number, row in enumerate(lines[start + 2 :]):
            if row[1] is None:
                break
            for header, cell in zip(lines[start + 1][:last], row, strict=False):
                sheet.cell(number + 2, headers.index(header) + 1).value = cell
    book.save(tmp_path / "book.xlsx")
    system = mfa.read_workbook(tmp_path / "book.xlsx")
    assert not system.problems
    balance = mfa.reconcile(system)
    assert balance.flows["status"].tolist() == ["measured", "measured", "calculated", "measured"]


@pytest.mark.parametrize("lang", LANGS)
def test_an_example_is_the_case_itself(folder, lang):
    case = mfa.read_tables(Path(__file__).parents[2] / "flows" / EXAMPLE)
    system = mfa.read_workbook(folder / f"case-{lang}.xlsx")
    assert system.settings == case.settings
    assert not system.problems
    for name in ("processes", "flows", "stocks", "observations", "data"):
        one, two = getattr(system, name), getattr(case, name)
        columns = [column for column in two.columns if column != "cell"]
        assert one[columns].equals(two[columns]), name


@pytest.mark.parametrize("case", mfa.cases())
def test_every_case_can_be_an_example(case, tmp_path):
    path = tmp_path / "book.xlsx"
    mfa.write_template(path, example=case, lang="ja")
    assert not mfa.read_workbook(path).problems


def test_unknown_examples_and_languages(tmp_path):
    with pytest.raises(mfa.MFAError, match="did you mean 'copper-japan'"):
        mfa.write_template(tmp_path / "x.xlsx", example="copper-jpan")
    with pytest.raises(mfa.MFAError, match=r"there are .*copper-japan"):
        mfa.write_template(tmp_path / "x.xlsx", example="zzz")
    with pytest.raises(mfa.MFAError, match="'en' or 'ja'"):
        mfa.write_template(tmp_path / "x.xlsx", lang="fr")  # type: ignore[arg-type]
    assert not list(tmp_path.iterdir())


def test_lists_are_neither_read_nor_passed_on(folder, tmp_path):
    system = mfa.read_workbook(folder / "case-ja.xlsx")
    assert not {fold(name) for name in system.sheets} & set(map(fold, LISTS.values()))
    mfa.convert(folder / "case-ja.xlsx", tmp_path / "twin")
    assert "リスト.csv" not in {path.name for path in (tmp_path / "twin").iterdir()}


def test_a_sheet_of_the_users_called_lists_is_kept(folder, tmp_path):
    book = openpyxl.load_workbook(folder / "case-en.xlsx")
    del book["lists"]
    book.create_sheet("Lists").append(["mine", 1])
    book.save(tmp_path / "book.xlsx")
    system = mfa.read_workbook(tmp_path / "book.xlsx")
    assert system.sheets["Lists"].head == ("mine", 1.0)


@pytest.fixture(scope="module")
def opened(folder, tmp_path_factory) -> Path:
    """Return a folder with the templates as LibreOffice saves them.

    They get a sheet that counts what the drop-downs offer.
    """
    program = shutil.which("soffice")
    if program is None:
        pytest.skip("LibreOffice (soffice) is not installed")
    given, out = (tmp_path_factory.mktemp(name) for name in ("given", "opened"))
    for path in folder.iterdir():
        book = openpyxl.load_workbook(path)
        probe = book.create_sheet("probe")
        probe.append(["processes", "substances", "flows", "kinds"])
        names = ("processes", "substances", "flows", "processes_kind")
        probe.append([f"=COUNTA(mfa_{name})" for name in names])
        sheet = book[name_of("system", path.stem[-2:])]
        for row in sheet.rows:
            if row[0].value == "substances":
                row[1].value = "Cu, Au、Ag"
        book.save(given / path.name)
    profile = f"-env:UserInstallation={tmp_path_factory.mktemp('profile').as_uri()}"
    files = [str(path) for path in sorted(given.iterdir())]
    run = subprocess.run(
        [program, profile, "--headless", "--convert-to", "xlsx", "--outdir", str(out), *files],
        capture_output=True,
        check=False,
        timeout=120,
    )
    if len(list(out.iterdir())) < len(files):
        pytest.skip(f"LibreOffice did not convert: {run.stderr.decode(errors='replace')[:200]}")
    return out


def without_blanks(raw: RawSheet) -> list[list[object]]:
    return [list(raw.headers), *raw.columns]


@pytest.mark.parametrize("name", ["blank-en", "blank-ja", "case-en", "case-ja"])
def test_libreoffice_keeps_every_cell(folder, opened, name):
    given, back = (read_sheets(path / f"{name}.xlsx") for path in (folder, opened))
    for sheet, raw in given.items():
        if sheet in (*LISTS.values(), "system", "システム"):
            continue
        assert without_blanks(back[sheet]) == without_blanks(raw), sheet


@pytest.mark.parametrize("name", ["blank-en", "blank-ja", "case-en", "case-ja"])
def test_libreoffice_keeps_drop_downs_and_help(folder, opened, name):
    # Frozen panes belong to a view, which a conversion without a window does not have.
    given, back = (openpyxl.load_workbook(path / f"{name}.xlsx") for path in (folder, opened))
    for spec in SHEETS:
        old, new = (book[name_of(spec.name, name[-2:])] for book in (given, back))
        assert new["A1"].comment is not None
        assert {r.formula1 for r in new.data_validations.dataValidation if r.type == "list"} == {
            r.formula1 for r in old.data_validations.dataValidation if r.type == "list"
        }
    assert set(given.defined_names) <= set(back.defined_names)


@pytest.mark.parametrize("name", ["blank-en", "blank-ja", "case-en", "case-ja"])
def test_lists_grow_with_the_data(opened, name):
    probe = read_sheets(opened / f"{name}.xlsx")["probe"]
    counts = {
        header: column[0] for header, column in zip(probe.headers, probe.columns, strict=True)
    }
    system = mfa.read_workbook(opened / f"{name}.xlsx")
    assert counts["kinds"] == 5
    assert counts["substances"] == 4  # goods, Cu, Au, Ag
    if len(system.flows):
        assert counts["processes"] == len(system.processes)
        assert counts["flows"] == len(system.data)
    lists = read_sheets(opened / f"{name}.xlsx")[LISTS[name[-2:]]]
    words = lists.columns[lists.headers.index("substances")]
    assert [word for word in words if word] == ["goods", "Cu", "Au", "Ag"]
