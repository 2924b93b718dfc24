"""What `mfa watch` serves, to whom, and above all what it does not."""

from __future__ import annotations

import http.client
import json
import os
import socket
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from mfa.cli.serve import Shown, serving
from mfa.errors import MFAError, Problem

PAGE = '<!doctype html>\n<html lang="en"><body>\n<p>good</p>\n</body>\n</html>\n'
BLANK = "<!doctype html>\n<html><body>\n<p>wait</p>\n</body></html>\n"
SECRET = "do not show"


@pytest.fixture
def report(tmp_path: Path) -> Path:
    """Return a report folder with a secret beside it and links that lead out of it."""
    folder = tmp_path / "report"
    (folder / "inside").mkdir(parents=True)
    (tmp_path / "secret.svg").write_text(SECRET)
    (tmp_path / "secrets").mkdir()
    (tmp_path / "secrets" / "chart.svg").write_text(SECRET)
    (folder / "chart-2018.svg").write_text("<svg>2018</svg>")
    (folder / "銅 100%.svg").write_text("<svg>copper</svg>")
    (folder / "results.xlsx").write_bytes(b"PK")
    (folder / "notes.txt").write_text(SECRET)
    (folder / ".hidden").write_text(SECRET)
    (folder / "inside" / "chart.svg").write_text(SECRET)
    (folder / "link.svg").symlink_to(tmp_path / "secret.svg")
    (folder / "way").symlink_to(tmp_path / "secrets")
    return folder


def shown(folder=None, **more):
    policy = "default-src 'none'; script-src 'self'"
    return Shown(**({"version": 3, "page": PAGE, "policy": policy, "folder": folder} | more))


class Client:
    """Sends requests exactly as they are written."""

    def __init__(self, address: str) -> None:
        self.host = urlsplit(address).netloc
        self.port = int(self.host.partition(":")[2])

    def ask(self, target, method="GET", host=None, **headers):
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=10)
        connection.putrequest(method, target, skip_host=True, skip_accept_encoding=True)
        for name, value in ({"Host": self.host if host is None else host} | headers).items():
            connection.putheader(name, value)
        connection.endheaders()
        answer = connection.getresponse()
        body = answer.read().decode("utf-8", "replace")
        connection.close()
        return answer, body


@pytest.fixture
def client(report):
    with serving(0, lambda: shown(report), BLANK) as address:
        yield Client(address)


def test_the_page_comes_with_the_script_that_watches(client):
    for target in ("/", "/report.html", "/?again=1"):
        answer, body = client.ask(target)
        assert answer.status == 200
        assert body.count("<script") == 1
        assert '<p>good</p>\n<script src="/watch.js" data-version="3"></script>\n</body>' in body
        assert answer.headers["Content-Security-Policy"] == (
            "default-src 'none'; script-src 'self'; connect-src 'self'; frame-ancestors 'none'"
        )
        assert answer.headers["Cache-Control"] == "no-store"
    answer, body = client.ask("/watch.js")
    assert answer.headers["Content-Type"].startswith("text/javascript")
    assert "/state" in body


def test_files_of_the_report_are_served(client):
    answer, body = client.ask("/chart-2018.svg")
    assert (answer.status, body) == (200, "<svg>2018</svg>")
    assert answer.headers["Content-Type"] == "image/svg+xml"
    assert answer.headers["X-Content-Type-Options"] == "nosniff"
    assert client.ask("/results.xlsx")[1] == "PK"
    assert client.ask("/%E9%8A%85%20100%25.svg")[1] == "<svg>copper</svg>"


@pytest.mark.parametrize(
    "target",
    [
        "/../secret.svg",
        "/..%2fsecret.svg",
        "/%2e%2e/secret.svg",
        "/%2e%2e%2fsecret.svg",
        "/%252e%252e%252fsecret.svg",
        "/..%5csecret.svg",
        "/..\\secret.svg",
        "/%c0%ae%c0%ae/secret.svg",
        "/inside/../../secret.svg",
        "/inside/chart.svg",
        "/./chart-2018.svg/../../secret.svg",
        "//secret.svg",
        "///etc/passwd",
        "/etc/passwd",
        "/%2fetc%2fpasswd",
        "/{folder}/chart-2018.svg",
        "/file:///etc/passwd",
        "/link.svg",
        "/way/chart.svg",
        "/way",
        "/inside",
        "/notes.txt",
        "/.hidden",
        "/chart-2018.svg%00",
        "/chart-2018.svg/",
        "/CON",
        "/~root",
        "http://127.0.0.1/chart-2018.svg",
        "*",
        "secret.svg",
        "../secret.svg",
    ],
)
def test_nothing_else_can_be_fetched(client, report, target):
    answer, body = client.ask(target.format(folder=report.as_posix().strip("/")))
    assert answer.status in (400, 404)
    assert SECRET not in body
    assert "root:" not in body


