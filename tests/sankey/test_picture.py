"""PNG and PDF files: written whole or not at all, with the right fonts, always the same."""

from __future__ import annotations

import struct
from pathlib import Path

import matplotlib
import numpy as np
import pytest
from matplotlib import font_manager
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.backends.backend_pdf import FigureCanvasPdf
from matplotlib.image import imread
from matplotlib.text import Text

from mfa.errors import MFAError
from mfa.sankey import typefaces
from mfa.sankey.diagram import Diagram, Node
from mfa.sankey.geometry import Drawing, Label
from mfa.sankey.layout import layout
from mfa.sankey.picture import to_figure, to_file
from mfa.sankey.text import is_cjk, label_bounds

from . import copper, randoms
from .test_svg import hostile

needs_japanese = pytest.mark.skipif(
    typefaces.japanese_family() is None, reason="no Japanese font is installed"
)
LANGUAGES = ["en", pytest.param("ja", marks=needs_japanese)]


@pytest.mark.parametrize("lang", LANGUAGES)
def test_png_has_the_size_of_the_drawing_and_ink_on_it(lang: str, tmp_path: Path) -> None:
    drawing = layout(copper.build(lang))
    path = tmp_path / "copper.png"
    to_file(drawing, path, dpi=96)
    width, height = struct.unpack(">II", path.read_bytes()[16:24])
    assert abs(width - drawing.width) <= 1
    assert abs(height - drawing.height) <= 1
    pixels = imread(path)[..., :3]
    inked = (pixels < 0.98).any(axis=2)
    assert 0.08 < inked.mean() < 0.6
    # The main flows, trade and scrap all show in their colours.
    for colour in ((0xC8, 0x89, 0x4F), (0x7F, 0xA3, 0xCC), (0x3F, 0xA2, 0x87)):
        near = np.abs(pixels * 255 - np.array(colour)).max(axis=2) < 3
        assert near.sum() > 500


@pytest.mark.parametrize("lang", LANGUAGES)
def test_pdf_is_vector_and_not_trivial(lang: str, tmp_path: Path) -> None:
    path = tmp_path / "copper.pdf"
    to_file(layout(copper.build(lang)), path)
    data = path.read_bytes()
    assert data.startswith(b"%PDF")
    assert len(data) > 20_000
    assert b"/Subtype /Image" not in data
    assert b"CreationDate" not in data


@pytest.mark.parametrize("suffix", [".png", ".pdf", ".PNG"])
def test_same_file_twice(suffix: str, tmp_path: Path) -> None:
    drawing = layout(copper.build())
    paths = [tmp_path / f"one{suffix}", tmp_path / f"two{suffix}"]
    for path in paths:
        to_file(drawing, path, dpi=80)
    assert paths[0].read_bytes() == paths[1].read_bytes()


@needs_japanese
@pytest.mark.parametrize("kind", ["png", "pdf"])
def test_any_name_can_be_written(kind: str, tmp_path: Path) -> None:
    path = tmp_path / f"hostile.{kind}"
    to_file(layout(hostile()), path, dpi=60)
    assert path.stat().st_size > 5_000


@needs_japanese
@pytest.mark.parametrize("seed", range(6))
def test_random_charts_can_be_written(seed: int, tmp_path: Path) -> None:
    to_file(layout(randoms.make(seed)), tmp_path / "chart.png", dpi=50)
    assert (tmp_path / "chart.png").stat().st_size > 2_000


def test_an_empty_chart_can_be_written(tmp_path: Path) -> None:
    to_file(layout(Diagram("", "", "", (), ())), tmp_path / "empty.png")
    assert (tmp_path / "empty.png").exists()


