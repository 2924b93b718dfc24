"""A small copper cycle that closes, in numbers that tell everything apart."""

from __future__ import annotations

from mfa.balance import Balance, reconcile

from .cycles import Number, cycle_of, process, system_of

PROCESSES = (
    process("abroad", kind="import"),
    process("pit", kind="source"),
    process("buyers", kind="export"),
    process("dump", kind="sink"),
    process("landfill", "disposal", stock=True),
    process("smelter", "smelting"),
    process("metal", "trade"),
    process("mill", "fabrication"),
    process("factory", "manufacturing"),
    process("homes", "use", stock=True),
    process("yard", "collection"),
    process("market", "trade"),
)
_FLOWS = (
    ("ore", "abroad", "smelter", "primary", 410.0),
    ("own_ore", "pit", "smelter", "primary", 37.0),
    ("scrap_smelter", "market", "smelter", "scrap", 53.0),
    ("slag", "smelter", "dump", "loss", 19.0),
    ("cathode", "smelter", "metal", "refined", 481.0),
    ("metal_in", "abroad", "metal", "refined", 83.0),
    ("metal_out", "metal", "buyers", "refined", 61.0),
    ("to_mill", "metal", "mill", "refined", 503.0),
    ("scrap_mill", "market", "mill", "scrap", 71.0),
    ("home", "mill", "mill", "home_scrap", 29.0),
    ("cutoffs", "mill", "market", "new_scrap", 43.0),
    ("strip", "mill", "factory", "product", 531.0),
    ("turnings", "factory", "market", "new_scrap", 67.0),
    ("goods_out", "factory", "buyers", "product", 101.0),
    ("goods", "factory", "homes", "product", 363.0),
    ("goods_in", "abroad", "homes", "product", 47.0),
    ("discarded", "homes", "yard", "end_of_life", 211.0),
    ("demolition", "homes", "market", "old_scrap", 23.0),
    ("sold", "yard", "market", "old_scrap", 131.0),
    ("hulks", "yard", "buyers", "old_scrap", 31.0),
    ("burnt", "yard", "dump", "loss", 32.0),
    ("buried", "yard", "landfill", "old_scrap", 17.0),
    ("scrap_in", "abroad", "market", "scrap", 59.0),
    ("sweepings", "market", "dump", "loss", 13.0),
    ("scrap_out", "market", "buyers", "scrap", 186.0),
)
CYCLE = cycle_of(PROCESSES, (flow[:4] for flow in _FLOWS))
VALUES = {flow[0]: flow[4] for flow in _FLOWS}
DATA: dict[str, Number] = {
    name: (value, 0.01 * value * (1 + k % 5)) for k, (name, value) in enumerate(VALUES.items())
}


def balance(data: dict[str, Number] = DATA) -> Balance:
    return reconcile(system_of(CYCLE, data))
