"""Workbooks that can be read: values, places, faults, and the dialects of their XML."""

import datetime as dt
import hashlib
import shutil
import subprocess
import time

import openpyxl
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from mfa.io.xlsx import read_sheets, sha256_of
from mfa.io.xlsx_xml import NO_RESULT

NS = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"


def column(path, letter="A"):
    """Return rows 2, 3, … of one column of the first sheet."""
    sheet = next(iter(read_sheets(path).values()))
    return sheet.columns[ord(letter) - 65]


def cells(*contents):
    """Return rows 1, 2, … with one cell each in column A; contents follow ``<c r="A1"``."""
    return "".join(
        f'<row r="{i}"><c r="A{i}"{content}</c></row>' for i, content in enumerate(contents, 1)
    )


def save(path, *rows, **formats):
    book = openpyxl.Workbook()
    for row in rows:
        book.active.append(row)
    for cell, number_format in formats.items():
        book.active[cell].number_format = number_format
    book.save(path)
    return path


def test_leading_blank_rows_and_columns_keep_their_places(tmp_path):
    book = openpyxl.Workbook()
    book.active["C4"], book.active["E6"] = "copper", 3.5
    book.save(tmp_path / "book.xlsx")
    sheet = read_sheets(tmp_path / "book.xlsx")["Sheet"]
    assert sheet.headers == ("", "", "", "", "")
    assert sheet.columns[2] == [None, None, "copper", None, None]
    assert sheet.columns[4] == [None, None, None, None, 3.5]
    assert sheet.columns[0] == sheet.columns[1] == sheet.columns[3] == [None] * 5


def test_values_keep_their_types(tmp_path):
    day, moment = dt.date(2021, 3, 4), dt.datetime.fromisoformat("2021-03-04 05:06")
    path = save(
        tmp_path / "book.xlsx",
        ["h"],
        *[[v] for v in [12, 0.25, 0.25, True, False, day, moment, dt.time(7, 30), "１２３", 0]],
        A4="0.0%",
    )
    values = column(path)
    assert values[:5] == [12, 0.25, 0.25, True, False]
    assert [type(value) for value in values[3:5]] == [bool, bool]
    assert values[5:] == [day, moment, dt.time(7, 30), "１２３", 0]


def test_units_in_number_formats_make_no_dates(tmp_path):
    formats = ['0.0" kt/yr"', "0年", '[Red]-0.00" d"', "0.00E+00", "[$¥-411]#,##0", "#,##0_ "]
    path = tmp_path / "book.xlsx"
    marks = {f"A{i}": number_format for i, number_format in enumerate(formats, 2)}
    save(path, ["h"], *[[2018.5]] * len(formats), **marks)
    assert column(path) == [2018.5] * len(formats)


def test_dates_in_the_1904_system(write_sheets):
    path = write_sheets(
        {"s": cells(' t="str"><v>h</v>', ' s="1"><v>40000</v>')},
        styles='<cellXfs><xf numFmtId="0"/><xf numFmtId="14"/></cellXfs>',
        properties='<workbookPr date1904="true"/>',
    )
    assert column(path) == [dt.date(2013, 7, 7)]


def test_dates_as_text_in_strict_workbooks(write_parts, parts_of):
    parts = parts_of({"s": cells(' t="str"><v>h</v>', ' t="d"><v>2021-03-04</v>')})
    strict = "http://purl.oclc.org/ooxml/officeDocument/relationships"
    transitional = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
    parts = {name: content.replace(transitional, strict) for name, content in parts.items()}
    assert column(write_parts(parts)) == [dt.date(2021, 3, 4)]