@pytest.mark.parametrize(
    "host", ["", "evil.example", "evil.example:{port}", "127.0.0.1", "localhost", "0.0.0.0:{port}"]
)
@pytest.mark.parametrize("target", ["/", "/state", "/chart-2018.svg"])
def test_a_page_elsewhere_gets_nothing_under_its_own_name(client, host, target):
    answer, body = client.ask(target, host=host.format(port=client.port))
    assert answer.status == 421
    assert "good" not in body
    assert "2018" not in body


def test_both_names_of_this_machine_are_taken(client):
    for name in ("127.0.0.1", "localhost"):
        assert client.ask("/", host=f"{name}:{client.port}")[0].status == 200


def test_a_request_without_or_with_two_hosts_is_refused(client):
    for hosts in ("", f"Host: {client.host}\r\nHost: evil.example\r\n"):
        with socket.create_connection(("127.0.0.1", client.port), timeout=10) as line:
            line.sendall(f"GET / HTTP/1.1\r\n{hosts}\r\n".encode())
            assert b" 421 " in line.recv(4096)


def test_only_get_and_head(client):
    answer, body = client.ask("/", "HEAD")
    assert (answer.status, body) == (200, "")
    assert int(answer.headers["Content-Length"]) > len(PAGE)
    for method in ("POST", "PUT", "DELETE", "PATCH", "OPTIONS"):
        answer, body = client.ask("/chart-2018.svg", method)
        assert (answer.status, answer.headers["Allow"]) == (405, "GET, HEAD")
        assert "svg" not in body
    for method in ("TRACE", "CONNECT", "BREW"):
        assert client.ask("/", method)[0].status >= 400


def test_no_other_page_may_read_the_answers(client):
    for target in ("/", "/state", "/chart-2018.svg"):
        headers = client.ask(target, Origin="http://evil.example")[0].headers
        assert headers["Cross-Origin-Resource-Policy"] == "same-origin"
        assert not [name for name in headers if name.lower().startswith("access-control")]


def test_it_listens_on_the_loopback_address_only(client):
    for name in {socket.gethostname(), "0.0.0.0"} - {"localhost"}:
        try:
            addresses = {info[4][0] for info in socket.getaddrinfo(name, None, socket.AF_INET)}
        except socket.gaierror:
            continue
        for address in addresses - {"0.0.0.0", "127.0.0.1"}:
            with pytest.raises(OSError, match=r"refused|unreachable|timed out"):
                socket.create_connection((address, client.port), timeout=2)


def test_state_lists_problems_as_texts():
    problem = Problem("<script>alert(1)</script>", "take it out", "x", "flows", "B2", "銅.xlsx")
    with serving(0, lambda: shown(problems=(problem,)), BLANK) as address:
        answer, body = Client(address).ask("/state")
    assert answer.headers["Content-Type"] == "application/json"
    assert json.loads(body) == {
        "version": 3,
        "problems": [{"severity": "error", "text": str(problem)}],
    }


def test_files_of_an_older_save_are_not_served_with_a_new_page():
    with serving(0, shown, BLANK) as address:
        answer, body = Client(address).ask("/results.xlsx")
    assert answer.status == 503
    assert "try again" in body


def test_before_the_first_page_there_is_a_blank_one():
    with serving(0, Shown, BLANK) as address:
        answer, body = Client(address).ask("/")
    assert "<p>wait</p>" in body
    assert 'data-version="0"' in body
    assert "script-src 'self'" in answer.headers["Content-Security-Policy"]


def test_a_port_that_is_taken_is_told():
    with serving(0, Shown, BLANK) as address:
        port = Client(address).port
        words = f"port {port} cannot be used: .*--port"
        with pytest.raises(MFAError, match=words), serving(port, Shown, BLANK):
            pass


@pytest.mark.skipif(os.name != "posix", reason="on Windows a port may not be taken again at once")
def test_a_port_is_free_again_at_the_end():
    with serving(0, Shown, BLANK) as address:
        port = Client(address).port
    with serving(port, Shown, BLANK) as again:
        assert Client(again).ask("/")[0].status == 200
