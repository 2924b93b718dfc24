"""Make the workbooks of this folder from their CSV twins: ``python flows/build.py``."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path

from mfa.io.csv_folder import read_csv_sheets
from mfa.io.forms import save_forms

HERE = Path(__file__).parent
MADE = datetime(2026, 1, 1)  # noqa: DTZ001  # workbooks know no time zones; a fixed date keeps bytes


def build(folder: Path, path: Path) -> None:
    """Write one workbook, its sheets in the order of the format."""
    save_forms(path, list(read_csv_sheets(folder).values()), folder.name, made=MADE)


if __name__ == "__main__":
    for folder in sorted(HERE.iterdir()):
        if (folder / "flows.csv").exists():
            build(folder, folder.with_suffix(".xlsx"))
            print(folder.with_suffix(".xlsx").relative_to(HERE.parent))