def test_blanks_and_spaces_are_none_and_trimmed_at_the_end(tmp_path):
    book = openpyxl.Workbook()
    for row in [["a", "b", None, "　"], [" ", 1, None, None], [None, "\u3000 ", "\t", None]]:
        book.active.append(row)
    book.active["A9"].number_format = "0.0"
    book.active["H1"].number_format = "0.0"
    book.create_sheet("empty")
    book.save(tmp_path / "book.xlsx")
    sheets = read_sheets(tmp_path / "book.xlsx")
    assert sheets["Sheet"].headers == ("a", "b")
    assert sheets["Sheet"].columns == ([None], [1])
    assert (sheets["empty"].headers, sheets["empty"].columns) == ((), ())


def test_headers_are_text(tmp_path):
    save(tmp_path / "book.xlsx", ["flow", 2018, 0.5, True, None, " 値 "])
    sheet = read_sheets(tmp_path / "book.xlsx")["Sheet"]
    assert sheet.headers == ("flow", "2018", "0.5", "TRUE", "", " 値 ")
    assert sheet.columns == ([], [], [], [], [], [])


def test_shared_strings(write_sheets):
    strings = (
        '<si><t>銅</t><rPh sb="0" eb="1"><t>ドウ</t></rPh><phoneticPr fontId="1"/></si>'
        "<si><t/></si><si/><si><r><t>製</t></r><r><rPr><b/></rPr><t>錬</t></r>"
        '<rPh sb="0" eb="2"><t>セイレン</t></rPh></si><si><t>a_x000D_b&amp;c</t></si>'
    )
    uses = [f' t="s"><v>{i}</v>' for i in (0, 0, 1, 2, 3, 4)]
    path = write_sheets({"s": cells(*uses)}, strings=strings)
    sheet = read_sheets(path)["s"]
    assert sheet.headers == ("銅",)
    assert sheet.columns == (["銅", None, None, "製錬", "a\rb&c"],)


def test_of_merged_cells_only_the_first_has_the_value(tmp_path):
    book = openpyxl.Workbook()
    for row in [["a", "b"], [1, 2], [3, 4]]:
        book.active.append(row)
    book.active.merge_cells("A2:A3")
    book.save(tmp_path / "book.xlsx")
    assert read_sheets(tmp_path / "book.xlsx")["Sheet"].columns == ([1, None], [2, 4])


def test_all_17_digits_of_a_number_count(write_sheets):
    numbers = [0.1 + 0.2, 1 / 3, 1e-310, 1.7976931348623157e308, -(2.0**70) / 3, 5e-324]
    contents = [f"><v>{number!r}</v>" for number in numbers]
    assert column(write_sheets({"s": cells(' t="str"><v>h</v>', *contents)})) == numbers


def test_sheets_come_in_order_with_hidden_but_without_charts(tmp_path):
    book = openpyxl.Workbook()
    book.active.title = "flows & 銅"
    book.create_chartsheet("chart")
    book.create_sheet("b").sheet_state = "hidden"
    book.create_sheet("a").sheet_state = "veryHidden"
    book["b"]["A1"], book["a"]["A1"] = "second", "third"
    book.save(tmp_path / "book.xlsm")
    sheets = read_sheets(str(tmp_path / "book.xlsm"))
    assert list(sheets) == ["flows & 銅", "b", "a"]
    assert [sheet.name for sheet in sheets.values()] == list(sheets)
    assert (sheets["b"].headers, sheets["a"].headers) == (("second",), ("third",))


def test_names_that_differ_in_case_are_two_sheets(write_sheets):
    sheets = read_sheets(write_sheets({"s": cells("><v>1</v>"), "S": cells("><v>2</v>")}))
    assert {name: sheet.headers for name, sheet in sheets.items()} == {"s": ("1",), "S": ("2",)}


