"""A small web server for one page and the files that belong to it, for this machine alone.

It answers on the loopback address only, to GET and HEAD only, and only if the browser asked for
that address by name: a page elsewhere that lets its own name point to this machine gets nothing.
Files are looked up in the list of what is in the folder, so that no path leads out of it.
"""

from __future__ import annotations

import json
import logging
import os
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from importlib.resources import files
from pathlib import Path
from socketserver import TCPServer
from types import MappingProxyType
from urllib.parse import unquote, urlsplit

from mfa.errors import MFAError, Problem

_log = logging.getLogger("mfa")
_LOOPBACK = "127.0.0.1"
_KINDS = {
    ".html": "text/html; charset=utf-8",
    ".svg": "image/svg+xml",
    ".png": "image/png",
    ".xlsx": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
}
_ALWAYS = {
    "Cache-Control": "no-store",
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
}


@dataclass(frozen=True)
class Shown:
    """What the browser is to show.

    Attributes
    ----------
    version : int
        Number of the page; a page with another number is out of date.
    page : str
        The report of the last good save as HTML, "" before the first.
    policy : str
        What that page may load, as in Content-Security-Policy.
    folder : Path or None
        Where the files that belong to the page lie, None until they are written.
    problems : tuple of Problem
        What is wrong with the file as it is now.
    """

    version: int = 0
    page: str = ""
    policy: str = "default-src 'none'; script-src 'self'; style-src 'unsafe-inline'; img-src data:"
    folder: Path | None = None
    problems: tuple[Problem, ...] = field(default=())

    def as_json(self) -> str:
        """Return what the page's script asks for again and again."""
        listed = [{"severity": p.severity, "text": str(p)} for p in self.problems]
        return json.dumps({"version": self.version, "problems": listed}, ensure_ascii=False)


@contextmanager
def serving(port: int, shown: Callable[[], Shown], blank: str) -> Iterator[str]:
    """Serve while the block runs.

    Parameters
    ----------
    port : int
        0 takes any that is free.
    shown : callable
        Returns what is to be shown now.
    blank : str
        The page until there is a first one.

    Yields
    ------
    str
        The address of the page.

    Raises
    ------
    MFAError
        If the port is taken.
    """
    try:
        server = _Server(port, shown, blank)
    except OSError as error:
        what = f"port {port} cannot be used: {error.strerror or error}"
        raise MFAError(f"{what}; choose another with --port, or leave it out") from error
    thread = threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True)
    thread.start()
    try:
        yield f"http://{server.name}/"
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


class _Server(ThreadingHTTPServer):
    """Listens on the loopback address."""

    allow_reuse_address = os.name == "posix"  # on Windows, two programmes would share the port
    daemon_threads = True

    def __init__(self, port: int, shown: Callable[[], Shown], blank: str) -> None:
        self.shown, self.blank = shown, blank
        self.script = files("mfa.cli").joinpath("watch.js").read_text(encoding="utf-8")
        super().__init__((_LOOPBACK, port), _Handler)

    def server_bind(self) -> None:
        TCPServer.server_bind(self)  # without the look-up of this machine's name in the network
        self.server_name, self.server_port = _LOOPBACK, self.server_address[1]

    @property
    def name(self) -> str:
        return f"{_LOOPBACK}:{self.server_port}"

    @property
    def names(self) -> tuple[str, ...]:
        """What a browser on this machine calls the server."""
        own = self.name, f"localhost:{self.server_port}"
        return (*own, _LOOPBACK, "localhost") if self.server_port == 80 else own


class _Handler(BaseHTTPRequestHandler):
    """Answers one request."""

    server: _Server
    timeout = 10  # seconds for a request to arrive
    server_version = "mfa"
    sys_version = ""

    def do_GET(self) -> None:
        if self.headers.get_all("Host") not in [[name] for name in self.server.names]:
            self._say(HTTPStatus.MISDIRECTED_REQUEST, "This server answers to its own name only.")
            return
        target = urlsplit(self.path)
        path = unquote(target.path, errors="replace")
        if not self.path.startswith("/") or target.netloc:
            self._say(HTTPStatus.BAD_REQUEST, "Ask for a path that begins with one /.")
            return
        shown = self.server.shown()
        if path in ("/", "/report.html"):
            self._page(shown)
        elif path == "/state":
            self._answer(shown.as_json().encode(), "application/json")
        elif path == "/watch.js":
            self._answer(self.server.script.encode(), "text/javascript; charset=utf-8")
        else:
            self._file(path, shown)

    def do_HEAD(self) -> None:
        self.do_GET()

    def _refuse(self) -> None:
        self._say(HTTPStatus.METHOD_NOT_ALLOWED, "This server only shows.", Allow="GET, HEAD")

    do_POST = do_PUT = do_DELETE = do_PATCH = do_OPTIONS = _refuse  # noqa: N815

    def _page(self, shown: Shown) -> None:
        script = f'<script src="/watch.js" data-version="{shown.version}"></script>\n</body>'
        head, _, tail = (shown.page or self.server.blank).rpartition("</body>")
        policy = f"{shown.policy}; connect-src 'self'; frame-ancestors 'none'"
        headers = {"Content-Security-Policy": policy}
        self._answer(f"{head}{script}{tail}".encode(), _KINDS[".html"], headers)

    def _file(self, path: str, shown: Shown) -> None:
        if shown.folder is None:
            words = "It is being written; try again in a few seconds."
            self._say(HTTPStatus.SERVICE_UNAVAILABLE, words)
            return
        there = {f"/{p.name}": p for p in shown.folder.iterdir() if not p.is_symlink()}
        found = there.get(path)
        if found is None or found.suffix not in _KINDS or not found.is_file():
            self._say(HTTPStatus.NOT_FOUND, "There is no such file in the report.")
            return
        self._answer(found.read_bytes(), _KINDS[found.suffix])

    def _say(self, code: HTTPStatus, words: str, **headers: str) -> None:
        self._answer(f"{words}\n".encode(), "text/plain; charset=utf-8", headers, code)

    def _answer(
        self,
        body: bytes,
        kind: str,
        more: Mapping[str, str] = MappingProxyType({}),
        code: HTTPStatus = HTTPStatus.OK,
    ) -> None:
        self.send_response(code)
        sizes = {"Content-Type": kind, "Content-Length": str(len(body))}
        for name, value in (sizes | _ALWAYS | dict(more)).items():
            self.send_header(name, value)
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002
        _log.debug("%s", format % args)
