"""The command line: the only place that prints."""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path
from typing import Annotated, Literal

import typer

import mfa
from mfa.cli import console
from mfa.cli.run import Outcome, UsageError, carry_out, check_output, read, reconcile
from mfa.cli.summary import summary_lines

_HELP = "Material flow analysis: balance flow workbooks, draw them, find where recycling is lost."
app = typer.Typer(
    name="mfa",
    help=_HELP,
    no_args_is_help=True,
    add_completion=False,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
)

Say = Callable[[str], None]
Book = Annotated[Path, typer.Argument(help="Flow workbook (.xlsx), or a folder of CSV files.")]
Json = Annotated[bool, typer.Option("--json", help="Answer in JSON, for machines.")]
Debug = Annotated[bool, typer.Option("--debug", help="Show tracebacks.")]
Strict = Annotated[bool, typer.Option("--strict", help="Exit with 4 if the data contradict.")]
Language = Annotated[Literal["en", "ja"], typer.Option("--lang", help="Language.")]


def _show_version(value: bool) -> None:
    if value:
        console.out(f"mfa {mfa.__version__}")
        raise typer.Exit


@app.callback()
def _options(
    version: Annotated[
        bool,
        typer.Option("--version", callback=_show_version, is_eager=True, help="Show the version."),
    ] = False,
) -> None:
    """Material flow analysis: balance flow workbooks, draw them, find where recycling is lost."""


def _finish(code: int) -> None:
    if code:
        raise typer.Exit(code)


@app.command()
def check(book: Book, json: Json = False, debug: Debug = False) -> None:
    """List every problem in a workbook, by cell."""

    def work(outcome: Outcome, say: Say) -> None:
        say(f"reading {book.name}")
        system = read(book, outcome)
        outcome.problems += mfa.remarks(system)
        errors = sum(problem.severity == "error" for problem in outcome.problems)
        warnings = len(outcome.problems) - errors
        outcome.code = 3 if errors else 0
        outcome.lines.append(f"{book.name}: {system}")
        outcome.lines.append(f"{errors} errors, {warnings} warnings")

    _finish(carry_out("check", work, json=json, debug=debug))


@app.command()
def balance(
    book: Book,
    output: Annotated[
        Path | None, typer.Option("-o", "--output", help="Default: NAME-results.xlsx here.")
    ] = None,
    strict: Strict = False,
    json: Json = False,
    debug: Debug = False,
) -> None:
    """Reconcile a workbook and write the results workbook."""

    def work(outcome: Outcome, say: Say) -> None:
        target = output or Path(f"{book.stem}-results.xlsx")
        check_output(target, book)
        result = reconcile(book, outcome, strict, say)
        say(f"writing {target.name}")
        mfa.write_workbook(result, target)
        outcome.lines += summary_lines(result)
        outcome.outputs.append(target)

    _finish(carry_out("balance", work, json=json, debug=debug))


@app.command()
def sankey(
    book: Book,
    output: Annotated[
        Path, typer.Option("-o", "--output", help="File to write: .svg .png .pdf or .json.")
    ],
    year: Annotated[int | None, typer.Option("--year", help="Default: the last one.")] = None,
    substance: Annotated[
        str | None, typer.Option("--substance", help="Default: the first one.")
    ] = None,
    lang: Language = "en",
    strict: Strict = False,
    json: Json = False,
    debug: Debug = False,
) -> None:
    """Draw one circulation chart."""

    def work(outcome: Outcome, say: Say) -> None:
        check_output(output, book)
        if output.suffix.lower() not in (".svg", ".png", ".pdf", ".json"):
            raise UsageError(f"{output}: no kind of chart; use .svg, .png, .pdf or .json")
        result = reconcile(book, outcome, strict, say)
        say(f"drawing {output.name}")
        mfa.sankey(result, year=year, substance=substance, lang=lang).save(output)
        outcome.outputs.append(output)

    _finish(carry_out("sankey", work, json=json, debug=debug))


@app.command()
def report(
    book: Book,
    output: Annotated[
        Path | None, typer.Option("-o", "--output", help="Folder. Default: reports/NAME.")
    ] = None,
    lang: Language = "en",
    strict: Strict = False,
    json: Json = False,
    debug: Debug = False,
) -> None:
    """Do the main job: reconcile, draw, and write the report into a folder."""

    def work(outcome: Outcome, say: Say) -> None:
        folder = output or Path("reports") / book.stem
        check_output(folder, book)
        if folder.is_file():
            raise UsageError(f"{folder}: is a file; give a folder with -o")
        result = reconcile(book, outcome, strict, say)
        page = mfa.write_report(result, folder, lang=lang, progress=say)
        outcome.lines += summary_lines(result)
        outcome.outputs.append(page)

    _finish(carry_out("report", work, json=json, debug=debug))


def main() -> None:
    """Run the command line."""
    console.use_utf8()
    sys.exit(app())
