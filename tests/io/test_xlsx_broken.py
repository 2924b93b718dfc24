"""Files that cannot be read: each kind ends in a WorkbookError that says what to do."""

import io
import struct
import zipfile
import zlib
from contextlib import suppress

import openpyxl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mfa.errors import WorkbookError
from mfa.io import xlsx, xlsx_package, xlsx_xml
from mfa.io.xlsx import read_sheets

ROW = '<row r="1"><c r="A1"><v>1</v></c></row>'
NEAR = '<row r="1"><c r="A1"><v>1</v></c><c r="B1"><v>1</v></c></row>' + ROW.replace("A1", "A7")
FAR_CELL = ROW.replace("1", "1048576").replace("A", "XFD")


def problems_of(path):
    with pytest.raises(WorkbookError) as caught:
        read_sheets(path)
    assert caught.value.__cause__ is None
    assert caught.value.__suppress_context__
    for problem in caught.value.problems:
        assert problem.file == path.name
        assert problem.what
        assert problem.do
    return caught.value.problems


def problem_of(path):
    (problem,) = problems_of(path)
    return problem


def ole(*names, directory_at=1):
    """Return a compound file whose directory has these entries, four to a sector."""
    sectors = -(-len(names) // 4)
    chain = [*range(directory_at + 1, directory_at + sectors), 0xFFFFFFFE]
    table = [0xFFFFFFFD] + [0xFFFFFFFF] * (directory_at - 1) + chain
    table += [0xFFFFFFFF] * (128 - len(table))
    head = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(16)
    head += struct.pack("<HHHHH", 0x3E, 3, 0xFFFE, 9, 6) + bytes(10)
    head += struct.pack("<IIIIIIII", 1, directory_at, 0, 4096, 0xFFFFFFFE, 0, 0xFFFFFFFE, 0)
    head += struct.pack("<109I", 0, *[0xFFFFFFFF] * 108)
    entries = b""
    for name in names:
        text = name.encode("utf-16-le")
        entries += text.ljust(64, b"\0") + struct.pack("<H", len(text) + 2) + bytes(62)
    filler = "EncryptedPackage".encode("utf-16-le").ljust(512, b"\0")
    body = struct.pack("<128I", *table) + filler * (directory_at - 1)
    return head + body + entries.ljust(sectors * 512, b"\0")


def zipped(parts):
    target = io.BytesIO()
    with zipfile.ZipFile(target, "w") as archive:
        for name, content in parts.items():
            archive.writestr(name, content)
    return target.getvalue()


def office(target, root):
    kind = "http://schemas.openxmlformats.org/officeDocument/2006/relationships/officeDocument"
    links = f'<Relationships><Relationship Id="a" Type="{kind}" Target="{target}"/></Relationships>'
    return zipped({"_rels/.rels": links, target: f"<w:{root} xmlns:w='w'/>"})


PASSWORD = "protected with a password"
OLD = "Excel workbook of the old kind (.xls)"
NO = "is not an Excel workbook"
ODS = "application/vnd.oasis.opendocument.spreadsheet"


@pytest.mark.parametrize(
    ("content", "what", "found", "do"),
    [
        (b"", "empty (0 bytes)", None, "backup"),
        (b"Copper flows of the world\n", NO, "a text file", ".xlsx"),
        (b"flow,from,to\nf1,a,b\n", "text table (CSV)", None, "mfa.read_tables"),
        ("フロー\t起点\n".encode("utf-16"), "text table (CSV)", None, "mfa convert"),
        ("フロー,起点\n".encode("cp932"), "text table (CSV)", None, "mfa convert"),
        (b"\n<html><table><tr>", NO, "a web page or XML file", "save it as"),
        (b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR", NO, "a picture (PNG)", ".xlsx"),
        (b"%PDF-1.7\n", NO, "a PDF document", ".xlsx"),
        (bytes(range(256)), NO, "unknown binary data", ".xlsx"),
        (ole("Root Entry", "EncryptionInfo", "EncryptedPackage"), PASSWORD, None, "File > Info"),
        (ole("Root Entry", *"abcdefg", "EncryptedPackage"), PASSWORD, None, "File > Info"),
        (ole("Root Entry", "Workbook", directory_at=3), OLD, None, "save it as"),
        (ole("Root Entry", "Book"), OLD, None, "save it as"),
        (ole("Root Entry", "WordDocument"), NO, "a Word document", "save it as"),
        (ole("Root Entry", "x")[:600], NO, "an old or damaged Office file", "save it as"),
        (zipped({"mimetype": ODS}), "OpenDocument spreadsheet (.ods)", None, "save it as"),
        (
            zipped({"mimetype": ODS[:-11] + "text"}),
            NO,
            "an OpenDocument or EPUB file",
            "save it as",
        ),
        (zipped({"Index/Document.iwa": "x"}), "Apple Numbers", None, "Export To > Excel"),
        (zipped({"readme": "x"}), NO, "a zip archive", ".xlsx"),
        (zipped({"flows.xlsx": "x"}), "a zip archive", None, "'flows.xlsx'"),
        (office("word/document.xml", "document"), NO, "a Word document", ".xlsx"),
        (office("ppt/presentation.xml", "presentation"), NO, "a PowerPoint presentation", ".xlsx"),
        (office("xl/workbook.bin", "x"), "binary Excel workbook (.xlsb)", None, "save it as"),
        (b"PK\3\4" + bytes(500), "cut off or damaged", None, "copy or download"),
        (zipped({}), NO, "a zip archive", ".xlsx"),
    ],
)
@pytest.mark.parametrize("suffix", [".xlsx", ".xls"])
def test_other_kinds_of_file(tmp_path, content, what, found, do, suffix):
    path = tmp_path / f"book{suffix}"
    path.write_bytes(content)
    problem = problem_of(path)
    assert what in problem.what
    assert problem.found == found
    assert do in problem.do


def test_missing_file_offers_the_closest_name(tmp_path):
    openpyxl.Workbook().save(tmp_path / "copper.xlsx")
    problem = problem_of(tmp_path / "coper.xlsx")
    assert (problem.what, problem.do) == ("the file does not exist", "did you mean 'copper.xlsx'?")
    assert "check the name" in problem_of(tmp_path / "neodymium.xlsx").do
    assert "no folder" in problem_of(tmp_path / "nowhere" / "copper.xlsx").do


def test_folder_and_lock_file(tmp_path):
    assert "mfa.read_tables" in problem_of(tmp_path).do
    lock = tmp_path / "~$copper.xlsx"
    lock.write_bytes(bytes(165))
    assert "'copper.xlsx'" in problem_of(lock).do


def test_no_permission(tmp_path, monkeypatch):
    path = tmp_path / "book.xlsx"
    openpyxl.Workbook().save(path)

    def refuse(*_):
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(type(path), "read_bytes", refuse)
    problem = problem_of(path)
    assert (problem.what, problem.found) == ("the file cannot be read", "Permission denied")


def test_the_suffix_does_not_matter(tmp_path):
    openpyxl.Workbook().save(tmp_path / "book.xlsx")
    path = (tmp_path / "book.xlsx").rename(tmp_path / "book.csv")
    assert list(read_sheets(path)) == ["Sheet"]


def test_too_large_a_file(tmp_path, monkeypatch):
    openpyxl.Workbook().save(tmp_path / "book.xlsx")
    monkeypatch.setattr(xlsx, "MAX_FILE", 1000)
    assert "larger than" in problem_of(tmp_path / "book.xlsx").what


def test_cut_off_and_altered_files(tmp_path, write_sheets):
    content = bytearray(write_sheets({"s": ROW * 50}).read_bytes())
    path = tmp_path / "cut.xlsx"
    path.write_bytes(content[: len(content) // 2])
    assert "cut off or damaged" in problem_of(path).what
    at = content.index(b"s0.xml") + 20
    content[at] ^= 0xFF
    path.write_bytes(content)
    problem = problem_of(path)
    assert (problem.sheet, "'xl/worksheets/s0.xml'" in problem.what) == ("s", True)


@pytest.mark.parametrize("part", ["xl/_rels/workbook.xml.rels", "xl/worksheets/s0.xml"])
def test_missing_part(write_parts, parts_of, part):
    parts = parts_of({"s": ROW})
    del parts[part]
    assert f"{part!r} is missing" in problem_of(write_parts(parts)).what


def test_sheet_without_a_part(write_parts, parts_of):
    parts = parts_of({"s": ROW})
    parts["xl/workbook.xml"] = parts["xl/workbook.xml"].replace('r:id="r0"', "")
    assert "missing" in problem_of(write_parts(parts)).what


@pytest.mark.filterwarnings("ignore:Duplicate name")
def test_two_parts_of_one_name(write_parts, parts_of):
    path = write_parts(parts_of({"s": ROW}))
    with zipfile.ZipFile(path, "a") as archive:
        archive.writestr("XL\\workbook.xml", "<workbook/>")
    assert "two parts of one name" in problem_of(path).what


@pytest.mark.parametrize(
    ("method", "flag", "what"), [(8, 1, "a zip with a password"), (12, 0, "does not use")]
)
def test_unusual_packing(write_sheets, method, flag, what):
    path = write_sheets({"s": ROW})
    content = bytearray(path.read_bytes())
    entry = content.rindex(b"PK\1\2", 0, content.rindex(b"xl/worksheets/s0.xml"))
    struct.pack_into("<HH", content, entry + 8, flag, method)
    path.write_bytes(content)
    assert what in problem_of(path).what


def test_two_sheets_of_one_name(write_parts, parts_of):
    parts = parts_of({"s": ROW, "t": ROW})
    parts["xl/workbook.xml"] = parts["xl/workbook.xml"].replace('name="t"', 'name="s"')
    problem = problem_of(write_parts(parts))
    assert (problem.what, problem.sheet) == ("two sheets have the same name", "s")


@pytest.mark.parametrize(
    "sheet",
    [
        "hello",
        b"",
        b"\0\0\0\0",
        "<worksheet><sheetData>" + ROW,
        f"<worksheet><sheetData>{ROW.replace('</v>', '</w>')}</sheetData></worksheet>",
        ROW.replace("A1", "A0"),
        ROW.replace("A1", "1A"),
        ROW.replace("A1", "ABCDEFGHIJ1"),
        ROW.replace('<c r="A1">', '<c r="A1" t="s">'),
        ROW.replace('<c r="A1">', '<c r="A1" t="unheard-of">'),
        ROW.replace("<v>1<", "<v>&undeclared;<").replace('"A1"', '"A1" t="str"'),
        '<row r="x"><c r=""/></row>',
        f'<?xml version="1.0" encoding="shift_jis"?><worksheet>{ROW}</worksheet>',
        b"\xff\xfe<\0w",
        b'<w><sheetData><row><c r="A1" t="str"><v>\xe9</v></c></row></sheetData></w>',
    ],
)
def test_broken_xml_in_a_sheet(write_sheets, sheet):
    path = write_sheets({"bad": sheet, "good": ROW})
    assert "good" not in {problem.sheet for problem in problems_of(path)}


def test_every_bad_sheet_is_named(write_sheets):
    path = write_sheets({"bad": "<w><sheetData><w>", "good": ROW, "worse": "<w>", "bomb": FAR_CELL})
    assert [problem.sheet for problem in problems_of(path)] == ["worse", "bomb"]
    path = write_sheets({"bad": "<w><sheetData><w>", "good": ROW, "bad too": "<w><sheetData><"})
    assert [problem.sheet for problem in problems_of(path)] == ["bad", "bad too"]


@pytest.mark.parametrize("part", ["xl/workbook.xml", "xl/styles.xml", "xl/sharedStrings.xml"])
@pytest.mark.parametrize("content", ["<a><b></a>", "<!DOCTYPE a [<!ENTITY b 'c'>]><a>&b;</a>"])
def test_broken_xml_elsewhere(write_parts, parts_of, part, content):
    problems_of(write_parts(parts_of({"s": ROW}) | {part: content}))


def test_entities_are_refused(write_sheets):
    entities = "<!ENTITY a 'aaaa'>" + "".join(f"<!ENTITY a{i} '&a;&a;'>" for i in range(9))
    path = write_sheets({"s": f"<!DOCTYPE w [{entities}]><w>&a8;</w>"})
    assert "entities" in problem_of(path).what


def test_panic_and_overflow_of_calamine(write_sheets, monkeypatch):
    styles = '<cellXfs><xf numFmtId="0"/><xf numFmtId="46"/></cellXfs>'
    path = write_sheets(
        {"s": ROW.replace("<v>1", "<v>1e12").replace("A1", 'A1" s="1')}, styles=styles
    )
    assert problem_of(path).sheet == "s"

    class Panic(BaseException):
        pass

    def panic(_):
        raise Panic("index out of bounds")

    monkeypatch.setattr(xlsx.CalamineWorkbook, "from_filelike", panic, raising=True)
    assert problem_of(path).found == "index out of bounds"


@pytest.mark.parametrize(
    ("rows", "cell"),
    [
        (NEAR + FAR_CELL, "XFD1048576"),
        (NEAR + '<row r="1048576"><c r="Z1048576"><f>1</f><v>1</v></c></row>', "Z1048576"),
        (NEAR + '<row r="9999999"><c r="B9999999"><v>1</v></c></row>', "B9999999"),
        (NEAR + ROW.replace("A1", "ZZ9") + ROW.replace("A1", "A99999"), "A99999"),
        (NEAR + ROW.replace("A1", "ZZZ9") + ROW.replace("A1", "A900"), "ZZZ9"),
        (NEAR + FAR_CELL.lower().replace('"', "'"), "XFD1048576"),
        ('<row r="1048576">' + "<c/>" * 300 + "<c><v>1</v></c></row>", "KO1048576"),
        (NEAR + FAR_CELL.replace("<c", "<q:c").replace("</c", "</q:c"), "XFD1048576"),
    ],
)
def test_a_cell_far_away(write_sheets, rows, cell):
    problem = problem_of(write_sheets({"flows": rows}))
    assert (problem.sheet, problem.cell) == ("flows", cell)
    assert "far away" in problem.what


def test_formatted_blank_cells_far_away_do_not_matter(write_sheets):
    blank = '<row r="1048576"><c r="XFD1048576" s="0"/><c r="XFC1048576" s="0"></c></row>'
    assert read_sheets(write_sheets({"s": NEAR + blank}))["s"].headers == ("1", "1")


def test_large_but_filled_sheets_are_read(write_sheets, monkeypatch):
    monkeypatch.setattr(xlsx_xml, "MAX_AREA", 100)
    rows = "".join(f'<row r="{i}"><c r="AAA{i}"><v>1</v></c></row>' for i in range(1, 9))
    assert problem_of(write_sheets({"s": rows})).cell == "AAA1"
    rows = "".join(
        f'<row r="{i}">' + "".join(f'<c r="{c}{i}"><v>1</v></c>' for c in "ABCDEF") + "</row>"
        for i in range(400000, 400003)
    )
    assert problem_of(write_sheets({"s": rows})).cell == "A400000"
    monkeypatch.setattr(xlsx_xml, "MAX_AREA", 2_500_000)
    sheet = read_sheets(write_sheets({"s": rows}))["s"]
    assert len(sheet.columns[5]) == 400001


@pytest.mark.parametrize(("name", "value"), [("MAX_PART", 999), ("MAX_TOTAL", 1999)])
def test_zip_bomb_as_declared(write_sheets, monkeypatch, name, value):
    monkeypatch.setattr(xlsx_package, name, value)
    rows = "".join(f'<row r="{i}"><c r="A{i}"><v>1</v></c></row>' for i in range(1, 50))
    assert "absurd size" in problems_of(write_sheets({"s": rows, "t": rows}))[0].what


def test_too_many_sheets(write_sheets, monkeypatch):
    monkeypatch.setattr(xlsx_package, "MAX_SHEETS", 2)
    assert "has 3 sheets" in problem_of(write_sheets(dict.fromkeys("abc", ROW))).what


def test_zip_bomb_by_its_ratio(write_sheets, monkeypatch):
    monkeypatch.setattr(xlsx_package, "BIG_PART", 10**6)
    path = write_sheets({"s": ROW + " " * 2 * 10**6})
    problem = problem_of(path)
    assert (problem.sheet, "absurd size" in problem.what) == ("s", True)


def test_zip_bomb_that_lies_about_its_size(write_sheets):
    path = write_sheets({"s": ROW + " " * 10**6})
    content = bytearray(path.read_bytes())
    entry = content.rindex(b"PK\1\2", 0, content.rindex(b"xl/worksheets/s0.xml"))
    struct.pack_into("<I", content, entry + 16, zlib.crc32(b"<work"))
    struct.pack_into("<I", content, entry + 24, 5)
    path.write_bytes(content)
    assert "cannot be unpacked" in problem_of(path).what


def test_a_long_text_shared_by_many_cells(write_sheets, monkeypatch):
    monkeypatch.setattr(xlsx_xml, "MAX_TEXT", 10**6)
    cells = "".join(f'<c r="A{i}" t="s"><v>1</v></c>' for i in range(1, 1000))
    strings = f"<si/><si><t>{'x' * 9000}</t></si>"
    problem = problem_of(write_sheets({"s": f'<row r="1">{cells}</row>'}, strings=strings))
    assert "texts of the sheet" in problem.what
    few = cells.replace("<v>1<", "<v>0<", 990)
    assert read_sheets(write_sheets({"s": f'<row r="1">{few}</row>'}, strings=strings))


SAMPLE = (
    '<worksheet><sheetData><row r="1"><c r="A1" t="s"><v>0</v></c><c r="B1" t="e"><v>#N/A</v></c>'
    '</row><row r="2"><c r="A2"><f>1</f></c><c r="B2" t="b"><v>1</v></c></row></sheetData>'
    "</worksheet>"
)
EDITS = st.lists(
    st.tuples(st.integers(0, len(SAMPLE) - 1), st.integers(0, 4), st.sampled_from(SAMPLE + "!é\0")),
    min_size=1,
    max_size=4,
)


@settings(deadline=None, max_examples=200)
@given(edits=EDITS, raw=st.booleans())
def test_damage_never_ends_in_another_error(tmp_path_factory, edits, raw):
    text = SAMPLE
    for at, length, new in edits:
        text = text[:at] + new + text[at + length :]
    link = '<Relationship Id="a" Type="x/worksheet" Target="s.xml"/>'
    content = zipped(
        {
            "xl/workbook.xml": '<workbook><sheet name="s" r:id="a"/></workbook>',
            "xl/_rels/workbook.xml.rels": f"<Relationships>{link}</Relationships>",
            "xl/s.xml": text,
        }
    )
    if raw:
        damaged = bytearray(content)
        for at, length, new in edits:
            at = at * 7 % len(damaged)
            damaged[at : at + length] = new.encode()
        content = bytes(damaged)
    path = tmp_path_factory.getbasetemp() / "damaged.xlsx"
    path.write_bytes(content)
    with suppress(WorkbookError):
        read_sheets(path)
