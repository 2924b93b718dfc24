"""What kind of file this is, judged by its content and never by its suffix."""

from __future__ import annotations

import struct
from collections.abc import Iterator

from mfa.errors import WorkbookError
from mfa.io.xlsx_package import Package, workbook_part
from mfa.io.xlsx_xml import elements, refuse

_OLE = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"
_SAVE_AS = "open it in Excel or LibreOffice and save it as an Excel workbook (.xlsx)"
_NOT_A_WORKBOOK = "the file is not an Excel workbook"
_SIGNATURES = {
    b"%PDF": "a PDF document",
    b"\x89PNG": "a picture (PNG)",
    b"\xff\xd8\xff": "a picture (JPEG)",
    b"\x1f\x8b": "a compressed file (gzip)",
    b"7z\xbc\xaf\x27\x1c": "a compressed file (7z)",
    b"Rar!": "a compressed file (rar)",
    b"PAR1": "a table in Parquet format",
    b"SQLite format 3": "a database (SQLite)",
}
_ZIP_STARTS = (b"PK\3\4", b"PK\5\6")
_FREE_SECTOR = 0xFFFFFFFA  # this sector number and all above are marks, not sectors


def open_package(raw: bytes, suffix: str) -> tuple[Package, str]:
    """Return a workbook's package and the name of its workbook part.

    Parameters
    ----------
    raw : bytes
        The whole file.
    suffix : str
        Suffix of the file's name; it only helps to explain what a text file may be.

    Raises
    ------
    WorkbookError
        If the file is anything else than a workbook in the format of .xlsx or .xlsm.
    """
    if not raw:
        raise refuse("the file is empty (0 bytes)", "copy it again, or restore it from a backup")
    if raw.startswith(_OLE):
        raise _refusal_of_ole(raw)
    if not raw.startswith(_ZIP_STARTS):
        raise _refusal_of_other(raw, suffix)
    package = Package(raw)
    workbook = workbook_part(package)
    reason = _refusal_of_zip(package, workbook)
    if reason is not None:
        raise reason
    return package, workbook


def _refusal_of_zip(package: Package, workbook: str) -> WorkbookError | None:
    if "mimetype" in package:
        if b"opendocument.spreadsheet" in package.read("mimetype"):
            return refuse("the file is an OpenDocument spreadsheet (.ods)", _SAVE_AS)
        return refuse(_NOT_A_WORKBOOK, _SAVE_AS, "an OpenDocument or EPUB file")
    if workbook.endswith(".bin"):
        return refuse("the file is a binary Excel workbook (.xlsb)", _SAVE_AS)
    if "Index/Document.iwa" in package:
        advice = "open it in Numbers and choose File > Export To > Excel"
        return refuse("the file is an Apple Numbers document", advice)
    if workbook not in package:
        inside = [name for name in package.names() if name.lower().endswith((".xlsx", ".xlsm"))]
        if inside:
            advice = f"unpack it and give the workbook inside, {inside[0]!r}"
            return refuse("the file is a zip archive", advice)
        return refuse(_NOT_A_WORKBOOK, "give an .xlsx or .xlsm file", "a zip archive")
    root = elements(package.read(workbook))[:1]
    if not root or root[0][0] != "workbook":
        kinds = {"document": "a Word document", "presentation": "a PowerPoint presentation"}
        found = kinds.get(root[0][0] if root else "", "another kind of Office document")
        return refuse(_NOT_A_WORKBOOK, "give an .xlsx or .xlsm file", found)
    return None


def _refusal_of_ole(raw: bytes) -> WorkbookError:
    """Explain a compound file, the container of old and of encrypted Office documents."""
    names = set(_ole_names(raw))
    if "EncryptedPackage" in names:
        return refuse(
            "the workbook is protected with a password",
            "remove the password (Excel: File > Info > Protect Workbook > Encrypt with Password,"
            " leave it blank) and save",
        )
    if names & {"Workbook", "Book"}:
        return refuse("the file is an Excel workbook of the old kind (.xls)", _SAVE_AS)
    found = "a Word document" if "WordDocument" in names else "an old or damaged Office file"
    return refuse(_NOT_A_WORKBOOK, _SAVE_AS, found)


def _ole_names(raw: bytes) -> Iterator[str]:
    """Yield the names in a compound file's directory ([MS-CFB] 2.2, 2.3, 2.5, 2.6)."""
    size = 512 if raw[30:32] == b"\x09\0" else 4096
    entries = size // 4
    sectors = range(len(raw) // size)
    try:
        (sector,) = struct.unpack_from("<I", raw, 48)
        (following,) = struct.unpack_from("<I", raw, 68)
        tables = list(struct.unpack_from("<109I", raw, 76))
        for _ in sectors:
            if following >= _FREE_SECTOR:
                break
            *more, following = struct.unpack_from(f"<{entries}I", raw, (following + 1) * size)
            tables += more
        for _ in sectors:
            if sector >= _FREE_SECTOR:
                break
            start = (sector + 1) * size
            for entry in range(start, start + size, 128):
                (length,) = struct.unpack_from("<H", raw, entry + 64)
                yield raw[entry : entry + max(0, length - 2)].decode("utf-16-le", "replace")
            table = (tables[sector // entries] + 1) * size
            (sector,) = struct.unpack_from("<I", raw, table + sector % entries * 4)
    except (struct.error, IndexError):
        return  # damaged; what was found so far may still tell what it is


def _refusal_of_other(raw: bytes, suffix: str) -> WorkbookError:
    for start, found in _SIGNATURES.items():
        if raw.startswith(start):
            return refuse(_NOT_A_WORKBOOK, "give an .xlsx or .xlsm file", found)
    head = raw[:4096]
    if not _is_text(head):
        return refuse(_NOT_A_WORKBOOK, "give an .xlsx or .xlsm file", "unknown binary data")
    if head.lstrip(b"\xef\xbb\xbf \t\r\n").startswith(b"<"):
        # Web portals and old programs write such files and call them .xls or .xlsx.
        return refuse(_NOT_A_WORKBOOK, _SAVE_AS, "a web page or XML file")
    if suffix.lower() in (".csv", ".tsv", ".tab") or b"," in head or b"\t" in head:
        return refuse(
            "the file is a text table (CSV), not a workbook",
            "CSV tables are read as a folder, by mfa.read_tables and `mfa convert`;"
            " or open it in Excel and save it as .xlsx",
        )
    return refuse(_NOT_A_WORKBOOK, "give an .xlsx or .xlsm file", "a text file")


def _is_text(head: bytes) -> bool:
    if head.startswith((b"\xff\xfe", b"\xfe\xff")):
        return True  # UTF-16, Excel's "Unicode text"
    return not any(byte < 32 and byte not in b"\t\n\f\r" for byte in head)
