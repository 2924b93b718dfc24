"""How wide text is, where lines break, and how quantities are written.

Latin text is measured with DejaVu Sans, which comes with matplotlib and is broader than the fonts
that a browser may put in its place; characters of the East Asian scripts stand on a square of the
font size in every font. So a chart measured here fits wherever it is shown, and the same diagram
gives the same geometry on every machine, whichever fonts are installed there.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cache, lru_cache
from pathlib import Path

import matplotlib
from matplotlib.ft2font import FT2Font

from mfa.sankey.geometry import Anchor, Bounds, Label, Outline, Shape, polygon, rectangle
from mfa.sankey.style import INK, LEADING

_EM = 64
ASCENT, DESCENT = 0.78, 0.24  # of the font size, as far as letters and digits reach
TALL_ASCENT = 0.88  # as far as Chinese characters reach
_FEW = 4  # lines of a label; longer texts are filled line by line
DOT = 0.84  # width of the sign of a status and the space behind it, of the font size
SPACE = 0.4  # between a name and the sign of its number, of the font size
_DOTTED = ("fixed", "measured", "reconciled", "calculated")
MARK = 1.3  # width of a warning triangle and the space behind it, of the font size
# Characters that must not begin, or end, a line of Japanese (JIS X 4051, the common ones).
_NOT_FIRST = "、。,.)」』】〕]}・ー々〜%:;?!ぁぃぅぇぉっゃゅょァィゥェォッャュョ），．％：；？！"
_NOT_LAST = "(「『【〔[{（"


@cache
def _face(bold: bool) -> FT2Font:
    name = "DejaVuSans-Bold.ttf" if bold else "DejaVuSans.ttf"
    face = FT2Font(str(Path(matplotlib.get_data_path(), "fonts", "ttf", name)))
    face.set_size(_EM, 72)
    return face


@cache
def _advance(char: str, bold: bool, wide: bool) -> float:
    kind = unicodedata.east_asian_width(char)
    if unicodedata.combining(char):
        return 0.0
    # Japanese fonts give a full square to signs such as ± and →, Western fonts do not.
    least = 1.0 if kind in "WF" or (wide and kind == "A") else 0.0
    face = _face(bold)
    if not face.get_char_index(ord(char)):
        return max(least, 0.6 if kind != "N" else 1.0)
    return max(least, float(face.load_char(ord(char)).linearHoriAdvance) / 65536 / _EM)


@lru_cache(maxsize=8192)
def text_width(text: str, size: float, bold: bool = False, wide: bool = False) -> float:
    """Return how far a line of text reaches, in px.

    Parameters
    ----------
    text : str
        One line.
    size : float
        Font size in px.
    bold : bool
        Whether it is set bold.
    wide : bool
        Whether a Japanese font sets it, in which signs such as ± take a full square.

    Examples
    --------
    >>> round(text_width("1,295", 10.0), 2)
    28.63
    >>> text_width("製錬", 10.0)
    20.0
    """
    return size * sum(_advance(char, bold, wide) for char in text)


@lru_cache(maxsize=8192)
def is_cjk(text: str) -> bool:
    """Whether a text has characters that need an East Asian font."""
    return not text.isascii() and any(unicodedata.east_asian_width(c) in "WFH" for c in text)


@lru_cache(maxsize=8192)
def clean(text: str) -> str:
    """Return a text as one line: spaces joined, control characters left out."""
    spaced = " ".join(text.split())
    if spaced.isascii() and spaced.isprintable():
        return spaced
    return "".join(c for c in spaced if unicodedata.category(c) not in ("Cc", "Cs", "Cn", "Co"))


def _is_katakana(char: str) -> bool:
    return "\u30a1" <= char <= "\u30fa" or char == "ー"


@lru_cache(maxsize=1024)
def _pieces(text: str) -> tuple[str, ...]:
    """Split a text where a line may break; a piece that begins with a space follows one."""
    pieces: list[str] = []
    for char in text:
        previous = pieces[-1][-1] if pieces else ""
        joined = previous and (
            char in _NOT_FIRST
            or previous in _NOT_LAST
            or (_is_katakana(char) and _is_katakana(previous))
            or not (char == " " or is_cjk(char) or is_cjk(previous) or previous in "/-–")
        )
        if joined or previous == " ":
            pieces[-1] += char
        else:
            pieces.append(char)
    # A lone sign such as "&" goes with the word behind it, a per cent sign with its number.
    for place in range(len(pieces) - 1, -1, -1):
        sign = pieces[place].strip()
        if sign == "%" and place:
            pieces[place - 1 : place + 1] = [pieces[place - 1] + pieces[place]]
        elif len(sign) == 1 and place + 1 < len(pieces) and not is_cjk(sign):
            pieces[place : place + 2] = [pieces[place] + pieces[place + 1]]
    return tuple(pieces)


def longest_piece(text: str, size: float, bold: bool = False, wide: bool = False) -> float:
    """Return the width of the longest piece of a text that `wrap` would not cut, in px."""
    pieces = _pieces(clean(text))
    return max((text_width(piece.strip(), size, bold, wide) for piece in pieces), default=0.0)


@dataclass(frozen=True, slots=True)
class _Setting:
    """How the lines of a paragraph are set."""

    limit: float
    size: float
    bold: bool
    wide: bool

    def width(self, pieces: Sequence[str]) -> float:
        """Return the width of a line of pieces, in px."""
        return text_width("".join(pieces).strip(), self.size, self.bold, self.wide)

    def cut(self, pieces: Sequence[str]) -> list[str]:
        """Cut the pieces that are longer than a line."""
        fitting: list[str] = []
        for piece in pieces:
            while self.width([piece]) > self.limit and len(piece.strip()) > 1:
                end = len(piece) - 1
                while end > 1 and self.width([piece[:end]]) > self.limit:
                    end -= 1
                fitting.append(piece[:end])
                piece = piece[end:]
            fitting.append(piece)
        return fitting

    def fill(self, pieces: Sequence[str]) -> list[list[str]]:
        """Put as many pieces as fit into each line."""
        lines: list[list[str]] = [[]]
        for piece in pieces:
            if lines[-1] and self.width([*lines[-1], piece]) > self.limit:
                lines.append([])
            lines[-1].append(piece)
        return [line for line in lines if line]

    def balance(self, pieces: Sequence[str], count: int) -> list[list[str]]:
        """Return the best lines, ``count`` of them: of like length, broken where it reads well."""
        # ends[k]: cost and lines of the pieces before k
        ends: list[tuple[float, list[list[str]]] | None] = [(0.0, []), *([None] * len(pieces))]
        for _ in range(count):
            grown: list[tuple[float, list[list[str]]] | None] = [None] * len(ends)
            for start, so_far in enumerate(ends):
                for end in range(start + 1, len(ends)):
                    width = self.width(pieces[start:end])
                    if so_far is None or (width > self.limit and end > start + 1):
                        break
                    cost = so_far[0] + (width / self.limit) ** 2
                    cost += _break_cost(pieces[start - 1], pieces[start]) if start else 0.0
                    known = grown[end]
                    if known is None or cost < known[0] - 1e-9:
                        grown[end] = cost, [*so_far[1], list(pieces[start:end])]
            ends = grown
        return ends[-1][1] if ends[-1] is not None else self.fill(pieces)


def _break_cost(before: str, after: str) -> float:
    """Return how badly a line break between two pieces reads."""
    if after.startswith(" ") or before[-1] in "・、。/-–":
        return 0.0
    kinds = [_script(before[-1]), _script(after[0])]
    return 0.3 if kinds[0] == kinds[1] or kinds == ["kanji", "hiragana"] else 0.05


def _script(char: str) -> str:
    if "\u3041" <= char <= "\u309f":
        return "hiragana"
    if _is_katakana(char):
        return "katakana"
    return "kanji" if is_cjk(char) else "latin"


@lru_cache(maxsize=1024)
def wrap(
    text: str, limit: float, size: float, bold: bool = False, wide: bool = False
) -> tuple[str, ...]:
    """Break a text into as few lines as fit, of like length where they are few.

    Parameters
    ----------
    text : str
        One paragraph.
    limit : float
        Width of the longest line, in px; a word that is longer is cut.
    size : float
        Font size in px.
    bold, wide : bool
        As in `text_width`.

    Examples
    --------
    >>> wrap("Collection and dismantling", 100.0, 12.0)
    ('Collection and', 'dismantling')
    >>> wrap("自動車・家電の解体", 60.0, 10.0)
    ('自動車・', '家電の解体')
    """
    setting = _Setting(limit, size, bold, wide)
    pieces = setting.cut(_pieces(clean(text)))
    lines = setting.fill(pieces)
    if 1 < len(lines) <= _FEW:
        lines = setting.balance(pieces, len(lines))
    return tuple("".join(line).strip() for line in lines)


@dataclass(frozen=True, slots=True)
class TextLine:
    """One line of a block; ``mark`` puts a warning triangle before it, ``status`` a dot.

    ``lead`` stands before these signs, as a name does before its number.
    """

    text: str
    size: float
    bold: bool = False
    colour: str = INK
    mark: bool = False
    status: str = ""
    lead: str = ""


@dataclass(frozen=True, slots=True)
class Block:
    """Lines of text under each other, and the room that they take, in px."""

    lines: tuple[TextLine, ...]
    width: float
    height: float


def _line_width(line: TextLine, wide: bool) -> float:
    signs = line.size * _signs(line)
    return _lead_width(line, wide) + signs + text_width(line.text, line.size, line.bold, wide)


def _lead_width(line: TextLine, wide: bool) -> float:
    """Return the width of what stands before the signs of a line, and the space behind it."""
    if not line.lead:
        return 0.0
    return text_width(line.lead, line.size, line.bold, wide) + line.size * SPACE


def _signs(line: TextLine) -> float:
    """Return the width of what stands before a line, in its font size."""
    return (MARK if line.mark else 0.0) + (DOT if line.status in _DOTTED else 0.0)


def block(lines: list[TextLine], wide: bool) -> Block:
    """Measure lines that stand under each other."""
    width = max((_line_width(line, wide) for line in lines), default=0.0)
    return Block(tuple(lines), width, sum(line.size * LEADING for line in lines))


def _triangle(x: float, base: float, size: float) -> list[Shape]:
    """Return a warning triangle with its exclamation mark, ``x`` being its left corner."""
    width, height = size * 1.02, size * 0.9
    middle, bar = x + width / 2, size * 0.07
    top = base - height
    return [
        Shape(polygon((middle, top), (x + width, base), (x, base)), "warning"),
        Shape(rectangle(middle - bar, top + height * 0.34, 2 * bar, height * 0.33), "warning-sign"),
        Shape(rectangle(middle - bar, top + height * 0.76, 2 * bar, 2 * bar), "warning-sign"),
    ]


def _dot(x: float, base: float, size: float, status: str) -> list[Shape]:
    """Return the sign of a status, ``x`` being its left edge: full, half or empty."""
    radius = size * 0.24
    middle, height = x + radius + 0.5, base - size * 0.36
    if status == "fixed":
        side = 2 * radius
        return [Shape(rectangle(middle - radius, height - radius, side, side), "dot full")]
    reach = radius * 0.5522847498
    left, right, top, bottom = middle - radius, middle + radius, height - radius, height + radius
    over: Outline = (
        ("M", (middle, bottom)),
        ("C", (middle - reach, bottom, left, height + reach, left, height)),
        ("C", (left, height - reach, middle - reach, top, middle, top)),
    )
    back: Outline = (
        ("C", (middle + reach, top, right, height - reach, right, height)),
        ("C", (right, height + reach, middle + reach, bottom, middle, bottom)),
        ("Z", ()),
    )
    whole = Shape((*over, *back), "dot full" if status == "measured" else "dot")
    half = Shape((*over, ("Z", ())), "dot full")
    return [whole, half] if status == "reconciled" else [whole]


def _label(
    line: TextLine, text: str, x: float, base: float, css: str, side: Anchor, halo: bool
) -> Label:
    return Label(text, x, base, line.size, css, side, line.bold, line.colour, halo)


def set_block(
    text: Block,
    x: float,
    top: float,
    css: str,
    wide: bool,
    anchor: Anchor = "middle",
    halo: bool = False,
    link: str = "",
) -> list[Label | Shape]:
    """Return the labels of a block whose upper edge is at ``top``, and the signs before them."""
    items: list[Label | Shape] = []
    for line in text.lines:
        pitch = line.size * LEADING
        base = top + pitch / 2 + line.size * (ASCENT - DESCENT) / 2
        at, side = x, anchor
        if _signs(line) or line.lead:
            at -= {"start": 0.0, "middle": 0.5, "end": 1.0}[anchor] * _line_width(line, wide)
            if line.lead:
                items.append(_label(line, line.lead, at, base, css, "start", halo))
                at += _lead_width(line, wide)
            items.extend(_triangle(at, base, line.size) if line.mark else ())
            reach = at + line.size * _signs(line)
            if line.status in _DOTTED:
                items.extend(_dot(reach - line.size * DOT, base, line.size, line.status))
            at, side = reach, "start"
        items.append(_label(line, line.text, at, base, css, side, halo))
        top += pitch
    return [replace(item, link=link) for item in items] if link else items


def label_bounds(label: Label, wide: bool) -> Bounds:
    """Return (left, top, right, bottom) of a label that is not rotated, in px."""
    width = text_width(label.text, label.size, label.bold, wide)
    left = label.x - {"start": 0.0, "middle": 0.5, "end": 1.0}[label.anchor] * width
    ascent = TALL_ASCENT if is_cjk(label.text) else ASCENT
    return left, label.y - ascent * label.size, left + width, label.y + DESCENT * label.size
