"""A mail server and a web hook on this machine that refuse when told to and remember what they took."""

import json
import socket
import threading
import time
from collections.abc import Callable
from email.message import EmailMessage
from email.parser import BytesParser
from email.policy import default
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import TracebackType
from typing import Any, NamedTuple, Self, cast

from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP, Envelope, Session

__all__ = ["Letter", "MailServer", "Received", "WebHook", "wait_for"]


class Letter(NamedTuple):
    """One e-mail that was taken: ``id`` is its Message-ID, ``at_s`` the monotonic clock."""

    id: str
    to: tuple[str, ...]
    subject: str
    body: str
    message: EmailMessage
    at_s: float


class Received(NamedTuple):
    """One request to the web hook that was answered with 200."""

    id: str
    key: str
    path: str
    body: dict[str, Any]
    headers: dict[str, str]
    at_s: float


class MailServer:
    """Takes e-mail on 127.0.0.1. ``refuse``: reply to every message instead, such as "451 4.3.0 later".

    ``options``: further ones of aiosmtpd's, such as encryption and who may log in.
    """

    def __init__(self, port: int = 0, **options: Any) -> None:
        self.letters: list[Letter] = []
        self.refused = 0
        self.refuse: str | None = None
        self.port = port or _free_port()
        self._controller = Controller(self, hostname="127.0.0.1", port=self.port, ready_timeout=30, **options)

    async def handle_DATA(self, _server: SMTP, _session: Session, envelope: Envelope) -> str:  # noqa: N802 - aiosmtpd's
        if self.refuse is not None:
            self.refused += 1
            return self.refuse
        message = BytesParser(policy=default).parsebytes(cast("bytes", envelope.content))
        body = message.get_body()
        text = body.get_content().replace("\r\n", "\n").removesuffix("\n") if body is not None else ""
        to = tuple(envelope.rcpt_tos)
        letter = Letter(str(message["Message-ID"]), to, str(message["Subject"]), text, message, time.monotonic())
        self.letters.append(letter)
        return "250 taken"

    def address(self, to: str = "duty@example.org") -> str:
        """The Apprise address of a mailbox here."""
        return f"mailto://127.0.0.1:{self.port}/?from=nhip@example.org&to={to}"

    @property
    def ids(self) -> list[str]:
        return [letter.id for letter in self.letters]

    def __enter__(self) -> Self:
        self._controller.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None
    ) -> None:
        self._controller.stop()


class WebHook:
    """Takes JSON on 127.0.0.1. ``refuse``: the status to answer with instead of 200."""

    def __init__(self, port: int = 0) -> None:
        self.received: list[Received] = []
        self.refused = 0
        self.refuse: int | None = None
        hook = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                raw = self.rfile.read(int(self.headers["Content-Length"]))
                if hook.refuse is not None:
                    hook.refused += 1
                    self.send_error(hook.refuse)
                    return
                body = json.loads(raw)
                key = self.headers.get("Idempotency-Key", "")
                hook.received.append(
                    Received(body.get("id", ""), key, self.path, body, dict(self.headers), time.monotonic())
                )
                self.send_response(200)
                self.send_header("Content-Length", "0")
                self.end_headers()

            def log_message(self, *_: object) -> None:
                """Say nothing."""

        self._server = ThreadingHTTPServer(("127.0.0.1", port), Handler)
        self._thread = threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.05})

    @property
    def port(self) -> int:
        return self._server.server_port

    def address(self, path: str = "/nhip") -> str:
        """The Apprise address of a hook here."""
        return f"json://127.0.0.1:{self.port}{path}"

    @property
    def ids(self) -> list[str]:
        return [received.id for received in self.received]

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None
    ) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def wait_for(condition: Callable[[], bool], timeout_s: float = 30.0, every_s: float = 0.02) -> None:
    """Wait until something is true; AssertionError when it does not become so."""
    end_s = time.monotonic() + timeout_s
    while not condition():
        assert time.monotonic() < end_s, "it did not come true in time"
        time.sleep(every_s)
