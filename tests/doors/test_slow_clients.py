"""Slow and guessing clients: cut off by a real server, counted by address."""

import asyncio
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import uvicorn

from dashboards.slow_clients import BoundedProtocol
from producers.guesses import ADDRESSES, BURST, Guesses


def test_addresses_are_forgotten() -> None:
    """Who comes from a thousand addresses fills no memory, and time forgives."""
    now = [0.0]
    guesses = Guesses(lambda: now[0])
    for number in range(ADDRESSES + 50):
        guesses.wrong(str(number))

    assert len(guesses._buckets) == ADDRESSES
    assert [guesses.wrong("a") > 0 for _ in range(BURST + 1)] == [False] * BURST + [True]
    now[0] += 60
    assert guesses.wrong("a") == 0


class _Hurried(BoundedProtocol):
    HEAD_S = 0.3
    BODY_S = 0.6


@contextmanager
def _served() -> Iterator[int]:
    """A server that waits for nobody; yields its port."""

    async def app(_: Any, receive: Any, send: Any) -> None:
        while (await receive()).get("more_body"):
            pass
        await asyncio.sleep(1.0)
        await send({"type": "http.response.start", "status": 200, "headers": [(b"content-length", b"2")]})
        await send({"type": "http.response.body", "body": b"ok"})

    listener = socket.create_server(("127.0.0.1", 0))
    config = uvicorn.Config(app, http=_Hurried, lifespan="off", log_level="error", server_header=False)
    server = uvicorn.Server(config)
    thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]}, daemon=True)
    thread.start()
    yield listener.getsockname()[1]
    server.should_exit = True
    thread.join(10)


def test_slow_clients_are_cut_off_and_slow_answers_are_not() -> None:
    """Silence, a head and a body that drip are ended by the server; an answer may take longer than both limits."""
    with _served() as port:

        def opened(first: bytes) -> socket.socket:
            found = socket.create_connection(("127.0.0.1", port), timeout=20)
            found.sendall(first)
            return found

        silent = opened(b"")
        head = opened(b"GET / HTTP/1.1\r\nHost: a\r\n")
        slow = opened(b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 9\r\n\r\n")
        whole = opened(b"GET / HTTP/1.1\r\nHost: a\r\n\r\n")
        for drip in (b"X-A: 1\r\n", b"X-B: 1\r\n", b"X-C: 1\r\n"):
            time.sleep(0.1)
            with _broken():
                head.sendall(drip)
                slow.sendall(b"x")

        assert [_ended(one) for one in (silent, head, slow)] == [b"", b"", b""]
        assert _ended(whole).endswith(b"ok")


def test_a_head_without_end_is_refused() -> None:
    """A header of a megabyte is not kept: the server answers that it is no request, or closes."""
    with _served() as port, socket.create_connection(("127.0.0.1", port), timeout=20) as sender:
        with _broken():
            sender.sendall(b"GET / HTTP/1.1\r\nHost: a\r\nX-A: " + b"a" * 1_000_000)
        found = b""
        with _broken():
            while piece := sender.recv(4096):
                found += piece

    assert found == b"" or found.startswith(b"HTTP/1.1 400")


@contextmanager
def _broken() -> Iterator[None]:
    try:
        yield
    except OSError:
        return


def _ended(connection: socket.socket) -> bytes:
    """What comes until the server closes; raises when it does not."""
    found = b""
    with connection, _broken():
        while not found.endswith(b"ok") and (piece := connection.recv(4096)):
            found += piece
    return found
