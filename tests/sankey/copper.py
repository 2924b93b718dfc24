"""Japan's copper cycle, roughly as of 2018, as a hand-made diagram."""

from __future__ import annotations

from collections.abc import Sequence

from mfa.sankey.diagram import Diagram, Lane, Link, Node, Part, Quantity, StockBox

# id, English, Japanese, stage
NODES = (
    ("ore", "Ore smelting", "鉱石製錬", "smelting"),
    ("secondary", "Scrap smelting", "スクラップ製錬", "smelting"),
    ("market", "Refined metal market", "地金市場", "trade"),
    ("wire", "Wire & cable mills", "電線・ケーブル", "fabrication"),
    ("rolled", "Rolled copper mills", "伸銅", "fabrication"),
    ("other", "Other first use", "その他の一次加工", "fabrication"),
    ("making", "Manufacturing & construction", "製造・建設", "manufacturing"),
    ("use", "Use", "使用", "use"),
    ("eol", "End-of-life products", "使用済製品", "collection"),
    ("collection", "Collection & dismantling", "回収・解体", "collection"),
    ("escrap", "E-scrap dealers", "電子スクラップ業者", "sorting"),
    ("scrap", "Scrap market", "スクラップ市場", "trade"),
)

_COUNTRIES = (
    ("Chile", "チリ", 530.0),
    ("Peru", "ペルー", 190.0),
    ("Australia", "オーストラリア", 155.0),
    ("Indonesia", "インドネシア", 140.0),
    ("Canada", "カナダ", 105.0),
    ("Papua New Guinea", "パプアニューギニア", 60.0),
    ("Mexico", "メキシコ", 34.0),
    ("Brazil", "ブラジル", 25.0),
    ("Philippines", "フィリピン", 20.0),
    ("United States", "米国", 15.0),
    ("Bolivia", "ボリビア", 10.0),
    ("Argentina", "アルゼンチン", 7.0),
    ("others", "その他", 4.0),
)


def measured(value: float, sd: float | None = None, assumed: bool = False) -> Quantity:
    return Quantity(value, sd, status="reconciled", assumed=assumed)


def unknown(low: float | None = 0.0, high: float | None = None) -> Quantity:
    return Quantity(None, low=low, high=high, status="undetermined")


