"""What the command line says, and where: results to standard output, messages to standard error."""

from __future__ import annotations

import io
import json
import os
import re
import sys
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from typing import Any

from mfa.errors import Problem

_MOST_WARNINGS = 20
# What would break a line, steer a terminal, or cannot be encoded.
_UNSEEN = re.compile("[\x00-\x1f\x7f-\x9f\u2028\u2029\ud800-\udfff]")
_COLOURS = {"error": "\x1b[31m", "warning": "\x1b[33m"}


def use_utf8() -> None:
    """Make both streams UTF-8, whatever the console's code page is."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(encoding="utf-8", errors="replace")


def finish(run: Callable[[], object]) -> int:
    """Run a program to its end and see its output through; return the exit code.

    That standard output cannot be written, as on a full disk, is an error. That its reader left,
    as in a pipe to head, is none.
    """
    code: object = 0
    try:
        try:
            run()
        except SystemExit as end:
            code = end.code
        sys.stdout.flush()
    except BrokenPipeError:
        _drop_output()
    except OSError as error:
        _drop_output()
        message("error", f"cannot write the answer: {error.strerror or error}; check the disk")
        return 2
    return code if isinstance(code, int) else 1


def _drop_output() -> None:
    """Let standard output lead nowhere, so that what is left of it does no harm at the end."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def out(text: str) -> None:
    """Print a line of a result."""
    try:
        print(text, flush=True)
    except BrokenPipeError:
        _drop_output()


def one_line(text: str) -> str:
    """Return a text in which line breaks and control characters are spelt out."""
    return _UNSEEN.sub(lambda found: found[0].encode("unicode_escape").decode(), text)


def message(severity: str, text: str) -> None:
    """Print a message as one line that can be found with grep."""
    text = one_line(text)
    colour = sys.stderr.isatty() and "NO_COLOR" not in os.environ
    head = f"{_COLOURS[severity]}{severity}:\x1b[0m" if colour else f"{severity}:"
    print(f"{head} {text}", file=sys.stderr)


def problems(found: Iterable[Problem], *, every_warning: bool = False) -> None:
    """Print problems: every error, and the first warnings or all of them."""
    listed = list(found)
    for problem in listed:
        if problem.severity == "error":
            message("error", str(problem))
    warnings = [problem for problem in listed if problem.severity == "warning"]
    shown = warnings if every_warning else warnings[:_MOST_WARNINGS]
    for problem in shown:
        message("warning", str(problem))
    if len(warnings) > len(shown):
        message("warning", f"{len(warnings) - len(shown)} more; 'mfa check' lists them all")


@contextmanager
def progress() -> Iterator[Callable[[str], None]]:
    """Give a function that shows what is being done; silent unless errors go to a terminal."""
    if not sys.stderr.isatty():
        yield lambda _: None
        return
    from rich.console import Console  # late: a tenth of a second that --help can do without

    console = Console(stderr=True)
    with console.status("") as status:
        yield status.update


def as_json(
    command: str,
    code: int,
    found: Iterable[Problem],
    fit: dict[str, Any] | None,
    outputs: Iterable[str],
    results: list[dict[str, Any]] | None = None,
) -> str:
    """Return the answer for machines; ``results`` only of commands that have some."""
    listed = [
        {
            "file": problem.file,
            "sheet": problem.sheet,
            "cell": problem.cell,
            "severity": problem.severity,
            "what": problem.what,
            "found": problem.found,
            "do": problem.do,
        }
        for problem in found
    ]
    answer = {
        "format": 1,
        "command": command,
        "exit": code,
        "problems": listed,
        "fit": fit,
        "outputs": list(outputs),
    }
    if results is not None:
        answer["results"] = results
    return json.dumps(answer, ensure_ascii=False, indent=1)
