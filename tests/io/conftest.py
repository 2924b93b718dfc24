"""Workbooks written by hand, for what no library would write."""

import zipfile
from collections.abc import Callable, Mapping
from pathlib import Path

import pytest

MAIN = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"
OFFICE = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
LINKS = "http://schemas.openxmlformats.org/package/2006/relationships"


def _links(targets: Mapping[str, tuple[str, str]]) -> str:
    listed = "".join(
        f'<Relationship Id="{key}" Type="{OFFICE}/{kind}" Target="{target}"/>'
        for key, (kind, target) in targets.items()
    )
    return f'<Relationships xmlns="{LINKS}">{listed}</Relationships>'


def worksheet(cells: str) -> str:
    return f'<worksheet xmlns="{MAIN}"><sheetData>{cells}</sheetData></worksheet>'


def workbook_parts(
    sheets: Mapping[str, str | bytes], strings: str = "", styles: str = "", properties: str = ""
) -> dict[str, str | bytes]:
    """Return the parts of a workbook; a sheet that is not a whole XML document is its rows."""
    targets = {f"r{i}": ("worksheet", f"worksheets/s{i}.xml") for i in range(len(sheets))}
    targets["st"] = "sharedStrings", "sharedStrings.xml"
    targets["sy"] = "styles", "styles.xml"
    listed = "".join(
        f'<sheet name="{name}" sheetId="{i + 1}" r:id="r{i}"/>' for i, name in enumerate(sheets)
    )
    parts: dict[str, str | bytes] = {
        "_rels/.rels": _links({"r": ("officeDocument", "xl/workbook.xml")}),
        "xl/workbook.xml": f'<workbook xmlns="{MAIN}" xmlns:r="{OFFICE}">{properties}'
        f"<sheets>{listed}</sheets></workbook>",
        "xl/_rels/workbook.xml.rels": _links(targets),
        "xl/sharedStrings.xml": f'<sst xmlns="{MAIN}">{strings}</sst>',
        "xl/styles.xml": f'<styleSheet xmlns="{MAIN}">{styles}</styleSheet>',
    }
    for i, cells in enumerate(sheets.values()):
        rows = isinstance(cells, str) and (cells.startswith("<row") or not cells)
        parts[f"xl/worksheets/s{i}.xml"] = worksheet(cells) if rows else cells
    return parts


@pytest.fixture
def write_parts(tmp_path: Path) -> Callable[..., Path]:
    def write(parts: Mapping[str, str | bytes], name: str = "book.xlsx") -> Path:
        path = tmp_path / name
        with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
            for part, content in parts.items():
                archive.writestr(part, content)
        return path

    return write


@pytest.fixture
def write_sheets(write_parts: Callable[..., Path]) -> Callable[..., Path]:
    def write(sheets: Mapping[str, str | bytes], **others: str) -> Path:
        return write_parts(workbook_parts(sheets, **others))

    return write


@pytest.fixture
def parts_of() -> Callable[..., dict[str, str | bytes]]:
    return workbook_parts