_BLANK = Quantity(None, status="undetermined")
# id, source, target, lane, English, Japanese, quantity, sizes of the parts
_LINKS: tuple[
    tuple[str, str | None, str | None, Lane, str, str, Quantity, tuple[float, ...]], ...
] = (
    ("F02", None, "market", "import", "refined imports", "地金輸入", measured(26), ()),
    ("F03", "market", None, "export", "refined exports", "地金輸出", measured(592), ()),
    ("F04", "ore", "market", "main", "cathode", "電気銅", measured(1219, 12), ()),
    ("F05", "secondary", "market", "main", "cathode", "再生地金", measured(352, 3.5), ()),
    ("F06", "market", "wire", "main", "", "", measured(680, 14), ()),
    ("F07", "market", "rolled", "main", "", "", measured(335, 7), ()),
    ("F08", "market", "other", "main", "", "", measured(22, 2), ()),
    (
        "F09",
        "wire",
        "making",
        "main",
        "wire and cable",
        "電線",
        measured(676, 13),
        (322.0, 150.0, 90.0, 60.0, 34.0, 20.0),
    ),
    (
        "F10",
        "rolled",
        "making",
        "main",
        "rolled products",
        "伸銅品",
        measured(534, 35),
        (210.0, 120.0, 80.0, 50.0, 30.0, 20.0, 14.0, 10.0),
    ),
    ("F11", "other", "making", "main", "", "", measured(22, 2), ()),
    ("F12", "wire", None, "export", "wire exports", "電線輸出", measured(22), ()),
    ("F13", "rolled", None, "export", "rolled exports", "伸銅品輸出", measured(109, 7), ()),
    ("F14", "making", "use", "main", "", "", _BLANK, ()),
    ("F15", "making", None, "export", "product exports", "製品輸出", _BLANK, ()),
    ("F16", None, "use", "import", "product imports", "製品輸入", _BLANK, ()),
    ("F17", "making", "scrap", "scrap", "new scrap", "工程スクラップ", unknown(0, 870), ()),
    ("F18", "use", "eol", "main", "discarded", "排出", measured(1000, 150, True), ()),
    ("F19", "eol", "collection", "main", "", "", unknown(0, 940), ()),
    ("F20", "eol", None, "loss", "household waste", "家庭ごみ", measured(60.6, 12), ()),
    ("F21", "eol", None, "loss", "other losses", "その他の損失", unknown(0, 940), ()),
    ("F22", "collection", "scrap", "main", "", "", unknown(0, 720), ()),
    ("F23", "collection", "escrap", "main", "", "", unknown(0, 240), ()),
    ("F24", "escrap", "secondary", "scrap", "e-scrap", "電子スクラップ", unknown(0, 361), ()),
    ("F25", None, "escrap", "import", "e-scrap imports", "電子スクラップ輸入", unknown(0, 361), ()),
    ("F26", "scrap", "secondary", "scrap", "scrap", "スクラップ", unknown(0, 361), ()),
    ("F27", "scrap", "wire", "scrap", "scrap", "スクラップ", measured(18, 15), ()),
    ("F28", "scrap", "rolled", "scrap", "scrap", "スクラップ", measured(308, 40), ()),
    (
        "F29",
        "scrap",
        None,
        "export",
        "scrap exports",
        "スクラップ輸出",
        measured(196, 45, True),
        (),
    ),
    ("F30", None, "scrap", "import", "scrap imports", "スクラップ輸入", _BLANK, ()),
    ("F31", "ore", None, "loss", "slag", "スラグ", measured(31, 12), ()),
    ("F32", "secondary", None, "loss", "slag", "スラグ", measured(9, 4, True), ()),
)


def _parts(flow: str, label: str, quantity: Quantity, sizes: Sequence[float]) -> tuple[Part, ...]:
    if not sizes:
        return (Part(flow, label, quantity),)
    return tuple(
        Part(f"{flow}.{place}", f"{label} {place}", measured(size, 0.04 * size))
        for place, size in enumerate(sizes, 1)
    )


def _ore(japanese: bool) -> Link:
    parts = tuple(
        Part(f"F01.{place}", ja if japanese else en, measured(size, 0.05 * size))
        for place, (en, ja, size) in enumerate(_COUNTRIES, 1)
    )
    label = "銅精鉱の輸入(13 か国)" if japanese else "concentrate imports (13 countries)"
    return Link("F01", None, "ore", "import", label, measured(1295, 45), parts)


def _stock(node: str) -> StockBox | None:
    if node == "market":
        return StockBox(measured(107, 1), measured(-5.1))
    if node == "use":
        return StockBox(measured(21100, 2110), _BLANK)
    return None


def build(lang: str = "en") -> Diagram:
    """Return the diagram in English or Japanese."""
    japanese = lang == "ja"
    nodes = tuple(
        Node(
            key,
            ja if japanese else en,
            stage,
            stock=_stock(key),
            imbalance=0.046 if key == "rolled" else None,
            flagged=key == "rolled",
            bottleneck=key == "eol",
        )
        for key, en, ja, stage in NODES
    )
    links = tuple(
        Link(
            key,
            source,
            target,
            lane,
            ja if japanese else en,
            quantity,
            _parts(key, ja if japanese else en, quantity, sizes),
            bottleneck=key == "F21",
        )
        for key, source, target, lane, en, ja, quantity, sizes in _LINKS
    )
    return Diagram(
        "日本の銅の循環" if japanese else "Copper cycle of Japan",
        "銅純分、kt/年、2018 年" if japanese else "Copper content, kt/yr, 2018",
        "kt/年" if japanese else "kt/yr",
        nodes,
        (_ore(japanese), *links),
        source="例示のための概数" if japanese else "rounded figures, for illustration only",
        lang="ja" if japanese else "en",
    )
