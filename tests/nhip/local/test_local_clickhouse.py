"""The ordinary ClickHouse client against the store on this machine."""

import asyncio
import http.client
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path

import clickhouse_connect
import pyarrow as pa
import pytest
from clickhouse_connect.driver.client import Client
from clickhouse_connect.driver.exceptions import DatabaseError

from nhip.local import LocalClickHouse, LocalServiceError
from nhip.local.ports import free_ports

pytestmark = pytest.mark.services

AWKWARD = "it's \\ a\ttab, a\nline, {x:String} and a đ"
SLOW_S = 2.0


def connect(store: LocalClickHouse, **options: object) -> Client:
    """Open a client as the program does; without a `database`, in one that is made for the tests."""
    given: dict[str, object] = {
        "host": store.host,
        "port": store.port,
        "username": store.user,
        "password": store.login["password"],
        "autogenerate_session_id": False,
    }
    if "database" not in options:
        with clickhouse_connect.get_client(**given) as first:  # type: ignore[arg-type]
            first.command("CREATE DATABASE IF NOT EXISTS here")
    return clickhouse_connect.get_client(**{**given, "database": "here", **options})  # type: ignore[arg-type]


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LocalClickHouse]:
    """One store for this file."""
    with LocalClickHouse(tmp_path_factory.mktemp("clickhouse")) as running:
        yield running


@pytest.fixture
def client(store: LocalClickHouse) -> Iterator[Client]:
    """A client, and an empty table `t`."""
    with connect(store) as opened:
        opened.command("DROP TABLE IF EXISTS t SYNC")
        opened.command(
            "CREATE TABLE t (k UInt64, s String, at DateTime64(3, 'UTC')) ENGINE = MergeTree ORDER BY k "
            "SETTINGS non_replicated_deduplication_window = 100"
        )
        yield opened


def count(client: Client) -> int:
    """Return the number of rows in `t`."""
    return int(client.query("SELECT count() FROM t").result_rows[0][0])


@pytest.mark.usefixtures("client")
@pytest.mark.parametrize("compress", [False, "lz4", "zstd", "gzip"])
def test_native_insert_comes_back(store: LocalClickHouse, compress: bool | str) -> None:
    """Rows of every type survive the way in and out, with each compression."""
    at = datetime(2026, 3, 1, 12, 30, 15, 250_000, tzinfo=UTC)
    rows = [[number, f"{AWKWARD} {number}", at] for number in range(20_000)]

    with connect(store, compress=compress, tz_mode="aware") as other:
        written = other.insert("t", rows, column_names=["k", "s", "at"]).written_rows
        read = other.query("SELECT * FROM t ORDER BY k").result_rows

    assert written == 20_000
    assert [list(row) for row in read] == rows


def test_arrow_goes_in_and_out(client: Client) -> None:
    """Arrow tables are written and read as they are."""
    table = pa.table({"k": pa.array([1, 2], pa.uint64()), "s": ["a", "đ"]})

    client.insert_arrow("t", table)
    read = client.query_arrow("SELECT k, s FROM t ORDER BY k", use_strings=True)

    assert read.to_pydict() == {"k": [1, 2], "s": ["a", "đ"]}


def test_text_formats_go_in(client: Client) -> None:
    """Data in the body of an INSERT that is in the URL, and values in the statement itself."""
    client.raw_insert("t", ["k", "s"], b'1,"x"\n2,"y"\n', fmt="CSV")
    client.command("INSERT INTO t (k, s) VALUES (3, 'z')")

    assert client.query("SELECT s FROM t ORDER BY k").result_rows == [("x",), ("y",), ("z",)]


def test_blocks_can_be_streamed(client: Client) -> None:
    """The client's block stream yields every row."""
    with client.query_column_block_stream("SELECT number FROM numbers(200000)") as stream:
        rows = sum(len(block[0]) for block in stream)

    assert rows == 200_000


def test_parameters_are_values(client: Client) -> None:
    """Text of any kind passes as a parameter and is never read as SQL."""
    client.insert("t", [[7, AWKWARD]], column_names=["k", "s"])

    found = client.query("SELECT k FROM t WHERE s = {text:String}", parameters={"text": AWKWARD})

    assert found.result_rows == [(7,)]


def test_long_parameter_lists_pass(client: Client) -> None:
    """Lists too long for an address travel as a form."""
    client.insert("t", [[number] for number in range(100)], column_names=["k"])

    found = client.query(
        "SELECT count() FROM t WHERE k IN {keys:Array(UInt64)}", parameters={"keys": list(range(50, 50_000))}
    )

    assert found.result_rows == [(50,)]


