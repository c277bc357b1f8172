"""The connection: what is worth a second try, and what is a fault."""

import socket
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from contract.dossier import DOSSIER
from nhip.local import LocalClickHouse
from sinks.client import Client, connect
from sinks.relation import relation
from sinks.store import ClickHouseStore
from streams.store import StoreUnavailableError


def test_nobody_there_is_unavailable(unused_port: int) -> None:
    """A store that does not answer can be asked again."""
    with pytest.raises(StoreUnavailableError, match="the store"):
        connect(host="127.0.0.1", port=unused_port)


def test_silence_is_unavailable() -> None:
    """A server that accepts and never answers does not hold its caller forever."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen(16)
        started_s = time.monotonic()

        with pytest.raises(StoreUnavailableError, match="the store"):
            connect(host="127.0.0.1", port=listener.getsockname()[1], read_timeout_s=1)

    assert time.monotonic() - started_s < 10


@pytest.mark.services
def test_a_killed_store_is_unavailable_until_it_is_back(tmp_path: Path) -> None:
    """The same connection works again after the server was killed and started, streams included."""
    with LocalClickHouse(tmp_path / "store") as server:
        client = connect(host=server.host, port=server.port, read_timeout_s=20, **server.login)
        blocks = client.blocks("SELECT number, toString(number) FROM numbers(5000000)")
        next(blocks)
        server.kill()

        with pytest.raises(StoreUnavailableError):
            list(blocks)
        with pytest.raises(StoreUnavailableError):
            client.rows("SELECT 1")
        server.start()
        rv = client.rows("SELECT 1")
        client.close()

    assert rv == [(1,)]


@pytest.mark.services
def test_a_faulty_statement_is_an_error(client: Client) -> None:
    """A fault of the program is not mistaken for a store that rests."""
    with pytest.raises(Exception, match="nowhere") as caught:
        client.rows("SELECT * FROM nowhere")

    assert not isinstance(caught.value, StoreUnavailableError)


@pytest.mark.services
def test_several_threads_share_a_client(store: ClickHouseStore) -> None:
    """Look-ups run beside each other: there is no session that allows one at a time."""
    barrier = threading.Barrier(4)

    def ask(n: int) -> list[tuple[int, ...]]:
        barrier.wait()
        store.look_up(DOSSIER, [str(n)])
        return store.client.rows("SELECT {n:Int64} FROM numbers(3)", {"n": n})

    with ThreadPoolExecutor(4) as pool:
        rv = list(pool.map(ask, range(4)))

    assert rv == [[(n,)] * 3 for n in range(4)]


@pytest.mark.services
@pytest.mark.parametrize("n", [0, 1, 30_000])
def test_long_lists_are_relations(client: Client, n: int) -> None:
    """Lists beyond the limit of one form field arrive whole, and no parameter is larger than it."""
    names = [f"{i}'\\ệ🏠\n{{x}}" for i in range(n)]

    sql, parameters = relation({"name": ("String", names), "number": ("Int64", range(n))})
    rv = client.rows(f"SELECT name, number FROM ({sql}) ORDER BY number", parameters)  # noqa: S608

    assert rv == list(zip(names, range(n), strict=True))
    assert all(sum(len(str(v).encode()) + 3 for v in part) < 128 * 1024 for part in parameters.values())


@pytest.mark.services
def test_times_come_back_aware(client: Client) -> None:
    """No naive time leaves the store."""
    ((rv,),) = client.rows("SELECT toDateTime64('2026-11-22 08:00:00.000001', 6, 'UTC')")

    assert rv.isoformat() == "2026-11-22T08:00:00.000001+00:00"
