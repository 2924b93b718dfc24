"""The zip package of a workbook: its parts, each unpacked within limits and checked.

calamine is never given the file itself but a small package written here from the checked parts.
So both sides see the same bytes, whatever a crafted zip directory says, and calamine's fixed
ideas of how the parts are called (``xl/workbook.xml``, ``xl/worksheets/…``, the prefix ``r:``)
cannot go wrong. Pictures, macros and everything else that is no table are never unpacked.
"""

from __future__ import annotations

import io
import posixpath
import struct
import zipfile
import zlib
from collections.abc import Mapping
from dataclasses import dataclass
from typing import NamedTuple
from urllib.parse import unquote

from mfa.io.xlsx_xml import SAVE_AGAIN, elements, refuse, uniform

MAX_PART = 2**30  # bytes of one part when unpacked
MAX_TOTAL = 2**31  # bytes of all parts that are read, a part counted as often as it is read
MAX_RATIO = 200  # unpacked ÷ packed size of a part larger than BIG_PART; tables have 5–50
BIG_PART = 2**26
MAX_SHEETS = 10_000

_COPY_AGAIN = "copy or download it again, or restore it from a backup"
_SPREADSHEET = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"
_OFFICE = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
_PACKAGE = "http://schemas.openxmlformats.org/package/2006/relationships"
_STORED, _DEFLATED = 0, 8


@dataclass(frozen=True, slots=True)
class Packed:
    """A part as it stands, or will stand, in a zip.

    Parameters
    ----------
    content : bytes
        The content as the zip holds it.
    method : int
        How it is packed: 0 (not at all) or 8 (deflate).
    crc : int
        Checksum of the unpacked content.
    size : int
        Bytes of the unpacked content.
    """

    content: bytes
    method: int
    crc: int
    size: int

    @classmethod
    def of(cls, data: bytes) -> Packed:
        """Return new content, not compressed."""
        return cls(data, _STORED, zlib.crc32(data), len(data))


class Sheet(NamedTuple):
    """A worksheet's name and the part that holds it."""

    name: str
    part: str


class Layout(NamedTuple):
    """What the workbook part says: its worksheets in order, and where the rest is.

    ``placeholders`` is true if the writing program asks Excel to calculate all formulas on
    opening. XlsxWriter does, after storing 0 as the result of every formula.
    """

    sheets: list[Sheet]
    strings: str
    styles: str
    date1904: bool
    placeholders: bool


class Package:
    """The parts of a zip package that is held in memory.

    Parameters
    ----------
    raw : bytes
        The whole zip file.
    """

    def __init__(self, raw: bytes) -> None:
        self._raw = raw
        self._left = MAX_TOTAL
        try:
            with zipfile.ZipFile(io.BytesIO(raw)) as archive:
                members = archive.infolist()
        except (zipfile.BadZipFile, NotImplementedError, ValueError, OverflowError, EOFError):
            raise refuse("the file is cut off or damaged", _COPY_AGAIN) from None
        # Part names do not depend on case, and some writers use Windows' backslash.
        self._members = {_key(member.filename): member for member in members}
        if len(self._members) < len(members):
            raise refuse("the file is damaged: it holds two parts of one name", SAVE_AGAIN)

    def __contains__(self, name: str) -> bool:
        return _key(name) in self._members

    def names(self) -> list[str]:
        """Return the names of all parts as the file spells them."""
        return [member.filename for member in self._members.values()]

    def read(self, name: str) -> bytes:
        """Return the content of a part."""
        return self.read_both(name)[0]

    def read_both(self, name: str) -> tuple[bytes, Packed]:
        """Return the content of a part, its checksum verified, and how it is packed."""
        member = self._members.get(_key(name))
        if member is None:
            raise refuse(f"the file is damaged: its part {name!r} is missing", SAVE_AGAIN)
        self._check_size(member)
        if member.flag_bits & 1:
            raise refuse("the file is a zip with a password", "save it without a password")
        if member.compress_type not in (_STORED, _DEFLATED):
            raise refuse("the file is packed in a way that Excel does not use", SAVE_AGAIN)
        packed = self._packed(member)
        data = packed if member.compress_type == _STORED else _inflate(packed, member.file_size)
        if data is None or len(data) != member.file_size or zlib.crc32(data) != member.CRC:
            raise refuse(f"the file is damaged: its part {name!r} cannot be unpacked", _COPY_AGAIN)
        return data, Packed(packed, member.compress_type, member.CRC, member.file_size)

    def _check_size(self, member: zipfile.ZipInfo) -> None:
        size = member.file_size
        self._left -= size
        absurd = size > BIG_PART and size > MAX_RATIO * member.compress_size
        if size > MAX_PART or self._left < 0 or absurd:
            raise refuse(
                f"the file unpacks to an absurd size: {size / 2**20:,.0f} MiB in one part",
                "delete blank formatted rows and columns, or split the workbook",
                f"{member.filename}, packed {member.compress_size / 2**20:,.1f} MiB",
            )

    def _packed(self, member: zipfile.ZipInfo) -> bytes:
        start = member.header_offset
        header = self._raw[start : start + 30]
        if len(header) < 30 or not header.startswith(b"PK\3\4"):
            return b""
        start += 30 + sum(struct.unpack_from("<HH", header, 26))
        return self._raw[start : start + member.compress_size]


def _key(name: str) -> str:
    return name.replace("\\", "/").lstrip("/").casefold()