@pytest.mark.parametrize(
    ("cell", "fault"),
    [
        (' t="e"><v>#N/A</v>', "#N/A"),
        (' s="3" t="e"><f>1/0</f><v>#DIV/0!</v>', "#DIV/0!"),
        (' t="e" cm="1" vm="2"><f t="array" ref="A2">B1:B9</f><v>#SPILL!</v>', "#SPILL!"),
        (' t="e"><v> #REF! </v>', "#REF!"),
        (' t="e"><v>Err:502</v>', "Err:502"),
        ("><f>1+1</f>", NO_RESULT),
        ("><f>1+1</f><v/>", NO_RESULT),
        ("><f>1+1</f><v />", NO_RESULT),
        ("><f>1+1</f><v></v>", NO_RESULT),
        ('><f t="shared" si="0"/>', NO_RESULT),
        ('><f t="shared" si="0"/><v></v>', NO_RESULT),
        ('><f t="shared" ref="A2:A9" si="0">B1&lt;C1</f>\n <v></v>\n', NO_RESULT),
        ("><f/>", NO_RESULT),
        (' t="str"><f>A1</f>', NO_RESULT),
        (' t="b"><f>A1</f><v></v>', NO_RESULT),
        (' t="str"><f>IF(A1="","",A1)</f><v></v>', None),
        (' t="str"><f aca="false">""</f><v/>', None),
        (' t="str"><v>#N/A</v>', None),
        (' t="str"><f>"#"&amp;"N/A"</f><v>#N/A</v>', None),
        ("><f>1-1</f><v>0</v>", None),
        ('><f t="shared" si="0"/><v>7</v>', None),
        (' t="e"', None),
        (' s="1"><v></v>', None),
    ],
)
def test_faults(write_sheets, cell, fault):
    cell = cell if ">" in cell else cell + ">"
    path = write_sheets({"s": cells(' t="str"><v>h</v>', cell, "><v>7</v>", "><f>A3</f><v>8</v>")})
    sheet = read_sheets(path)["s"]
    assert sheet.faults == ({} if fault is None else {(0, 0): fault})
    assert sheet.columns[0][1:] == [7, 8]
    assert fault is None or sheet.columns[0][0] is None


def test_faults_count_as_content_at_the_edges(write_sheets):
    rows = (
        '<row r="1"><c r="A1" t="str"><v>h</v></c></row><row r="2"><c r="A2"><v>1</v></c></row>'
        '<row r="4"><c r="AB4" t="e"><v>#N/A</v></c></row><row r="6"><c r="B6"><f>1</f></c></row>'
    )
    sheet = read_sheets(write_sheets({"s": rows}))["s"]
    assert sheet.faults == {(2, 27): "#N/A", (4, 1): NO_RESULT}
    assert len(sheet.headers) == len(sheet.columns) == 28
    assert {len(values) for values in sheet.columns} == {5}
    assert sheet.columns[0] == [1, None, None, None, None]


def test_a_fault_in_row_1_stands_as_the_header(write_sheets):
    rows = (
        '<row r="1"><c r="A1" t="e"><v>#REF!</v></c><c r="B1"><f>A9</f></c></row>'
        '<row r="2"><c r="A2"><v>1</v></c></row>'
    )
    sheet = read_sheets(write_sheets({"s": rows}))["s"]
    assert sheet.headers == ("#REF!", NO_RESULT)
    assert (sheet.columns, sheet.faults) == (([1], [None]), {})


def test_formulas_written_by_openpyxl_have_no_result(tmp_path):
    save(tmp_path / "book.xlsx", ["a", "b"], [1, "=A2*2"], ["=SUM(A2:B2)", 5], ["#N/A", "x"])
    sheet = read_sheets(tmp_path / "book.xlsx")["Sheet"]
    assert sheet.faults == {(0, 1): NO_RESULT, (1, 0): NO_RESULT, (2, 0): "#N/A"}
    assert sheet.columns == ([1, None, None], [None, 5, "x"])


