"""A list over HTTP as a source: paging, patience, and everything that is not a list."""

import gzip
import json
import socket
import threading
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest

from producers.poll.errors import PollConfigError, SourceAnswerError, SourceChangedError, SourceUnreachableError
from producers.poll.rest import RestSource
from tests.support.polling import Clock, Sent, once, write

Reply = tuple[int, dict[str, str], bytes]

MAPPING = """
kind = "dossier"
layout = "snapshots"
source = "onestop/rest"
[subject]
column = "code"
[moments]
row = "changed"
[fields]
unit = { column = "office.code" }
channel = { value = "online" }
status = { column = "state" }
due_at = { column = "due" }
"""


def item(number: int, **cells: object) -> dict[str, Any]:
    """A dossier as the list shows it."""
    usual = {
        "code": f"R{number}",
        "office": {"code": "H19.01", "name": "x"},
        "state": "processing",
        "due": "2026-11-25T17:00:00+07:00",
        "changed": "2026-11-21T08:00:00+07:00",
    }
    return {**usual, **cells}


class Site:
    """A server whose answers a test sets: a function from path, parameters and headers."""

    def __init__(self) -> None:
        self.answer: Callable[[str, dict[str, str], dict[str, str]], Reply] = lambda *_: (404, {}, b"")
        self.asked: list[str] = []
        site = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                site.asked.append(self.path)
                parts = urlsplit(self.path)
                parameters = {k: v[0] for k, v in parse_qs(parts.query).items()}
                headers = {k.lower(): v for k, v in self.headers.items()}
                status, extra, body = site.answer(parts.path, parameters, headers)
                self.send_response(status)
                for name, value in {"Content-Type": "application/json", "Content-Length": str(len(body))}.items():
                    if name.lower() not in {n.lower() for n in extra}:
                        self.send_header(name, value)
                for name, value in extra.items():
                    self.send_header(name, value)
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *_: object) -> None:
                """Say nothing."""

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self._server.server_port}"
        self._thread = threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.01})
        self._thread.start()

    def pages(self, pages: list[list[dict[str, Any]]], style: str) -> None:
        """Answer with these pages in one style."""

        def answer(path: str, given: dict[str, str], _: dict[str, str]) -> Reply:
            at = int(given.get("page") or given.get("cursor") or 0)
            if style == "offset":
                whole = [i for page in pages for i in page]
                start = int(given["offset"])
                return 200, {}, json.dumps({"data": {"items": whole[start : start + 2]}}).encode()
            found = pages[at] if at < len(pages) else []
            more = at + 1 < len(pages)
            body: dict[str, Any] = {"data": {"items": found}}
            extra = {}
            if style == "link" and more:
                body["links"] = {"next": f"{path}?page={at + 1}"}
            if style == "header" and more:
                extra["Link"] = f'<{path}?page={at + 1}>; rel="next"'
            if style == "cursor" and more:
                body["meta"] = {"cursor": at + 1}
            return 200, extra, json.dumps(body).encode()

        self.answer = answer

    def close(self) -> None:
        """Stop."""
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()


@pytest.fixture
def site() -> Iterator[Site]:
    """A server on this machine."""
    running = Site()
    yield running
    running.close()


