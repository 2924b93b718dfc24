"""The real cases that come with the package, as CSV folders."""

from __future__ import annotations

from pathlib import Path

import mfa
from mfa.errors import MFAError, near
from mfa.io.csv_folder import read_csv_sheets
from mfa.system import RawSheet


def _home() -> Path:
    """Return the folder of the cases: within an installed package, or beside it in its source."""
    package = Path(mfa.__file__).parent
    installed = package / "cases"
    return installed if installed.is_dir() else package.parent / "flows"


def cases() -> list[str]:
    """Return the names of the cases that come with the package.

    Examples
    --------
    >>> import mfa
    >>> "copper-japan" in mfa.cases()
    True
    """
    return sorted(path.parent.name for path in _home().glob("*/flows.csv"))


def case_sheets(name: str) -> dict[str, RawSheet]:
    """Return the sheets of a case.

    Raises
    ------
    MFAError
        If there is none of that name.
    """
    names = cases()
    if name not in names:
        advice = near(name, names, f"there are {', '.join(names)}")
        raise MFAError(f"no case is called {name!r}; {advice}")
    return read_csv_sheets(_home() / name)
