"""README and docs: their code runs, their figures come out, their generated pages are current."""

from __future__ import annotations

import importlib.util
import re
import shutil
import sys
from pathlib import Path

import pytest

import mfa
from mfa.recycling.indicators import IDS

ROOT = Path(__file__).parents[2]
PAGES = (
    "README.md",
    "docs/bottlenecks.md",
    "docs/charts.md",
    "docs/contradictions.md",
    "docs/indicators.md",
    "docs/python.md",
    "docs/scenarios.md",
    "docs/stocks.md",
    "docs/supply.md",
    "docs/tracing.md",
)


@pytest.mark.parametrize("page", PAGES)
def test_python_blocks_run(page, tmp_path, monkeypatch):
    blocks = re.findall(r"```python\n(.*?)```", (ROOT / page).read_text(encoding="utf-8"), re.S)
    assert blocks
    for folder in ("flows", "docs/data"):
        shutil.copytree(ROOT / folder, tmp_path / folder)
    monkeypatch.chdir(tmp_path)
    names: dict[str, object] = {}
    for block in blocks:
        exec(compile(block, page, "exec"), names)


def test_every_indicator_is_explained():
    page = (ROOT / "docs/indicators.md").read_text(encoding="utf-8")
    listed = page.split("## The list")[1].split("## One rate")[0]
    assert tuple(re.findall(r"^\| `(\w+)` \|", listed, re.M)) == IDS


@pytest.mark.parametrize("page", ["format", "contradictions"])
def test_pages_made_from_code_are_current(page):
    spec = importlib.util.spec_from_file_location("build_docs", ROOT / "docs" / "build.py")
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    made = getattr(module, f"{page}_page")()
    assert (ROOT / "docs" / f"{page}.md").read_text(encoding="utf-8") == made


def test_ci_runs_the_test_command_of_the_readme():
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    commands = re.findall(r"```sh\n(.*?)\n```", readme, re.S)
    assert len(commands) == 2
    assert commands[1] in (ROOT / ".ci" / "run").read_text(encoding="utf-8")


def test_figures_in_the_readme_come_out():
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    words = " ".join(readme.split())
    balance = mfa.reconcile(mfa.read_workbook(ROOT / "flows" / "copper-japan.xlsx"))
    assert f"χ² = {balance.chi2:.1f} on {balance.dof} degrees of freedom" in words
    data = balance.suspects[balance.suspects["kind"] == "datum"]
    tied = (data["z"].abs() > data["z"].abs().max() - 1e-9).sum()
    assert tied == 8
    assert f"eight numbers of fiscal 2015, tied at |z| = {data['z'].abs().max():.2f}" in words
    rates = mfa.indicators(balance)
    rates = rates[rates["year"] == 2018].set_index("indicator")
    rate = rates.loc["recycling_input_rate_total"]
    assert f"{100 * rate['value']:.1f} ± {100 * rate['sd']:.1f} % in 2018" in words
    assert f"{100 * rate['assumed']:.0f} % of that variance from assumptions" in words
    assert f"anything from 0 to {100 * rates.loc['eol_recycling_rate', 'high']:.0f} %" in words
    first = mfa.survey(balance, year=2018)
    assert set(first["item"][first["width_then"] < first["width_then"].min() + 1e-9]) == {
        "new_scrap",
        "old_scrap",
    }


def test_version_is_the_same_everywhere():
    assert f"version: {mfa.__version__}" in (ROOT / "CITATION.cff").read_text(encoding="utf-8")
    assert f"## {mfa.__version__}" in (ROOT / "CHANGELOG.md").read_text(encoding="utf-8")


@pytest.mark.parametrize(
    "page", ["README.md", *(f"docs/{p.name}" for p in (ROOT / "docs").glob("*.md"))]
)
def test_links_lead_somewhere(page):
    text = (ROOT / page).read_text(encoding="utf-8")
    for target in re.findall(r"\]\(([^)#:]+)\)", text):
        assert ((ROOT / page).parent / target).exists(), target
