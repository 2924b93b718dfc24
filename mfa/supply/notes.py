"""What the result of a shock rests on, as keys with names to fill in, and in English."""

from __future__ import annotations

from dataclasses import dataclass

TEXTS = {
    "even": "The flows of {year} go on evenly, a twelfth each month; a balance knows no seasons.",
    "no_more": "No supplier delivers more than usual, unless the sheet 'substitutions' says so.",
    "mixed": "What a process gets from several suppliers is interchangeable there.",
    "technical": "Losses and new scrap stay the same share of what a process passes on; its other "
    "outputs go where they leave the least demand unmet.",
    "returns": "What leaves use, and what comes from outside the path, comes as usual.",
    "exports": "Exports are demand like any other.",
    "stops_adding": "A process that usually adds to its own stock stops doing so when short.",
    "goes_on_drawing": "A process that usually draws on its own stock may go on, no faster.",
    "blocked": "The path stops at {process}, as {flows} are undetermined: what is short there is "
    "short beyond it.",
    "capacity": "The capacity of {process} counts something else than {substance}: not used.",
    "stock": "What is kept at a process is what it takes in, and all of it can be used.",
    "unused_stock": "The stock at {process} is not on the path and helps nobody on it.",
    "days": "The days of stock asked for can be released at any speed.",
}


@dataclass(frozen=True, slots=True)
class Note:
    """One thing a result rests on: its key in `TEXTS`, and what is filled in."""

    key: str
    year: str = ""
    process: str = ""
    flows: tuple[str, ...] = ()
    substance: str = ""

    def __str__(self) -> str:
        most = 3
        flows = ", ".join(self.flows[:most])
        flows += f" and {len(self.flows) - most} more" if len(self.flows) > most else ""
        gaps = {"year": self.year, "process": self.process, "substance": self.substance}
        return TEXTS[self.key].format(flows=flows, **gaps)