@pytest.fixture
def pauses(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """Pauses between attempts: noted, not waited for."""
    noted: list[float] = []
    original = RestSource.__init__

    def patched(self: RestSource, *arguments: Any) -> None:
        original(self, *arguments, noted.append)  # type: ignore[call-arg]

    monkeypatch.setattr(RestSource, "__init__", patched)
    return noted


def config_of(site: Site, folder: Path, paging: str = "", top: str = "") -> Path:
    """A configuration of the site's list."""
    source = f'[rest]\nurl = "{site.url}/list?size=2"\nlist = "data.items"\nattempts = 3\n{paging}'
    return write(folder, source, mapping=MAPPING, top=top)


PAGES = [[item(1), item(2)], [item(3)], [item(4), item(5)]]
STYLES = {
    "page": 'style = "page"\nfirst = 0',
    "offset": 'style = "offset"',
    "link": 'style = "link"\nnext = "links.next"',
    "header": 'style = "link"',
    "cursor": 'style = "cursor"\nnext = "meta.cursor"',
}


@pytest.mark.parametrize("style", STYLES)
def test_all_pages_are_read(site: Site, tmp_path: Path, style: str) -> None:
    """In each style every page is read, also after one that is not full; then only changes are sent."""
    site.pages(PAGES, style)
    sent, clock = Sent(), Clock()
    config = config_of(site, tmp_path, f"[rest.paging]\n{STYLES[style]}")

    assert once(config, sent, clock).sent == 5

    assert {e.subject for e in sent.take()} == {"R1", "R2", "R3", "R4", "R5"}
    assert all("size=2" in path or style in ("link", "header") for path in site.asked)
    clock.move(minutes=1)
    changed = item(3, state="supplement_asked", changed="2026-11-21T09:00:30+07:00")
    site.pages([PAGES[0], [changed], PAGES[2]], style)
    assert once(config, sent, clock).sent == 1


@pytest.mark.parametrize("kind", ["bearer", "basic"])
def test_credentials(site: Site, tmp_path: Path, kind: str) -> None:
    """A token or a password from the environment or a file reaches the server, and only in its header."""
    wanted = {"bearer": "Bearer open-sesame", "basic": "Basic bmhpcDpvcGVuLXNlc2FtZQ=="}[kind]
    body = json.dumps({"data": {"items": [item(1)]}}).encode()
    site.answer = lambda _p, _q, headers: (200 if headers.get("authorization") == wanted else 401, {}, body)
    (tmp_path / "secret").write_text("open-sesame\n")
    by_file = {"bearer": 'token_file = "secret"', "basic": 'user = "nhip"\npassword_file = "secret"'}[kind]
    config = config_of(site, tmp_path, f'[rest.auth]\nkind = "{kind}"\n{by_file}')

    assert once(config, Sent(), Clock()).sent == 1

    (tmp_path / "secret").write_text("wrong")
    with pytest.raises(SourceAnswerError, match=r"answers 401 Unauthorized: check rest\.auth") as error:
        once(config, Sent(), Clock())
    assert "wrong" not in str(error.value)
    (tmp_path / "secret").unlink()
    with pytest.raises(PollConfigError, match="secret cannot be read"):
        once(config, Sent(), Clock())


def test_etags(site: Site, tmp_path: Path) -> None:
    """Unchanged pages are not sent again by the source, but a full comparison asks for all of them."""
    pages = [[item(1)], [item(2)], []]
    unchanged: list[bool] = []

    def answer(_: str, given: dict[str, str], headers: dict[str, str]) -> Reply:
        body = json.dumps({"data": {"items": pages[int(given["page"])]}}).encode()
        etag = f'"{hash(body)}"'
        unchanged.append(headers.get("if-none-match") == etag)
        return (304, {"ETag": etag}, b"") if unchanged[-1] else (200, {"ETag": etag}, body)

    site.answer = answer
    sent, clock = Sent(), Clock()
    config = config_of(site, tmp_path, "[rest.paging]\n" + STYLES["page"])
    once(config, sent, clock)
    unchanged.clear()

    idle = once(config, sent, clock)
    pages[1] = [item(2, state="payment_due", changed="2026-11-21T09:00:00+07:00")]
    one = once(config, sent, clock)
    seen = list(unchanged)
    unchanged.clear()
    clock.move(days=2)
    full = once(config, sent, clock)

    assert (idle.rows, idle.sent, one.rows, one.sent) == (0, 0, 1, 1)
    assert seen == [True, True, True, True, False, True]
    assert (full.full, full.rows, full.sent) == (True, 2, 0)
    assert unchanged == [False, False, False]


@pytest.mark.parametrize("status", [429, 500, 503])
def test_patience(site: Site, tmp_path: Path, pauses: list[float], status: int) -> None:
    """After 429 and 5xx the page is asked for again, as late as the server wants; then the round fails."""
    failures = 2

    def answer(*_: object) -> Reply:
        nonlocal failures
        failures -= 1
        body = json.dumps({"data": {"items": [item(1)]}}).encode()
        return (status, {"Retry-After": "7"}, b"") if failures >= 0 else (200, {}, body)

    site.answer = answer

    assert once(config_of(site, tmp_path), Sent(), Clock()).sent == 1

    assert pauses == [7.0, 7.0]
    failures = 100
    with pytest.raises(SourceUnreachableError, match=rf"answers {status} .* \(3 attempts\)"):
        once(config_of(site, tmp_path), Sent(), Clock())


def test_backoff_without_retry_after(site: Site, tmp_path: Path, pauses: list[float]) -> None:
    """Without a wish of the server pauses are random, and bounded."""
    site.answer = lambda *_: (503, {"Retry-After": "Sat, 21 Nov 2026 10:00:00 GMT"}, b"")

    with pytest.raises(SourceUnreachableError):
        once(config_of(site, tmp_path), Sent(), Clock())

    assert len(pauses) == 2
    assert all(0 <= pause <= 2 for pause in pauses)


def test_nobody_listens(site: Site, tmp_path: Path, pauses: list[float]) -> None:
    """A server that is down is told as such, after all attempts."""
    config = config_of(site, tmp_path)
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    config.write_text(config.read_text().replace(site.url, f"http://127.0.0.1:{port}"))

    with pytest.raises(SourceUnreachableError, match=r"no whole answer: .*3 attempts"):
        once(config, Sent(), Clock())

    assert len(pauses) == 2


LOGIN = "<!doctype html><html><title> Đăng nhập &amp; xác thực </title><body>…</body></html>".encode()


@pytest.mark.parametrize("kind", ["text/html; charset=utf-8", "application/json"])
def test_login_page(site: Site, tmp_path: Path, kind: str) -> None:
    """A login page instead of JSON is called one, whatever its content type says."""
    site.answer = lambda *_: (200, {"Content-Type": kind}, LOGIN)

    with pytest.raises(
        SourceAnswerError, match="HTML page with the title 'Đăng nhập & xác thực' instead of JSON, probably a login"
    ):
        once(config_of(site, tmp_path), Sent(), Clock())


def test_redirect_to_a_login_host(site: Site, tmp_path: Path) -> None:
    """A redirect to another host is not followed: the credentials stay here."""
    other = site.url.replace("127.0.0.1", "localhost")
    site.answer = lambda *_: (302, {"Location": f"{other}/login?back=x"}, b"")

    with pytest.raises(SourceAnswerError, match=r"redirects to http://localhost:\d+, which is not the configured"):
        once(config_of(site, tmp_path), Sent(), Clock())

    assert site.asked == ["/list?size=2"]


def test_redirect_within_the_host(site: Site, tmp_path: Path) -> None:
    """A redirect on the same host is followed, but not round and round."""
    body = json.dumps({"data": {"items": [item(1)]}}).encode()
    site.answer = lambda path, *_: (301, {"Location": "/new"}, b"") if path == "/list" else (200, {}, body)
    assert once(config_of(site, tmp_path), Sent(), Clock()).sent == 1
    site.answer = lambda *_: (302, {"Location": "/list"}, b"")

    with pytest.raises(SourceAnswerError, match="redirects more than 5 times"):
        once(config_of(site, tmp_path), Sent(), Clock())


def test_truncated_json(site: Site, tmp_path: Path) -> None:
    """Half a page drops the round: also the pages before it are not sent, and the next round has them all."""
    site.pages(PAGES, "page")
    whole = site.answer

    def cut(path: str, given: dict[str, str], headers: dict[str, str]) -> Reply:
        status, extra, body = whole(path, given, headers)
        return status, extra, body[:-40] if given["page"] == "1" else body

    sent, clock = Sent(), Clock()
    config = config_of(site, tmp_path, "[rest.paging]\n" + STYLES["page"])
    site.answer = cut

    with pytest.raises(SourceAnswerError, match=r"page=1: the answer is cut off .*the round is dropped"):
        once(config, sent, clock)

    assert sent.take() == []
    site.answer = whole
    assert once(config, sent, clock).sent == 5


def test_connection_cut_in_the_middle(site: Site, tmp_path: Path, pauses: list[float]) -> None:
    """An answer shorter than announced is asked for again."""
    body = json.dumps({"data": {"items": [item(1)]}}).encode()
    replies = [(200, {"Content-Length": str(len(body) + 10), "Connection": "close"}, body), (200, {}, body)]
    site.answer = lambda *_: replies.pop(0)

    assert once(config_of(site, tmp_path), Sent(), Clock()).sent == 1

    assert len(pauses) == 1


@pytest.mark.parametrize(
    ("body", "text"),
    [
        (b"{nonsense", "the answer is not JSON"),
        ('{"data": "Đ"}'.encode("utf-16"), "not UTF-8"),
        (b"[" * 100_000, "nested too deeply"),
    ],
)
def test_no_json(site: Site, tmp_path: Path, body: bytes, text: str) -> None:
    """What is no JSON is told with its place."""
    site.answer = lambda *_: (200, {}, body)

    with pytest.raises(SourceAnswerError, match=text):
        once(config_of(site, tmp_path), Sent(), Clock())


@pytest.mark.parametrize(
    ("body", "text"),
    [
        ({"error": "x"}, r"nothing at 'data\.items'; there are 'error': correct rest\.list"),
        ({"data": {"items": {}}}, r"is no list at 'data\.items'"),
        ([1], "it is a JSON list"),
        ({"data": {"items": [{"code": "R1"}]}}, r"has no column 'changed', 'office\.code', 'state', 'due'"),
    ],
)
def test_other_form(site: Site, tmp_path: Path, body: object, text: str) -> None:
    """A list that is elsewhere, or lacks a column, fails the round and says what is there."""
    site.answer = lambda *_: (200, {}, json.dumps(body).encode())

    with pytest.raises(SourceChangedError, match=text):
        once(config_of(site, tmp_path), Sent(), Clock())


def test_columns_that_may_be_left_out(site: Site, tmp_path: Path) -> None:
    """A source that leaves out what is empty can be told so."""
    bare = {k: v for k, v in item(1).items() if k != "due"}
    site.answer = lambda *_: (200, {}, json.dumps({"data": {"items": [bare]}}).encode())
    config = config_of(site, tmp_path)
    with pytest.raises(SourceChangedError, match=r"name it in rest\.optional"):
        once(config, Sent(), Clock())
    config.write_text(config.read_text().replace("attempts = 3", 'optional = ["due"]'))

    assert once(config, Sent(), Clock()).sent == 1


def test_rows_that_are_no_objects(site: Site, tmp_path: Path) -> None:
    """Rows that cannot be read are refused alone."""
    rows = [item(1), 7, item(2, code="\ud800"), item(3, changed="yesterday")]
    site.answer = lambda *_: (200, {}, json.dumps({"data": {"items": rows}}).encode())

    report = once(config_of(site, tmp_path), Sent(), Clock())

    assert (report.rows, report.sent, report.refused) == (4, 1, 3)


def test_same_next_link_again(site: Site, tmp_path: Path) -> None:
    """A list that leads back to a page ends the round, it does not go on for ever."""

    def answer(_: str, given: dict[str, str], __: dict[str, str]) -> Reply:
        at = int(given.get("page", "0"))
        return 200, {}, json.dumps({"data": {"items": [item(at)]}, "links": {"next": "?page=1"}}).encode()

    site.answer = answer

    with pytest.raises(SourceAnswerError, match="leads back to this page: a loop"):
        once(config_of(site, tmp_path, "[rest.paging]\n" + STYLES["link"]), Sent(), Clock())

    assert len(site.asked) == 2


def test_parameter_that_is_ignored(site: Site, tmp_path: Path) -> None:
    """A server that gives the first page under every number is found out by the second."""
    site.answer = lambda *_: (200, {}, json.dumps({"data": {"items": [item(1)]}}).encode())

    with pytest.raises(SourceAnswerError, match="same page as an earlier one"):
        once(config_of(site, tmp_path, "[rest.paging]\n" + STYLES["page"]), Sent(), Clock())


def test_next_page_on_another_host(site: Site, tmp_path: Path) -> None:
    """A next link to another host is not followed."""
    body = {"data": {"items": [item(1)]}, "links": {"next": "http://elsewhere.invalid/list"}}
    site.answer = lambda *_: (200, {}, json.dumps(body).encode())

    with pytest.raises(SourceAnswerError, match=r"the next page is at http://elsewhere\.invalid"):
        once(config_of(site, tmp_path, "[rest.paging]\n" + STYLES["link"]), Sent(), Clock())


def test_bounds(site: Site, tmp_path: Path) -> None:
    """A page that is too large, also once it is unpacked, and a list with too many pages end the round."""
    body = gzip.compress(b" " * 1_000_000)
    site.answer = lambda *_: (200, {"Content-Encoding": "gzip"}, body)
    config = config_of(site, tmp_path, 'max_response_bytes = 4096\nmax_pages = 1\n[rest.paging]\nstyle = "offset"')
    with pytest.raises(SourceAnswerError, match="more than 4096 bytes"):
        once(config, Sent(), Clock())
    site.pages(PAGES, "offset")

    with pytest.raises(SourceAnswerError, match="more than 1 pages"):
        once(config, Sent(), Clock())


def test_damaged_compression(site: Site, tmp_path: Path) -> None:
    """An answer that cannot be unpacked is no crash."""
    site.answer = lambda *_: (200, {"Content-Encoding": "gzip"}, b"not gzip")

    with pytest.raises(SourceAnswerError, match="compressed answer is damaged"):
        once(config_of(site, tmp_path), Sent(), Clock())