def _inflate(packed: bytes, size: int) -> bytes | None:
    """Unpack exactly ``size`` bytes; None if there are fewer or more, or if it is impossible."""
    unpacker = zlib.decompressobj(-zlib.MAX_WBITS)
    try:
        data = unpacker.decompress(packed, size + 1)
    except zlib.error:
        return None
    return data if unpacker.eof else None


def workbook_part(package: Package) -> str:
    """Return the name of the part that the package declares to be its document."""
    if "_rels/.rels" in package:
        for name, attributes in elements(package.read("_rels/.rels")):
            if name == "Relationship" and attributes.get("Type", "").endswith("/officeDocument"):
                return _resolve("", attributes.get("Target", ""))
    return "xl/workbook.xml"


def read_layout(package: Package, workbook: str) -> Layout:
    """Return the worksheets and the other parts that a workbook part refers to."""
    folder, _, name = workbook.rpartition("/")
    links: dict[str, tuple[str, str]] = {}  # by id: kind and part
    for tag, link in elements(package.read(f"{folder}/_rels/{name}.rels")):
        if tag == "Relationship" and link.get("TargetMode") != "External":
            kind = link.get("Type", "").rpartition("/")[2]
            links[link.get("Id", "")] = kind, _resolve(folder, link.get("Target", ""))
    sheets, date1904, placeholders = [], False, False
    for tag, attributes in elements(package.read(workbook)):
        if tag == "workbookPr":
            date1904 = _is_true(attributes.get("date1904"))
        elif tag == "calcPr":
            placeholders = _is_true(attributes.get("fullCalcOnLoad"))
        elif tag == "sheet":
            kind, part = links.get(_relationship(attributes), ("", ""))
            if kind in ("worksheet", ""):  # and not a chart, dialog or macro sheet
                sheets.append(Sheet(attributes.get("name", ""), part))
    if len(sheets) > MAX_SHEETS:
        raise refuse(f"the workbook has {len(sheets):,} sheets", "split the workbook")
    parts = dict(links.values())
    strings, styles = parts.get("sharedStrings", ""), parts.get("styles", "")
    return Layout(sheets, strings, styles, date1904, placeholders)


def _resolve(folder: str, target: str) -> str:
    return posixpath.normpath(posixpath.join("/", folder, unquote(target))).lstrip("/")


def _is_true(text: str | None) -> bool:
    return text is not None and text.lower() in ("1", "true", "on")


def _relationship(attributes: Mapping[str, str]) -> str:
    """Return the attribute ``r:id``, whatever its prefix is (``id`` alone is something else)."""
    return next((value for key, value in attributes.items() if key.endswith(":id")), "")


def read_uniform(package: Package, name: str) -> tuple[bytes, Packed] | None:
    """Return the part of shared strings or styles in plain form; None if there is none."""
    if name not in package:
        return None
    data, packed = package.read_both(name)
    plain = uniform(data)
    return plain, packed if plain is data else Packed.of(plain)


def pack(
    sheets: list[Packed], strings: Packed | None, styles: Packed | None, date1904: bool
) -> bytes:
    """Return a workbook package of these parts; its sheets are called by their number."""
    listed = "".join(
        f'<sheet name="{i}" sheetId="{i + 1}" r:id="s{i}"/>' for i in range(len(sheets))
    )
    workbook = (
        f'<workbook xmlns="{_SPREADSHEET}" xmlns:r="{_OFFICE}">'
        f'<workbookPr date1904="{int(date1904)}"/><sheets>{listed}</sheets></workbook>'
    )
    links = {f"s{i}": ("worksheet", f"worksheets/{i}.xml") for i in range(len(sheets))}
    links["strings"] = "sharedStrings", "sharedStrings.xml"
    links["styles"] = "styles", "styles.xml"
    parts = {
        "_rels/.rels": _relationships({"w": ("officeDocument", "xl/workbook.xml")}),
        "xl/workbook.xml": Packed.of(workbook.encode()),
        "xl/_rels/workbook.xml.rels": _relationships(links),
        "xl/sharedStrings.xml": strings or Packed.of(f'<sst xmlns="{_SPREADSHEET}"/>'.encode()),
        "xl/styles.xml": styles or Packed.of(f'<styleSheet xmlns="{_SPREADSHEET}"/>'.encode()),
        **{f"xl/worksheets/{i}.xml": part for i, part in enumerate(sheets)},
    }
    return _zipped(parts)


def _relationships(links: Mapping[str, tuple[str, str]]) -> Packed:
    """Write a part that links to others; ``links`` gives kind and target by id."""
    listed = "".join(
        f'<Relationship Id="{name}" Type="{_OFFICE}/{kind}" Target="{target}"/>'
        for name, (kind, target) in links.items()
    )
    return Packed.of(f'<Relationships xmlns="{_PACKAGE}">{listed}</Relationships>'.encode())


def _zipped(parts: Mapping[str, Packed]) -> bytes:
    """Write a zip; unlike the zipfile module, without packing the packed parts again."""
    out, directory = bytearray(), bytearray()
    for name, part in parts.items():
        about = struct.pack(
            "<5H3L2H", 20, 0, part.method, 0, 0x21, part.crc, len(part.content), part.size,
            len(name), 0,
        )  # fmt: skip
        start = len(out)
        out += b"PK\3\4" + about + name.encode() + part.content
        directory += b"PK\1\2" + struct.pack("<H", 20) + about
        directory += struct.pack("<3H2L", 0, 0, 0, 0, start) + name.encode()
    end = struct.pack("<4H2LH", 0, 0, len(parts), len(parts), len(directory), len(out), 0)
    return bytes(out + directory + b"PK\5\6" + end)
