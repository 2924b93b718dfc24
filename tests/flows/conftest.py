"""The shipped cases as tables, so that tests can state them differently."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pandas as pd
import pytest

FLOWS = Path(__file__).parents[2] / "flows"
Tables = dict[str, pd.DataFrame]


@pytest.fixture(scope="session")
def tables_of() -> Callable[[str], Tables]:
    def read(case: str) -> Tables:
        return {
            path.stem: pd.read_csv(path, dtype=str, keep_default_na=False, na_values=[""])
            for path in sorted((FLOWS / case).glob("*.csv"))
        }

    return read


@pytest.fixture(scope="session")
def page_of() -> Callable[[str], str]:
    """Return a page with its lines joined, so that sentences can be looked up."""

    def read(case: str) -> str:
        return " ".join((FLOWS / f"{case}.md").read_text(encoding="utf-8").split())

    return read