def test_a_zero_that_waits_for_calculation_is_no_result(write_sheets):
    # XlsxWriter stores 0 for every formula and asks Excel to calculate on loading.
    contents = [' t="str"><v>h</v>', "><f>9</f><v>0</v>", "><f>9</f><v>4</v>", "><v>0</v>"]
    contents.append(' t="b"><f>FALSE</f><v>0</v>')
    path = write_sheets({"s": cells(*contents)}, properties='<calcPr fullCalcOnLoad="1"/>')
    sheet = read_sheets(path)["s"]
    assert sheet.faults == {(0, 0): NO_RESULT}
    assert sheet.columns == ([None, 4, 0, False],)


PLAIN = '<row r="1"><c r="A1" t="str"><v>h</v></c></row><row r="3"><c r="B3" t="e"><v>#N/A</v></c>'
PLAIN += '<c r="C3"><v>4</v></c><c r="D3"><f>1</f></c></row>'
PREFIXED = PLAIN.replace("</", "</x:").replace("<r", "<x:r").replace("<c", "<x:c")
PREFIXED = PREFIXED.replace("<v", "<x:v").replace("<f", "<x:f")
WHOLE = f'<worksheet xmlns="{NS}"><sheetData>{PLAIN}</sheetData></worksheet>'


@pytest.mark.parametrize(
    "sheet",
    [
        PLAIN,
        "\ufeff" + WHOLE,
        PLAIN.replace('"', "'"),
        PLAIN.replace('r="', 'r = "').replace('t="', 't\n= "'),
        PLAIN.replace('r="B3" t="e"', 't="e" s="0"  r="B3"'),
        PLAIN.replace('r="B3"', 'r="b3"'),
        PLAIN.replace('"B3"', '"B3"  ').replace('r="C3"', ""),
        PLAIN.replace('<row r="1">', "<row>").replace('r="A1"', "").replace('r="D3"', 's="0"'),
        PLAIN.replace("<v>4</v>", "<!-- <v>5</v> --><v>4</v><!-- > -->"),
        PLAIN.replace("<v>h</v>", "<v><![CDATA[h]]></v>"),
        WHOLE.encode("utf-16"),
        f'<?xml version="1.0" encoding="UTF-16"?>{WHOLE}'.encode("utf-16-be"),
        f'<?xml version="1.0" encoding="iso-8859-1"?>{WHOLE}'.encode("latin-1"),
        f'<x:worksheet xmlns:x="{NS}"><x:sheetData>{PREFIXED}</x:sheetData></x:worksheet>',
        f'<worksheet xmlns:x="{NS}">\n<x:sheetData>{PREFIXED}</x:sheetData></worksheet>',
    ],
)
def test_dialects_of_a_sheet(write_sheets, sheet):
    raw = read_sheets(write_sheets({"s": sheet}))["s"]
    assert raw.headers == ("h", "", "", "")
    assert raw.columns == ([None, None], [None, None], [None, 4], [None, None])
    assert raw.faults == {(1, 1): "#N/A", (1, 3): NO_RESULT}


def test_other_names_of_parts_and_prefixes(write_parts, parts_of):
    parts = parts_of({"s": cells(' t="s"><v>0</v>', ' t="s"><v>1</v>')}, strings="<si><t/></si>")
    parts["_rels/.rels"] = parts["_rels/.rels"].replace("xl/workbook", "/Data%20A/book")
    links = parts.pop("xl/_rels/workbook.xml.rels").replace("sharedStrings.xml", "../S.xml")
    parts["data a/_rels/book.xml.rels"] = links.replace("worksheets/", "/deep/er/")
    book = parts.pop("xl/workbook.xml").replace("r:id", "q:id").replace("xmlns:r", "xmlns:q")
    parts["data a\\BOOK.xml"] = book
    parts["deep/er/s0.xml"] = parts.pop("xl/worksheets/s0.xml")
    parts["S.xml"] = (
        "<x:sst><x:si><x:t><![CDATA[<1>]]></x:t></x:si><x:si><x:t>2</x:t></x:si></x:sst>"
    )
    sheet = read_sheets(write_parts(parts))["s"]
    assert (sheet.headers, sheet.columns) == (("<1>",), (["2"],))