def test_settings_hold_for_one_request(client: Client) -> None:
    """A request's settings reach the engine, and the next request does not inherit them."""
    asked = "SELECT getSetting('max_execution_time'), getSetting('max_threads')"
    before = client.query(asked).result_rows

    during = client.query(asked, settings={"max_execution_time": 77, "max_threads": 1}).result_rows

    assert during == [(77, 1)]
    assert client.query(asked).result_rows == before


def test_set_statement_does_not_leak(client: Client) -> None:
    """Without sessions a SET ends with its request."""
    client.command("SET max_threads = 1, final = 1")

    values = {client.command("SELECT getSetting('final')") for _ in range(20)}

    assert values == {"false"}


def test_deduplication_token_is_honoured(client: Client) -> None:
    """The same token inserts once; a token is text of any kind."""
    for _ in range(2):
        client.insert("t", [[1]], column_names=["k"], settings={"insert_deduplication_token": AWKWARD})
    client.insert("t", [[1]], column_names=["k"], settings={"insert_deduplication_token": "other"})

    assert count(client) == 2


def test_database_is_the_request_s_own(store: LocalClickHouse, client: Client) -> None:
    """Clients of different databases share the store without noticing each other."""
    client.command("CREATE DATABASE IF NOT EXISTS `other one`")

    with connect(store, database="other one") as other:
        names = [each.command("SELECT currentDatabase()") for each in (other, client, other)]

    assert names == ["other one", "here", "other one"]


@pytest.mark.parametrize(
    ("sql", "code"),
    [
        ("SELECT nonsense", 47),
        ("SELECT * FROM absent", 60),
        ("SELEC", 62),
        ("SELECT throwIf(1)", 395),
        ("SELECT sleepEachRow(1) FROM numbers(3) SETTINGS max_execution_time = 1, max_block_size = 1", 159),
    ],
)
def test_errors_carry_their_code(client: Client, sql: str, code: int) -> None:
    """The client can tell errors apart as with a real server."""
    with pytest.raises(DatabaseError) as refused:
        client.query(sql)

    assert refused.value.code == code


def test_unknown_settings_are_refused(client: Client) -> None:
    """A mistyped setting is an error, and the connection serves on."""
    with pytest.raises(DatabaseError) as refused:
        client.command("SELECT 1", settings={"max_treads": 1})

    assert refused.value.code == 115
    assert client.command("SELECT 1") == 1


def test_insert_errors_leave_nothing(client: Client) -> None:
    """Data that cannot be read is refused with the engine's code, and the connection serves on."""
    with pytest.raises(DatabaseError) as refused:
        client.raw_insert("t", ["k"], b"1\nnot a number\n", fmt="CSV")

    assert refused.value.code == 117
    assert count(client) == 0


@pytest.mark.parametrize(
    ("method", "path", "headers", "status", "code"),
    [
        ("GET", "/?query=DROP+TABLE+here.t", {}, 500, "164"),
        ("POST", "/?query=INSERT+INTO+here.t+FORMAT+CSV", {"Content-Length": str(2**31)}, 413, "307"),
        ("POST", "/?query=SELECT+1&compress=1", {}, 501, "48"),
        ("POST", "/?query=SELECT+1", {"Content-Encoding": "br", "Content-Length": "0"}, 500, "271"),
    ],
)
def test_what_is_not_served_is_refused(
    store: LocalClickHouse, method: str, path: str, headers: dict[str, str], status: int, code: str
) -> None:
    """Requests beyond what this server does end in an error with a code, never in a wrong answer."""
    connection = http.client.HTTPConnection(store.host, store.port, timeout=60)
    with closing(connection):
        who = {"X-ClickHouse-User": store.user, "X-ClickHouse-Key": store.login["password"]}
        connection.request(method, path, headers={**who, **headers})
        answer = connection.getresponse()

        text = answer.read().decode()

    assert (answer.status, answer.headers["X-ClickHouse-Exception-Code"]) == (status, code), text


def test_async_client_is_served(store: LocalClickHouse) -> None:
    """The client's asynchronous form works as well, many requests at once."""

    async def ask() -> list[int]:
        client = await clickhouse_connect.get_async_client(
            host=store.host, port=store.port, username=store.user, password=store.login["password"]
        )
        answers = [client.query("SELECT {n:UInt32}", parameters={"n": number}) for number in range(30)]
        try:
            return [int(answer.result_rows[0][0]) for answer in await asyncio.gather(*answers)]
        finally:
            await client.close()

    assert asyncio.run(ask()) == list(range(30))


