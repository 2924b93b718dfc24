"""Colours, font sizes and distances of the chart, and the words that it adds itself.

The lane colours keep apart under every common colour blindness: they differ in lightness as well
as in hue (after Okabe and Ito 2008, Color Universal Design, toned down for large areas).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

TONES = {
    "main": "#c8894f",
    "trade": "#7fa3cc",
    "scrap": "#3fa287",
    "loss": "#9a9a9a",
    "discrepancy": "#c3bcc6",
    # Origins of the metal: from brown to green, and grey.
    "primary": "#c8894f",
    "new_scrap": "#a9dfcb",
    "old_scrap": "#3fa287",
    "mixed_scrap": "#72bca4",
    "unknown": "#cfcdd2",
    # Adjustments: from blue over sand to red-brown, and grey.
    "down2": "#5b97d1",
    "down1": "#aecfeb",
    "still": "#ddd3b8",
    "up1": "#f2c08a",
    "up2": "#d9773f",
    "blank": "#bdbdbd",
    # Substances, after Okabe and Ito.
    "substance0": "#c8894f",
    "substance1": "#6f9fd0",
    "substance2": "#2f9e7e",
    "substance3": "#e0c84a",
    "substance4": "#b98bb0",
    "substance5": "#7289b8",
    "substance6": "#d77f62",
}
INK = "#1f1f1f"
SOFT = "#565656"
RED = "#c22f2a"
DARK_RED = "#8f1d19"
AMBER = "#b26a00"

# Font sizes, px.
TITLE, SUBTITLE, BOX, NUMBER, NAME, STOCK, TAG, FOOT = (
    23.0,
    14.0,
    13.0,
    12.0,
    11.5,
    11.5,
    11.0,
    11.5,
)
LEADING = 1.26  # line height over font size

MARGIN = 24.0  # around the drawing
ITEM_GAP = 16.0  # between two boxes of a column, their stubs and labels included
PORT_GAP = 3.0
STUB = 32.0  # length of a stub, its arrow head included
TURN = 6.0  # inner radius where a ribbon turns
LEAD = 11.0  # straight run before a box, at least as long as an arrow head
LANE_GAP = 13.0
LARGEST_BOX = 152.0  # px, for the scale that the layout chooses
ARROW = 6.0  # width of every flow in the style "circulation", px
NOMINAL = 10.0  # width of an undetermined flow without limits, px


@dataclass(frozen=True, slots=True)
class Paint:
    """How something is filled and outlined; ``dash`` in px, empty for a solid line."""

    fill: str = "none"
    stroke: str = "none"
    width: float = 0.0
    dash: tuple[float, ...] = ()
    opacity: float = 1.0


PAINTS = {
    "background": Paint("#ffffff"),
    "band": Paint("#f4f2ec"),
    "band other": Paint("#e9eef3"),
    "box": Paint("#fbfaf6", "#3a3a3a", 1.4),
    "box flagged": Paint("#fbfaf6", "#d98200", 2.4),
    "box bottleneck": Paint("#fbfaf6", RED, 2.6),
    "stock": Paint("#e9e3d2", "#8c8468", 1.0),
    "tag flagged": Paint("#fff1d6", "#d98200", 1.0),
    "tag bottleneck": Paint("#fbe3e1", RED, 1.0),
    "warning": Paint("#f0a30a", "#7a4a00", 0.7),
    "warning-sign": Paint(INK),
    "dot": Paint("#ffffff", INK, 0.9),
    "dot full": Paint(INK, INK, 0.9),
    "separator": Paint("none", "#ffffff", 0.9, (), 0.85),
    "rule": Paint("none", "#d0cdc4", 1.0),
    "boundary": Paint("none", INK, 1.1, (3.0, 2.5)),
    "key": Paint("none", "#3a3a3a", 1.0),
}


HALO_OPACITY = 0.36
HATCH_PITCH = 7.0  # px between the lines of a hatch
HATCH_WIDTH = 1.6


def mix(colour: str, other: str, share: float) -> str:
    """Return a colour mixed with a share of another, both as ``#rrggbb``.

    Examples
    --------
    >>> mix("#000000", "#ffffff", 0.5)
    '#808080'
    """
    pairs = ((int(colour[i : i + 2], 16), int(other[i : i + 2], 16)) for i in (1, 3, 5))
    return "#" + "".join(f"{round(a + (b - a) * share):02x}" for a, b in pairs)


def hatch_line(tone: str) -> str:
    """Return the colour of the lines of a hatch."""
    return mix(TONES[tone], "#ffffff", 0.25)


def hatch_ground(tone: str) -> str:
    """Return the pale colour under the hatch of an undetermined flow."""
    return mix(TONES[tone], "#ffffff", 0.78)


def ribbon_paint(style: str, tone: str, css: str) -> Paint:
    """Return how a part of a link is painted; the hatch itself is up to the renderer.

    Parameters
    ----------
    style, tone, css : str
        As in `mfa.sankey.geometry.Ribbon`.
    """
    colour, marks = TONES[tone], css.split()
    stroke, width = ("none", 0.0)
    if "bottleneck" in marks:
        stroke, width = RED, 2.2
    elif "flagged" in marks:
        stroke, width = "#d98200", 1.7
    if style == "casing":
        return Paint("#ffffff")
    if style == "hairline":
        return Paint("none", mix(colour, "#000000", 0.3), 1.0, (4.0, 2.0))
    if style == "hatched":
        dash = () if width else (5.0, 3.0)
        return Paint(hatch_ground(tone), stroke if width else colour, width or 1.1, dash)
    if style == "halo":
        return Paint(colour, stroke, width, (), HALO_OPACITY)
    return Paint(colour, stroke, width)


@dataclass(frozen=True, slots=True)
class Words:
    """What the chart says in one language."""

    stock: str
    per_year: str
    bottleneck: str
    differ: str
    suspect: str
    source: str
    note: str
    range_mark: str
    lanes: tuple[tuple[str, str], ...]
    undetermined: str
    undetermined_arrow: str
    statuses: tuple[tuple[str, str], ...]
    stages: dict[str, str]
    nothing: str
    boundary: str
    core: str
    hairline: str
    assumed: str
    flagged: str
    reversed: str
    self_link: str
    count: str


EN = Words(
    stock="stock",
    per_year="/yr",
    bottleneck="bottleneck",
    differ="data differ by {} %",
    suspect="data suspect",
    source="Source: ",
    note="Note: ",
    range_mark="–",
    lanes=(
        ("main", "material and products"),
        ("trade", "across the system boundary"),
        ("scrap", "scrap"),
        ("loss", "losses"),
        ("discrepancy", "discrepancy of the data"),
    ),
    undetermined="undetermined by the data; as wide as the middle of its range, {} if unlimited",
    undetermined_arrow="undetermined by the data",
    statuses=(
        ("fixed", "exact"),
        ("measured", "measured"),
        ("reconciled", "measured and reconciled"),
        ("calculated", "calculated from the others"),
    ),
    stages={
        "mining": "Mining",
        "concentration": "Concentration",
        "smelting": "Smelting",
        "refining": "Refining",
        "fabrication": "Fabrication",
        "manufacturing": "Manufacturing",
        "use": "Use",
        "collection": "Collection",
        "sorting": "Sorting",
        "recycling": "Recycling",
        "disposal": "Disposal",
        "trade": "Market",
    },
    nothing="nothing flows",
    boundary="system boundary",
    core="dark: value − sd, with pale edge: value + sd",
    hairline="too small for the scale",
    assumed="* rests on an assumption",
    flagged="data contradict each other",
    reversed="negative: against the arrow's usual direction",
    self_link="internal",
    count="{} processes and {} flows, in {}.",
)

JA = Words(
    stock="蓄積",
    per_year="/年",
    bottleneck="ボトルネック",
    differ="データの食い違い {} %",
    suspect="データに疑いあり",
    source="出典: ",
    note="注: ",
    range_mark="–",
    lanes=(
        ("main", "主な流れ"),
        ("trade", "系の境界を越える流れ"),
        ("scrap", "スクラップ"),
        ("loss", "損失"),
        ("discrepancy", "データの不一致"),
    ),
    undetermined="未確定(幅は範囲の中央、上限がなければ {})",
    undetermined_arrow="データからは未確定",
    statuses=(
        ("fixed", "確定値"),
        ("measured", "測定値"),
        ("reconciled", "調整後の測定値"),
        ("calculated", "他の値からの計算値"),
    ),
    stages={
        "mining": "採掘",
        "concentration": "選鉱",
        "smelting": "製錬",
        "refining": "精製",
        "fabrication": "一次加工",
        "manufacturing": "製造",
        "use": "使用",
        "collection": "回収",
        "sorting": "選別",
        "recycling": "再生",
        "disposal": "処分",
        "trade": "市場",
    },
    nothing="流れなし",
    boundary="系の境界",
    core="濃色: 値 − 標準偏差、淡色の縁まで: 値 + 標準偏差",
    hairline="縮尺では細すぎる流れ",
    assumed="* 仮定に基づく値",
    flagged="データの食い違い",
    reversed="負の値: 矢印は逆向き",
    self_link="内部循環",
    count="{} 工程、{} フロー、単位 {}。",
)


def words(lang: Literal["en", "ja"]) -> Words:
    """Return the chart's own words in a language."""
    return JA if lang == "ja" else EN