def test_libreoffice(tmp_path):
    soffice = shutil.which("soffice")
    if soffice is None:
        pytest.skip("LibreOffice (soffice) is not installed")
    rows = [["a", "b", "c"], [1.5, "=A2*2", "銅"], ["=1/0", '=IF(A2>1,"","x")', True]]
    save(tmp_path / "in.xlsx", *rows, [dt.date(2020, 5, 6), 0.125, None], B4="0.0%")
    profile = f"-env:UserInstallation={(tmp_path / 'profile').as_uri()}"
    command = [soffice, profile, "--headless", "--convert-to", "xlsx", "--outdir"]
    files = [tmp_path / "out", tmp_path / "in.xlsx"]
    run = subprocess.run([*command, *files], capture_output=True, check=False, timeout=120)
    if not (tmp_path / "out" / "in.xlsx").exists():
        pytest.skip(f"LibreOffice did not convert: {run.stderr.decode(errors='replace')[:200]}")
    sheet = read_sheets(tmp_path / "out" / "in.xlsx")["Sheet"]
    assert sheet.faults == {(1, 0): "#DIV/0!"}
    assert sheet.columns[0] == [1.5, None, dt.date(2020, 5, 6)]
    assert sheet.columns[1:] == ([3, None, 0.125], ["銅", True, None])


def test_the_file_is_not_touched(tmp_path):
    path = save(tmp_path / "book.xlsx", ["a"], [1])
    before, times = path.read_bytes(), path.stat()
    time.sleep(0.01)
    path.chmod(0o444)
    read_sheets(path)
    assert path.read_bytes() == before
    assert path.stat().st_mtime_ns == times.st_mtime_ns
    assert sha256_of(path) == hashlib.sha256(before).hexdigest()
    assert list(tmp_path.iterdir()) == [path]
    path.chmod(0o644)
    path.unlink()  # on Windows this fails while the file is open


TEXT = st.text(st.characters(codec="utf-8", exclude_categories=["Cc", "Cs", "Cn"]), max_size=6)
VALUES = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(-(2**53), 2**53),
    st.floats(-1e300, 1e300).map(lambda x: float(f"{x:.16g}")),  # openpyxl writes 16 digits
    TEXT.filter(lambda text: not text.startswith(("=", "#")) and "_x" not in text),
)
GRIDS = st.integers(1, 6).flatmap(
    lambda width: st.lists(st.lists(VALUES, min_size=width, max_size=width), max_size=8)
)


def obvious(grid, top, left):
    """Return the columns as they must be, in the plainest way."""
    width = len(grid[0]) if grid else 0
    rows = [[None] * (left + width)] * top + [[None] * left + row for row in grid]
    rows = [[None if isinstance(v, str) and not v.strip() else v for v in row] for row in rows]
    while rows and all(value is None for value in rows[-1]):
        rows.pop()
    while rows and rows[0] and all(row[-1] is None for row in rows):
        rows = [row[:-1] for row in rows]
    return [tuple(row[j] for row in rows) for j in range(len(rows[0]) if rows else 0)]


@settings(deadline=None, max_examples=60, suppress_health_check=[HealthCheck.too_slow])
@given(grid=GRIDS, top=st.integers(0, 3), left=st.integers(0, 28))
def test_round_trip(tmp_path_factory, grid, top, left):
    book = openpyxl.Workbook()
    for i, row in enumerate(grid):
        for j, value in enumerate(row):
            book.active.cell(2 + top + i, 1 + left + j).value = value
    path = tmp_path_factory.mktemp("grid") / "book.xlsx"
    book.save(path)
    sheet = read_sheets(path)["Sheet"]
    expected = obvious(grid, top, left)
    assert [tuple(values) for values in sheet.columns] == expected
    assert [[type(v) is bool for v in values] for values in sheet.columns] == [
        [type(v) is bool for v in values] for values in expected
    ]
    assert sheet.headers == ("",) * len(expected)
