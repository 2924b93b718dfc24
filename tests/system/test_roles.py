"""Warnings of roles that do not go together with where a flow comes from."""

import pandas as pd
import pytest

from mfa.system import System


def warnings(role: str, beside: str, stage: str = "use") -> list[str]:
    """Return what is said of a flow to the dealer with a role, beside another flow's."""
    system = System.from_tables(
        {
            "system": pd.DataFrame({"key": ["unit", "substances"], "value": ["kt/yr", "Cu"]}),
            "processes": pd.DataFrame(
                {
                    "process": ["shop", "homes", "dealer", "dump"],
                    "kind": ["source", None, "sink", "sink"],
                    "stage": ["", stage, "collection", "disposal"],
                }
            ),
            "flows": pd.DataFrame(
                {
                    "flow": ["sold", "rest", "taken"],
                    "from": ["shop", "homes", "homes"],
                    "to": ["homes", "dump", "dealer"],
                    "year": 2019,
                    "role": ["product", beside, role],
                    "value": [9.0, 2.0, 7.5],
                    "sd": [0.5, 0.3, 0.7],
                }
            ),
        }
    )
    return [str(problem) for problem in system.problems if "'taken'" in problem.what]


def test_old_scrap_beside_what_is_generated() -> None:
    (text,) = warnings("old_scrap", "end_of_life,loss")
    assert "end_of_life,old_scrap" in text
    assert "flows!E4" in text


@pytest.mark.parametrize(
    ("role", "beside", "stage"),
    [
        ("end_of_life,old_scrap", "end_of_life,loss", "use"),
        ("old_scrap", "loss", "use"),
        ("end_of_life", "end_of_life", "use"),
        ("old_scrap", "end_of_life", "collection"),
    ],
)
def test_roles_that_go_together(role: str, beside: str, stage: str) -> None:
    assert warnings(role, beside, stage) == []
