"""The proxy passes everything on, and makes the weather that it is told to."""

import socket
import threading
import time
from collections.abc import Iterator

import pytest

from tests.faults.proxy import FINE, GARBLED_BYTES, Proxy, Weather

ANSWER = b"HTTP/1.1 200 OK\r\n\r\n" + b"x" * 100


@pytest.fixture
def proxy() -> Iterator[Proxy]:
    """A proxy before a server that answers each chunk with the same."""
    with socket.create_server(("127.0.0.1", 0)) as server:

        def serve() -> None:
            while True:
                try:
                    connection, _ = server.accept()
                except OSError:
                    return
                threading.Thread(target=answer, args=(connection,), daemon=True).start()

        def answer(connection: socket.socket) -> None:
            with connection:
                try:
                    while connection.recv(65_536):
                        connection.sendall(ANSWER)
                except OSError:
                    return

        threading.Thread(target=serve, daemon=True).start()
        with Proxy(server.getsockname()[1], seed=1) as running:
            yield running
        server.shutdown(socket.SHUT_RDWR)


def asked(proxy: Proxy, timeout_s: float = 10.0) -> bytes:
    """Ask once; what was received until the answer is whole or the connection ends."""
    with socket.create_connection(("127.0.0.1", proxy.port), timeout_s) as connection:
        connection.sendall(b"ask")
        found = b""
        while len(found) < len(ANSWER):
            try:
                data = connection.recv(65_536)
            except ConnectionError:
                break
            if not data:
                break
            found += data
        return found


def test_fine_weather(proxy: Proxy) -> None:
    """Everything passes."""
    assert asked(proxy) == ANSWER


def test_cut(proxy: Proxy) -> None:
    """Half of it comes, or nothing."""
    proxy.set(Weather(cut=1.0))

    assert len(asked(proxy)) < len(ANSWER)


def test_garbled(proxy: Proxy) -> None:
    """Only the beginning of an answer differs."""
    proxy.set(Weather(garbled=1.0))

    found = asked(proxy)

    assert found[:GARBLED_BYTES] != ANSWER[:GARBLED_BYTES]
    assert found[GARBLED_BYTES:] == ANSWER[GARBLED_BYTES:]


def test_slow(proxy: Proxy) -> None:
    """Later, but whole."""
    proxy.set(Weather(delay_s=0.2))
    began_s = time.monotonic()

    assert asked(proxy) == ANSWER
    assert time.monotonic() > began_s


def test_silent_until_it_is_over(proxy: Proxy) -> None:
    """Nothing passes, the connection stays; afterwards what was held arrives."""
    proxy.set(Weather(holds=True))
    with pytest.raises(TimeoutError):
        asked(proxy, 0.3)
    found: list[bytes] = []
    asking = threading.Thread(target=lambda: found.append(asked(proxy)))
    asking.start()

    proxy.set(FINE)
    asking.join()

    assert found == [ANSWER]


def test_refused_and_back_on_the_same_port(proxy: Proxy) -> None:
    """Nobody listens; afterwards the same port answers."""
    proxy.set(Weather(refuses=True))
    with pytest.raises(ConnectionRefusedError):
        asked(proxy)

    proxy.set(FINE)

    assert asked(proxy) == ANSWER
