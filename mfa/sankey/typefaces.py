"""Which installed fonts a drawing can be set in."""

from __future__ import annotations

from functools import cache
from importlib.util import find_spec
from pathlib import Path

from matplotlib import font_manager

from mfa.errors import ChartError
from mfa.sankey.geometry import Drawing, Label
from mfa.sankey.text import is_cjk

_WESTERN = "DejaVu Sans"
_JAPANESE = (
    "Noto Sans CJK JP",
    "Noto Sans JP",
    "Source Han Sans JP",
    "IPAexGothic",
    "IPAGothic",
    "Yu Gothic",
    "Hiragino Sans",
    "Hiragino Kaku Gothic ProN",
    "Hiragino Maru Gothic Pro",
    "Meiryo",
    "MS Gothic",
    "TakaoGothic",
    "VL Gothic",
)


def _bundled() -> str | None:
    """Return the family that comes with the package matplotlib_fontja, if that is installed.

    Its files are read without importing it, since the import would change matplotlib's settings
    for the whole program.
    """
    spec = find_spec("matplotlib_fontja")
    folders = [] if spec is None else list(spec.submodule_search_locations or ())
    for folder in folders:
        for path in sorted(Path(folder).rglob("*.ttf")):
            font_manager.fontManager.addfont(str(path))
            return str(font_manager.FontProperties(fname=str(path)).get_name())
    return None


@cache
def japanese_family() -> str | None:
    """Return the family of an installed Japanese font, None if there is none."""
    installed = {entry.name for entry in font_manager.fontManager.ttflist}
    known = (name for name in _JAPANESE if name in installed)
    return _bundled() or next(known, None)


def families(drawing: Drawing) -> list[str]:
    """Return the font families for a drawing, the one to look into first in front.

    Raises
    ------
    ChartError
        If the drawing has Japanese text and no font on this machine can set it.
    """
    texts = [item.text for item in drawing.primitives if isinstance(item, Label)]
    if not any(is_cjk(text) for text in texts):
        return [_WESTERN]
    japanese = japanese_family()
    if japanese is None:
        shown = next(text for text in texts if is_cjk(text))
        raise ChartError(
            f"the chart has Japanese text ('{shown}') but no Japanese font is installed; "
            "run: pip install 'mfa[ja]', or install Noto Sans CJK JP, or save the chart as .svg"
        )
    return [japanese, _WESTERN] if drawing.lang == "ja" else [_WESTERN, japanese]
