"""The command line: the only place that prints."""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path
from typing import Annotated, Literal

import typer

import mfa
from mfa.cli import console
from mfa.cli.outputs import check_file, check_folder, check_new, keep_input, writing
from mfa.cli.run import Outcome, carry_out, read, reconcile
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


def _with_name(path: Path) -> Path:
    """Return the folder that . or .. stands for, so that results can be called after it."""
    return path if path.name not in ("", "..") else path.resolve()


Book = Annotated[
    Path,
    typer.Argument(help="Flow workbook (.xlsx), or a folder of CSV files.", callback=_with_name),
]
Json = Annotated[bool, typer.Option("--json", help="Answer in JSON, for machines.")]
Debug = Annotated[bool, typer.Option("--debug", help="Show tracebacks.")]
Strict = Annotated[bool, typer.Option("--strict", help="Exit with 4 if the data contradict.")]
Force = Annotated[bool, typer.Option("--force", help="Replace what is there.")]
Language = Annotated[Literal["en", "ja"], typer.Option("--lang", help="Language.")]
Binding = Annotated[
    Literal["exact", "soft", "off"],
    typer.Option("--survival", help="How strictly lifetimes bind stocks to their cohorts."),
]
BindingCv = Annotated[
    float,
    typer.Option("--survival-cv", help="With soft: sd of an outflow about its cohorts, relative."),
]


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


def _stem(book: Path) -> str:
    return book.name if book.is_dir() else book.stem


def _finish(code: int) -> None:
    if code:
        raise typer.Exit(code)


@app.command()
def template(
    output: Annotated[Path, typer.Argument(help="Workbook to write (.xlsx).")],
    example: Annotated[
        str | None,
        typer.Option(
            "--example", help="Case to fill in, e.g. copper-japan; a wrong name lists all."
        ),
    ] = None,
    lang: Language = "en",
    force: Force = False,
    json: Json = False,
    debug: Debug = False,
) -> None:
    """Write a workbook to be filled in, blank or with a real case."""

    def work(outcome: Outcome, say: Say) -> None:
        check_new(output, (".xlsx",), force)
        say(f"writing {output.name}")
        with writing(output):
            mfa.write_template(output, example, lang)
        outcome.outputs.append(output)

    _finish(carry_out("template", work, json=json, debug=debug))


@app.command()
def convert(
    book: Book,
    output: Annotated[Path, typer.Argument(help="Folder of CSV files, or workbook (.xlsx).")],
    force: Force = False,
    json: Json = False,
    debug: Debug = False,
) -> None:
    """Turn a workbook into a folder of CSV files, or such a folder into a workbook."""

    def work(outcome: Outcome, say: Say) -> None:
        outcome.file = book.name
        keep_input(book, output)
        check_new(output, (".xlsx", ""), force)
        say(f"writing {output.name}")
        with writing(output):
            mfa.convert(book, output)
        outcome.outputs.append(output)

    _finish(carry_out("convert", work, json=json, debug=debug))


@app.command()
def check(book: Book, json: Json = False, debug: Debug = False) -> None:
    """List every problem in a workbook, by cell."""

    def work(outcome: Outcome, say: Say) -> None:
        say(f"reading {book.name}")
        system = read(book, outcome)
        outcome.problems += [p for p in mfa.remarks(system) if p.severity == "warning"]
        if len(system.flows):
            mfa.reconcile(system, progress=say)  # raises if no values can close the balances
        count = len(outcome.problems)
        outcome.lines.append(f"{book.name}: {system}")
        outcome.lines.append(f"0 errors, {count} warning{'' if count == 1 else 's'}")

    _finish(carry_out("check", work, json=json, debug=debug))


