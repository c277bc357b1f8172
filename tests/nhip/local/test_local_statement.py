"""What the server makes of an SQL text."""

import pytest

from nhip.local.statement import parse


@pytest.mark.parametrize(
    "sql",
    [
        "SELECT 1",
        "  -- a remark\n/* another */ select 1",
        "WITH 1 AS x SELECT x",
        "(SELECT 1) UNION ALL (SELECT 2)",
        "SHOW TABLES",
        "DESCRIBE TABLE t",
        "EXISTS t",
    ],
)
def test_reads_are_told_apart(sql: str) -> None:
    """Statements that change nothing may run beside each other."""
    statement = parse(sql, b"")

    assert statement.reads
    assert statement.data is None


@pytest.mark.parametrize(
    "sql", ["CREATE TABLE t (a UInt8) ENGINE = Memory", "INSERT INTO t SELECT 1", "DROP TABLE t"]
)
def test_changes_are_told_apart(sql: str) -> None:
    """Everything else changes something."""
    statement = parse("", sql.encode())

    assert not statement.reads
    assert not statement.taints


@pytest.mark.parametrize("sql", ["SET max_threads = 1", "use other", "CREATE TEMPORARY TABLE t (a UInt8)"])
def test_session_wide_statements_taint(sql: str) -> None:
    """What would stay in a connection is marked."""
    statement = parse(sql, b"")

    assert statement.taints


@pytest.mark.parametrize(
    ("query", "body"),
    [
        ("", b"INSERT INTO `t` (`a`, `format`) FORMAT Native\n\x00\xff data"),
        ("INSERT INTO t (a) FORMAT Native", b"\x00\xff data"),
        ("insert into `it's FORMAT x` SETTINGS async_insert=0 format Native", b"\x00\xff data"),
        ("", b"INSERT INTO t -- FORMAT CSV\nFORMAT Native \r\n\x00\xff data"),
        ("", b"INSERT INTO t (a, format , b) FORMAT Native\n\x00\xff data"),
    ],
)
def test_insert_data_is_cut_off_exactly(query: str, body: bytes) -> None:
    """The data begins after the format's line, wherever the statement came from."""
    statement = parse(query, body)

    assert statement.data is not None
    assert bytes(statement.data) == b"\x00\xff data"
    assert statement.data_format == "Native"
    assert "Native" not in statement.sql


@pytest.mark.parametrize(
    "sql",
    ["INSERT INTO t VALUES (1, ' FORMAT CSV ')", "INSERT INTO t SELECT 1 FORMAT CSV", "INSERT INTO t (a) VALUES (1)"],
)
def test_inserts_without_data_stay_whole(sql: str) -> None:
    """Values and selections are the engine's to read."""
    statement = parse(sql, b"")

    assert statement.data is None
    assert statement.sql == sql


def test_parameter_and_body_make_one_statement() -> None:
    """As in ClickHouse, the body continues the query parameter."""
    statement = parse("SELECT 1 +", "'ă'".encode())

    assert statement.sql == "SELECT 1 +\n'ă'"


@pytest.mark.parametrize(
    ("sql", "named"),
    [
        ("SELECT 1", None),
        ("SELECT 1\n FORMAT Native", "Native"),
        ("SELECT 1 FORMAT JSON SETTINGS max_threads = 1;", "JSON"),
    ],
)
def test_output_format_is_found(sql: str, named: str | None) -> None:
    """A format in the text itself is reported to the client."""
    statement = parse("", sql.encode())

    assert statement.output_format == named
