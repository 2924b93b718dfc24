"""The package as it is installed: the cases come with it, from a wheel and from its source."""

from __future__ import annotations

import importlib.util
import os
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

import mfa

ROOT = Path(__file__).parents[2]
# Run a program with a folder in front of everything else, and without any other copy of mfa.
START = """
import site, sys
from pathlib import Path
sys.path[:] = [p for p in sys.path if p and not Path(p, "mfa").is_dir()]
sys.meta_path[:] = [finder for finder in sys.meta_path if "editable" not in repr(finder)]
site.addsitedir({folder!r})
sys.argv = ["mfa", *{words!r}]
import mfa
print(Path(mfa.__file__).parent)
from mfa.cli import main
main()
"""


@pytest.fixture(params=["build_wheel", "build_editable"])
def installed(request, tmp_path) -> tuple[Path, Path]:
    """Return a folder as pip would install into, and where the package then lies."""
    if importlib.util.find_spec("hatchling") is None:
        pytest.skip("hatchling, which builds the wheel, is not installed")
    code = f"from hatchling.build import {request.param} as b; b({str(tmp_path)!r})"
    subprocess.run([sys.executable, "-c", code], cwd=ROOT, check=True, capture_output=True)
    (wheel,) = tmp_path.glob("*.whl")
    with zipfile.ZipFile(wheel) as archive:
        archive.extractall(tmp_path / "site")
    home = tmp_path / "site" if request.param == "build_wheel" else ROOT
    return tmp_path / "site", home / "mfa"


def run(folder: Path, words: list[str], where: Path) -> list[str]:
    code = START.format(folder=str(folder), words=words)
    environment = {k: v for k, v in os.environ.items() if k != "PYTHONPATH"}
    done = subprocess.run(
        [sys.executable, "-c", code],
        cwd=where,
        env=environment,
        capture_output=True,
        text=True,
        encoding="utf-8",
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout.splitlines()


def test_a_template_is_written_without_the_source(installed, tmp_path):
    folder, package = installed
    where = tmp_path / "elsewhere"
    where.mkdir()
    lines = run(folder, ["template", "new.xlsx", "--example", "copper-japan"], where)
    assert lines == [str(package), "new.xlsx"]
    system = mfa.read_workbook(where / "new.xlsx")
    case = mfa.read_tables(ROOT / "flows" / "copper-japan")
    columns = ["flow", "year", "value", "sd", "reference"]
    assert system.data[columns].equals(case.data[columns])


def test_every_case_is_in_the_wheel(tmp_path):
    if importlib.util.find_spec("hatchling") is None:
        pytest.skip("hatchling, which builds the wheel, is not installed")
    code = f"from hatchling.build import build_wheel as b; b({str(tmp_path)!r})"
    subprocess.run([sys.executable, "-c", code], cwd=ROOT, check=True, capture_output=True)
    (wheel,) = tmp_path.glob("*.whl")
    with zipfile.ZipFile(wheel) as archive:
        names = set(archive.namelist())
    for path in (ROOT / "flows").glob("*/*.csv"):
        assert f"mfa/cases/{path.parent.name}/{path.name}" in names
    assert {"mfa/sankey/chart.css", "mfa/sankey/chart.js", "mfa/schema.csv"} <= names
    assert {name.split("/")[0] for name in names if "dist-info" not in name} == {"mfa"}
    assert not [name for name in names if name.startswith("mfa/cases/") and name[-4:] != ".csv"]