def test_a_failed_run_leaves_the_old_file_alone(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "chart.pdf"
    path.write_text("old")

    def fail(self: FigureCanvasPdf, filename: str, **_: object) -> None:
        Path(filename).write_text("half")
        raise OSError("disk full")

    monkeypatch.setattr(FigureCanvasPdf, "print_pdf", fail)
    with pytest.raises(OSError, match="disk full"):
        to_file(layout(copper.build()), path)
    assert path.read_text() == "old"
    assert [entry.name for entry in tmp_path.iterdir()] == ["chart.pdf"]


def test_other_suffixes_are_refused(tmp_path: Path) -> None:
    with pytest.raises(MFAError, match=r"must be a \.png or \.pdf file \(found 'chart\.gif'\)"):
        to_file(layout(copper.build()), tmp_path / "chart.gif")


def test_large_charts_stay_within_memory(tmp_path: Path) -> None:
    drawing = Drawing(30_000.0, 20_000.0, (), "", "", "en", 1.0)
    to_file(drawing, tmp_path / "large.png")
    width, height = struct.unpack(">II", (tmp_path / "large.png").read_bytes()[16:24])
    assert width * height < 41e6
    assert width / height == pytest.approx(1.5, abs=0.01)


@pytest.mark.parametrize("lang", LANGUAGES)
def test_set_text_is_no_wider_than_measured(lang: str) -> None:
    drawing = layout(copper.build(lang))
    figure = to_figure(drawing)
    # Fine enough for Agg's rounding of letters to whole pixels not to matter.
    figure.set_dpi(4 * 96)
    renderer = FigureCanvasAgg(figure).get_renderer()
    labels = {(round(x.x, 2), round(x.y, 2)): x for x in drawing.primitives if isinstance(x, Label)}
    texts = figure.findobj(Text)
    checked = 0
    for text in texts:
        label = labels.get((round(text.get_position()[0], 2), round(text.get_position()[1], 2)))
        if label is None or not label.text:
            continue
        box = text.get_window_extent(renderer)
        left, top, right, bottom = label_bounds(label, lang == "ja")
        assert box.width / 4 <= right - left + 0.02 * len(label.text) * label.size + 1.0
        assert drawing.height - box.y1 / 4 >= top - 1.5
        assert drawing.height - box.y0 / 4 <= bottom + 1.5
        checked += 1
    assert checked > 60


def test_settings_of_matplotlib_stay_and_do_not_matter(tmp_path: Path) -> None:
    drawing = layout(copper.build())
    to_file(drawing, tmp_path / "one.png", dpi=60)
    with matplotlib.rc_context({"savefig.bbox": "tight", "font.size": 33, "savefig.dpi": 10}):
        before = dict(matplotlib.rcParams)
        to_file(drawing, tmp_path / "two.png", dpi=60)
        assert dict(matplotlib.rcParams) == before
    assert (tmp_path / "one.png").read_bytes() == (tmp_path / "two.png").read_bytes()


def test_a_missing_japanese_font_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(typefaces, "japanese_family", lambda: None)
    english = layout(Diagram("Copper", "", "kt/yr", (Node("a", "Smelter"),), ()))
    assert typefaces.families(english) == ["DejaVu Sans"]
    mixed = layout(Diagram("Copper", "", "kt/yr", (Node("a", "製錬"),), ()))
    with pytest.raises(MFAError, match=r"Japanese text \('製錬'\).*pip install 'mfa\[ja\]'"):
        to_figure(mixed)


def test_any_japanese_text_asks_for_a_japanese_font(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(typefaces, "japanese_family", lambda: "Some Gothic")
    for lang, expected in (
        ("en", ["DejaVu Sans", "Some Gothic"]),
        ("ja", ["Some Gothic", "DejaVu Sans"]),
    ):
        drawing = layout(copper.build("ja"))
        assert any(is_cjk(x.text) for x in drawing.primitives if isinstance(x, Label))
        shown = Drawing(drawing.width, drawing.height, drawing.primitives, "", "", lang, 1.0)
        assert typefaces.families(shown) == expected


def test_the_font_package_is_found_without_importing_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    package = tmp_path / "matplotlib_fontja"
    (package / "fonts").mkdir(parents=True)
    (package / "__init__.py").write_text("raise RuntimeError('imported')")
    source = Path(matplotlib.get_data_path(), "fonts", "ttf", "STIXGeneral.ttf")
    (package / "fonts" / "gothic.ttf").write_bytes(source.read_bytes())
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.setattr(font_manager.fontManager, "ttflist", list(font_manager.fontManager.ttflist))
    typefaces.japanese_family.cache_clear()
    try:
        assert typefaces.japanese_family() == "STIXGeneral"
    finally:
        typefaces.japanese_family.cache_clear()