def test_reads_do_not_wait_for_an_insert(client: Client, store: LocalClickHouse) -> None:
    """Beside an insert that takes long, reads take what they take."""
    client.command("DROP TABLE IF EXISTS slow SYNC")
    client.command(
        f"CREATE TABLE slow (k UInt64, w UInt8 MATERIALIZED sleep({SLOW_S})) ENGINE = MergeTree ORDER BY k"
    )
    during: list[float] = []
    with connect(store) as writer, ThreadPoolExecutor(1) as thread:
        begin = time.monotonic()
        insert = thread.submit(writer.insert, "slow", [[1]], column_names=["k"])

        while not insert.done():
            start = time.monotonic()
            client.query("SELECT count() FROM slow")
            during.append(time.monotonic() - start)

        insert.result()
        insert_s = time.monotonic() - begin
    # The engine sleeps through the insert whatever the machine's speed: the reads ended while it slept.
    assert insert_s >= SLOW_S
    assert len(during) > 2
    assert min(during) < insert_s / 4


def test_ping_does_not_wait_for_reads(client: Client, store: LocalClickHouse) -> None:
    """More slow reads than the store has connections leave a ping unharmed."""
    started = threading.Barrier(17)

    def slow_read() -> None:
        with connect(store) as reader:
            started.wait()
            reader.query(f"SELECT sleep({SLOW_S})")

    with ThreadPoolExecutor(16) as threads:
        reads = [threads.submit(slow_read) for _ in range(16)]
        started.wait()

        answered = client.ping(timeout=60)
        still_reading = not all(read.done() for read in reads)

        for read in reads:
            read.result()
    assert answered
    assert still_reading


def test_data_survives_restart_and_kill(tmp_path: Path) -> None:
    """What was answered is there after an orderly stop and after a SIGKILL, on the same port."""
    store = LocalClickHouse(tmp_path)
    store.start()
    port = store.port
    with connect(store) as client:
        client.command("CREATE TABLE kept (k UInt64) ENGINE = MergeTree ORDER BY k")
        client.insert("kept", [[1]], column_names=["k"])
        store.stop()
        store.start()
        client.insert("kept", [[2]], column_names=["k"])
        store.kill()
        store.start()

        rows = client.query("SELECT k FROM kept ORDER BY k").result_rows

    store.stop()
    assert rows == [(1,), (2,)]
    assert store.port == port


def test_a_folder_without_accounts_gets_them(tmp_path: Path) -> None:
    """Of an earlier version, or with a password lost: the data is there, under new passwords."""
    store = LocalClickHouse(tmp_path)
    with store, connect(store) as client:
        client.command("CREATE TABLE kept (k UInt64) ENGINE = MergeTree ORDER BY k")
        client.insert("kept", [[1]], column_names=["k"])
    first = store.login["password"]
    for file in (store.password_file, store.reader_password_file, tmp_path / "users.json", *tmp_path.glob("*.xml")):
        file.unlink()

    with store, connect(store) as client:
        rows = client.query("SELECT k FROM kept").result_rows
    second = store.login["password"]
    store.password_file.unlink()
    with store, connect(store) as client:
        again = client.query("SELECT k FROM kept").result_rows

    assert rows == again == [(1,)]
    assert len({first, second, store.login["password"]}) == 3
    assert {oct(file.stat().st_mode & 0o777) for file in store.password_file.parent.iterdir()} == {"0o600"}


def test_running_query_finishes_before_the_stop(tmp_path: Path) -> None:
    """A stop lets a query under way finish, within bounds."""
    with LocalClickHouse(tmp_path) as store, connect(store) as client, ThreadPoolExecutor(1) as thread:
        query = thread.submit(client.command, "SELECT sleep(1)")
        with connect(store) as other:
            while not other.command("SELECT count() FROM system.processes WHERE query LIKE 'SELECT sleep%'"):
                time.sleep(0.01)

        store.stop()

        assert query.result() == 0


def test_given_port_is_used_and_refused_when_taken(tmp_path: Path) -> None:
    """A second store on the same port says which port, and leaves its folder free."""
    (port,) = free_ports(1)
    with LocalClickHouse(tmp_path / "one", port=port) as store:
        second = LocalClickHouse(tmp_path / "two", port=port)

        with pytest.raises(LocalServiceError, match=f"port {port} "):
            second.start()

        assert store.url == f"http://127.0.0.1:{port}"
    with second:
        assert second.port == port


def test_start_twice_is_refused(store: LocalClickHouse) -> None:
    """One object is one running store."""
    with pytest.raises(LocalServiceError, match="running already"):
        store.start()