@app.command()
def balance(
    book: Book,
    output: Annotated[
        Path | None, typer.Option("-o", "--output", help="Default: NAME-results.xlsx here.")
    ] = None,
    survival: Binding = "exact",
    survival_cv: BindingCv = 0.1,
    strict: Strict = False,
    json: Json = False,
    debug: Debug = False,
) -> None:
    """Reconcile a workbook and write the results workbook."""

    def work(outcome: Outcome, say: Say) -> None:
        target = output or Path(f"{_stem(book)}-results.xlsx")
        check_file(target, book, (".xlsx",))
        result = reconcile(book, outcome, strict, say, survival, survival_cv)
        say(f"writing {target.name}")
        with writing(target):
            mfa.write_workbook(result, target)
        outcome.lines += summary_lines(result)
        outcome.outputs.append(target)

    _finish(carry_out("balance", work, json=json, debug=debug))


@app.command()
def sankey(
    book: Book,
    output: Annotated[
        Path, typer.Option("-o", "--output", help="File to write: .svg .png .pdf .html or .json.")
    ],
    year: Annotated[
        list[int] | None,
        typer.Option("--year", help="Default: the last one; repeat it to compare years."),
    ] = None,
    substance: Annotated[
        str | None, typer.Option("--substance", help="Default: the first one.")
    ] = None,
    region: Annotated[
        str | None, typer.Option("--region", help="One region apart. Default: the whole.")
    ] = None,
    lang: Language = "en",
    style: Annotated[
        Literal["cycle", "circulation"],
        typer.Option("--style", help="Ribbons to scale, or lanes with a number in every box."),
    ] = "cycle",
    colour: Annotated[
        Literal["role", "substance", "origin", "adjustment"],
        typer.Option("--colour", help="What colours tell."),
    ] = "role",
    before: Annotated[
        bool, typer.Option("--before", help="Show the data beside the results.")
    ] = False,
    strict: Strict = False,
    json: Json = False,
    debug: Debug = False,
) -> None:
    """Draw one circulation chart."""

    def work(outcome: Outcome, say: Say) -> None:
        check_file(output, book, (".svg", ".png", ".pdf", ".html", ".json"))
        result = reconcile(book, outcome, strict, say)
        say(f"drawing {output.name}")
        chart = mfa.sankey(
            result,
            year=year or None,
            substance=substance,
            lang=lang,
            region=region,
            style=style,
            colour=colour,
            before=before,
        )
        with writing(output):
            chart.save(output)
        outcome.outputs.append(output)

    _finish(carry_out("sankey", work, json=json, debug=debug))


@app.command()
def report(
    book: Book,
    output: Annotated[
        Path | None, typer.Option("-o", "--output", help="Folder. Default: reports/NAME.")
    ] = None,
    lang: Language = "en",
    survival: Binding = "exact",
    survival_cv: BindingCv = 0.1,
    strict: Strict = False,
    json: Json = False,
    debug: Debug = False,
) -> None:
    """Do the main job: reconcile, draw, and write the report into a folder."""

    def work(outcome: Outcome, say: Say) -> None:
        folder = output or Path("reports") / _stem(book)
        check_folder(folder, book, ("results.xlsx",))
        result = reconcile(book, outcome, strict, say, survival, survival_cv)
        with writing(folder):
            page = mfa.write_report(result, folder, lang=lang, progress=say)
        outcome.lines += summary_lines(result)
        outcome.outputs.append(page)

    _finish(carry_out("report", work, json=json, debug=debug))


@app.command()
def watch(
    book: Book,
    output: Annotated[
        Path | None, typer.Option("-o", "--output", help="Folder to keep. Default: none is kept.")
    ] = None,
    port: Annotated[int, typer.Option("--port", min=0, max=65535, help="0: any free one.")] = 0,
    no_browser: Annotated[bool, typer.Option("--no-browser", help="Open no browser.")] = False,
    lang: Language = "en",
    debug: Debug = False,
) -> None:
    """Show the report in the browser, redrawn whenever the workbook is saved."""

    def work(_: Outcome, say: Say) -> None:
        from mfa.cli.watch import show  # late: a web server that other commands do without

        if output:
            check_folder(output, book, ("results.xlsx",))
        show(book, lang, output, port, not no_browser, say)

    _finish(carry_out("watch", work, json=False, debug=debug))


def main() -> None:
    """Run the command line."""
    console.use_utf8()
    sys.exit(console.finish(app))
