"""The embedded store's door, tried from outside: passwords, roles, rows of other units, files and addresses."""

# ruff: noqa: S608
# The statements are made here, of literals.

import base64
import stat
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import NamedTuple

import httpx
import pytest

from nhip.local import LocalClickHouse
from nhip.local.users import StoreUsers
from sinks.rights import Role
from tests.support.store_account import Account
from tests.support.unit_rows import MINE, OTHER, TABLES, filled

pytestmark = pytest.mark.services

DENIED, READONLY, SYNTAX, WRONG_PASSWORD = 497, 164, 62, 516
FILE = "/etc/hostname"


class Store(NamedTuple):
    """A running store with two units' rows, and everybody who has an account."""

    server: LocalClickHouse
    folder: Path
    writer: Account
    reader: Account
    grafana: Account
    unit: Account
    """Grafana of one unit."""


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Store]:
    """One store for this file."""
    folder = tmp_path_factory.mktemp("doors")
    with LocalClickHouse(folder, database="nhip") as server:
        filled(server)
        users, now = StoreUsers(folder), datetime.now(UTC)
        yield Store(
            server,
            folder,
            Account(server.url, server.user, server.login["password"]),
            Account(server.url, server.reader, server.reader_password_file.read_text().strip()),
            Account(server.url, "grafana", users.create("grafana", Role.GRAFANA, now)),
            Account(server.url, "grafana_c1", users.create("grafana_c1", Role.GRAFANA, now, [MINE])),
        )


def test_files_of_secrets_are_closed(store: Store) -> None:
    """Hashes and passwords are for their owner alone, and no password stands in the file of the accounts."""
    files = [store.folder / "users.json", *(store.folder / "passwords").iterdir()]

    assert {oct(stat.S_IMODE(file.stat().st_mode)) for file in files} == {"0o600"}
    assert stat.S_IMODE(store.folder.stat().st_mode) == 0o700
    assert len(files) == 3
    kept = files[0].read_text()
    assert not any(account.password in kept for account in (store.writer, store.reader, store.grafana, store.unit))


def test_it_listens_on_this_machine_alone(store: Store) -> None:
    """No other address of this machine answers."""
    assert store.server.host == "127.0.0.1"
    with pytest.raises(httpx.ConnectError):
        httpx.get(f"http://127.0.0.2:{store.server.port}/ping")


def test_nobody_comes_in_without_the_right_password(store: Store) -> None:
    """None, a wrong one, another's, a name that does not exist: all the same answer, before the body is taken."""
    others = [("", ""), ("nhip", ""), ("nhip", "wrong"), ("default", ""), ("nobody", store.writer.password),
              ("nhip", store.reader.password), ("grafana", store.writer.password)]  # fmt: skip
    rv = [Account(store.server.url, name, password).ask("SELECT 1") for name, password in others]
    rv.append(Account(store.server.url, "nhip", "wrong").ask("INSERT INTO rates FORMAT CSV", b"x" * 1_000_000))

    assert {(answer.status, answer.code) for answer in rv} == {(403, WRONG_PASSWORD)}
    assert len({answer.text for answer in rv}) == 1


@pytest.mark.parametrize("how", ["headers", "basic", "address"])
def test_each_way_of_saying_who_comes(store: Store, how: str) -> None:
    """As ClickHouse's clients do: by its own headers, by basic authorization, in the address."""
    name, password = store.reader.user, store.reader.password
    basic = base64.b64encode(f"{name}:{password}".encode()).decode()
    headers = {"headers": {"X-ClickHouse-User": name, "X-ClickHouse-Key": password},
               "basic": {"Authorization": f"Basic {basic}"}}.get(how, {})  # fmt: skip
    query = {"query": "SELECT 1"} | ({"user": name, "password": password} if how == "address" else {})

    good = httpx.post(store.server.url, params=query, headers=headers)
    broken = httpx.post(store.server.url, params={"query": "SELECT 1"}, headers={"Authorization": "Basic x"})

    assert (good.status_code, good.text) == (200, "1\n")
    assert broken.status_code == 403


def test_accounts_expire_rotate_and_end(store: Store) -> None:
    """At once, while the store runs."""
    users, now = StoreUsers(store.folder), datetime.now(UTC)
    expired = Account(store.server.url, "old", users.create("old", Role.GRAFANA, now, [], timedelta(seconds=-1)))
    first = Account(store.server.url, "turned", users.create("turned", Role.GRAFANA, now))
    before = first.ask("SELECT 1").code
    second = first._replace(password=users.rotate("turned", now, timedelta(hours=1), None))

    kept = [account.ask("SELECT 1").code for account in (expired, first, second)]
    users.revoke("turned")
    gone = [account.ask("SELECT 1").code for account in (first, second)]

    assert before == 0
    assert kept == [WRONG_PASSWORD, 0, 0]
    assert gone == [WRONG_PASSWORD, WRONG_PASSWORD]


CHANGES = [
    "INSERT INTO rates (scope) VALUES ('x')",
    "INSERT INTO rates (scope) SELECT 'x'",
    "INSERT INTO rates (scope) FORMAT CSV",
    "INSERT INTO FUNCTION file('/tmp/x', 'CSV', 'a String') SELECT 'x'",
    "DELETE FROM rates WHERE 1",
    "ALTER TABLE rates DROP COLUMN rate",
    "DROP TABLE rates",
    "TRUNCATE TABLE rates",
    "OPTIMIZE TABLE rates FINAL",
    "RENAME TABLE rates TO elsewhere",
    "CREATE TABLE t (a UInt8) ENGINE = Memory",
    "CREATE TEMPORARY TABLE t (a UInt8)",
    "CREATE VIEW v AS SELECT 1",
    "CREATE FUNCTION f AS (x) -> x",
    "CREATE USER u",
    "GRANT ALL ON *.* TO default",
    "SET ROLE writer",
    "SET readonly = 0",
    "KILL QUERY WHERE 1",
    "SYSTEM SHUTDOWN",
    "BACKUP TABLE rates TO File('x')",
    "EXECUTE AS default SELECT 1",
    "USE system",
    "SELECT 1; DROP TABLE rates",
    "SELECT 1; SET ROLE writer",
    "EXPLAIN AST SELECT 1; SET ROLE writer",
]
ELSEWHERE = [
    "SELECT * FROM system.users",
    "SELECT * FROM system.processes",
    "SELECT * FROM system.query_log",
    "SELECT * FROM `system`.`processes`",
    "SELECT 1 IN (SELECT 1 FROM system.parts)",
    "SELECT 'x' IN system.roles",
    "WITH system.processes AS p SELECT 1 IN p",
    "SELECT * FROM information_schema.tables",
    "SELECT * FROM INFORMATION_SCHEMA.TABLES",
    "SHOW PROCESSLIST",
    "SHOW GRANTS",
    "SELECT * FROM {d:Identifier}.{t:Identifier}",
    "SELECT * FROM url('http://127.0.0.1:1/x', 'CSV', 'a String')",
    "SELECT * FROM URL('http://127.0.0.1:1/x', 'CSV', 'a String')",
    f"SELECT * FROM file('{FILE}', 'LineAsString')",
    f"SELECT file('{FILE}')",
    f"SELECT `file`('{FILE}')",
    f"SELECT 1 WHERE file('{FILE}') != ''",
    f"SELECT '{{a:', file('{FILE}'), '}}'",
    f"DESCRIBE TABLE file('{FILE}')",
    "SELECT * FROM s3('http://127.0.0.1:1/bucket/x', 'CSV', 'a String')",
    "SELECT * FROM remote('127.0.0.1', 'nhip.rates')",
    "SELECT * FROM remoteSecure('127.0.0.1', 'nhip.rates')",
    "SELECT * FROM cluster('default', 'nhip', 'rates')",
    "SELECT * FROM mysql('127.0.0.1:1', 'a', 'b', 'c', 'd')",
    "SELECT * FROM postgresql('127.0.0.1:1', 'a', 'b', 'c', 'd')",
    "SELECT * FROM sqlite('x', 'y')",
    "SELECT * FROM executable('id', 'TSV', 'a String')",
    "SELECT * FROM Python(rows)",
    "SELECT * FROM merge('nhip', '.*')",
    "SELECT 1 IN merge('nhip', 'rates')",
    "SELECT * FROM mergeTreeIndex(nhip, rates)",
    "SELECT * FROM loop(nhip.rates)",
    "SELECT * FROM viewExplain('EXPLAIN', '', (SELECT 1))",
    "SELECT dictGet('d', 'a', 1)",
    "SELECT joinGet('nhip.rates', 'rate', 1)",
    "EXPLAIN ESTIMATE SELECT * FROM rates",
    "SELECT 1 INTO OUTFILE '/tmp/nhip-door'",
]


@pytest.mark.parametrize("sql", CHANGES)
def test_nobody_but_the_writer_changes_anything(store: Store, sql: str) -> None:
    """Neither the wall's account nor Grafana's: refused by the engine's rights, or as no single statement."""
    before = store.writer.ask("SELECT count(), currentRoles()[1] FROM rates").text

    rv = {account.user: account.ask(sql, b"x\n" if "FORMAT" in sql else b"").code
          for account in (store.reader, store.grafana, store.unit)}  # fmt: skip

    assert set(rv.values()) <= {DENIED, SYNTAX}, rv
    assert store.writer.ask("SELECT count(), currentRoles()[1] FROM rates").text == before == "2\twriter\n"


@pytest.mark.parametrize("sql", ELSEWHERE)
def test_nobody_but_the_writer_looks_elsewhere(store: Store, sql: str) -> None:
    """Not at users, other people's statements, files and addresses; no answer holds a word of them."""
    named = {"param_d": "system", "param_t": "processes"} if "Identifier" in sql else {}

    rv = [account.ask(sql, parameters=named) for account in (store.reader, store.grafana, store.unit)]

    assert {answer.code for answer in rv} <= {DENIED, SYNTAX}, rv
    assert not any(Path(FILE).read_text().strip() in answer.text for answer in rv if "Code:" not in answer.text)
    assert not Path("/tmp/nhip-door").exists()  # noqa: S108 - what must not be made


def test_not_even_the_writer_touches_files_by_a_statement(store: Store) -> None:
    """A real server refuses both by HTTP; the words in a text are no clause."""
    out = store.writer.ask("SELECT 1 INTO OUTFILE '/tmp/nhip-door'")
    into = store.writer.ask(f"INSERT INTO rates (scope) FROM INFILE '{FILE}' FORMAT CSV")
    hidden = store.writer.ask("SELECT 1 INTO /* \n */ OUTFILE '/tmp/nhip-door'")
    words = store.writer.ask("SELECT 'into outfile', 1 AS infile")

    assert (out.code, into.code, hidden.code, words.code) == (DENIED, DENIED, DENIED, 0)
    assert not Path("/tmp/nhip-door").exists()  # noqa: S108 - what must not be made
    assert store.writer.ask(f"SELECT * FROM file('{FILE}', 'LineAsString')").code == DENIED


def test_the_wall_adds_acknowledgements_and_nothing_else(store: Store) -> None:
    """Rows of alert_actions come in; the same data into any other table does not, nor by GET."""
    good = store.reader.ask("INSERT INTO alert_actions (rule, scope) FORMAT CSV", b'"acked","field:x"\n')
    bad = {table: store.reader.ask(f"INSERT INTO {table} FORMAT CSV", b"\n").code
           for table in ("rates", "dossiers", "alerts", "notifications", "audit", "rule_sets")}  # fmt: skip
    two = store.reader.ask(
        "INSERT INTO alert_actions (rule); SET ROLE writer; INSERT INTO rates (scope) FORMAT CSV", b"x"
    )
    grafana = store.grafana.ask("INSERT INTO alert_actions (rule) FORMAT CSV", b"x\n").code

    assert good.code == 0, good
    assert store.reader.ask("SELECT count() FROM alert_actions WHERE rule = 'acked'").text == "1\n"
    assert set(bad.values()) == {DENIED}, bad
    assert two.code in (SYNTAX, DENIED)
    assert grafana == DENIED


def test_grafana_sees_figures_and_no_bytes(store: Store) -> None:
    """Tables and columns that were granted, by the engine's own access control; the wall sees all."""
    closed = ["SELECT value FROM dead_letters", "SELECT key FROM dead_letters", "SELECT scopes FROM progress"]
    tables = ("dead_letters", "dossiers", "payments", "notifications", "audit", "rule_sets", "schema_migrations")
    for sql in closed + [f"SELECT * FROM {table}" for table in tables]:
        assert store.grafana.ask(sql).code == DENIED, sql
    assert "bytes-of-a-record" in store.reader.ask("SELECT value FROM dead_letters").text
    assert store.grafana.ask("SELECT id, unit FROM dossiers ORDER BY id").text.count("\n") == 2


@pytest.mark.parametrize(("table", "column"), TABLES.items())
def test_one_units_grafana_sees_its_own_rows(store: Store, table: str, column: str) -> None:
    """In every table, however it is asked for: as a whole, counted, joined, nested, under another name."""
    forms = [f"SELECT {column} FROM {table}", f"SELECT x.{column} FROM nhip.{table} AS x"]
    more = [
        f"SELECT {column} FROM {table} AS `nhip.heartbeat`",
        f"SELECT {column} FROM (SELECT * FROM (SELECT {column} FROM {table}))",
        f"WITH q AS (SELECT {column} FROM {table}) SELECT {column} FROM q",
        f"SELECT b.{column} FROM (SELECT 1) AS a CROSS JOIN {table} AS b",
        f"SELECT {column} FROM {table} WHERE {column} IN (SELECT {column} FROM {table})",
        f"SELECT {column} FROM {table} UNION ALL SELECT {column} FROM {table}",
        f"SELECT DISTINCT {column} FROM {table} GROUP BY {column} WITH TOTALS",
    ]
    for form in forms + more * (table in ("rates", "dossiers")):
        rv = store.unit.ask(form)
        assert rv.code == 0, (form, rv.text)
        assert OTHER not in rv.text, form
        assert MINE in rv.text, form
    assert OTHER in store.grafana.ask(f"SELECT {column} FROM {table}").text
    count = f"SELECT count() FROM {table} WHERE {column} LIKE '%{OTHER}%'"
    assert (store.unit.ask(count).text, store.grafana.ask(count).text) == ("0\n", "1\n")
    assert store.unit.ask(f"SELECT count() FROM {table}").text == "1\n"
    assert store.unit.ask("SELECT count() FROM dead_letters").text == "0\n"


@pytest.mark.parametrize(
    "sql",
    [
        "SELECT 1 FROM rates WHERE throwIf({is_other})",
        "SELECT 1 FROM rates PREWHERE throwIf({is_other})",
        "SELECT 1 FROM (SELECT * FROM rates WHERE throwIf({is_other}))",
        "SELECT throwIf({is_other}) FROM rates",
        "SELECT count() FROM rates GROUP BY throwIf({is_other})",
        "SELECT count() FROM rates HAVING sum(throwIf({is_other})) >= 0",
        "SELECT 1 FROM rates ORDER BY throwIf({is_other})",
        "SELECT 1 FROM rates AS a JOIN rates AS b ON a.scope = b.scope AND NOT throwIf(b.{is_other})",
        "SELECT intDiv(1, NOT {is_other}) FROM rates WHERE intDiv(1, NOT {is_other}) = 1",
        "SELECT 1 FROM rates_now FINAL WHERE throwIf({is_other})",
        "SELECT 1 FROM rates ARRAY JOIN [1] AS n WHERE throwIf({is_other})",
    ],
)
def test_an_error_tells_nothing_of_another_units_rows(store: Store, sql: str) -> None:
    """A condition that would fail on them never meets them; on Grafana's for all it does."""
    asked = sql.format(is_other=f"scope = 'unit:{OTHER}'")

    mine, everybody = store.unit.ask(asked), store.grafana.ask(asked)

    assert mine.code in (0, DENIED), mine
    assert everybody.code in (395, 153, DENIED), everybody
    assert (mine.code == DENIED) == ("PREWHERE" in sql)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("additional_table_filters", "{}"),
        ("readonly", "0"),
        ("optimize_move_to_prewhere", "1"),
        ("query_plan_enable_optimizations", "1"),
        ("max_execution_time", "31"),
        ("max_execution_time", "0"),
        ("max_result_rows", "0"),
        ("allow_introspection_functions", "1"),
        ("format_template_row", FILE),
    ],
)
def test_grafana_cannot_lift_its_limits(store: Store, name: str, value: str) -> None:
    """Neither in the address nor in the statement; what the plugin itself sets, it may."""
    address = store.unit.ask("SELECT 1", parameters={name: value})
    statement = store.unit.ask(f"SELECT scope FROM rates SETTINGS {name} = '{value}'")

    assert address.code == READONLY
    assert statement.code == READONLY
    sent = {"max_execution_time": "20"}
    assert store.unit.ask("SELECT getSetting('max_execution_time')", parameters=sent).text == "20\n"


def test_grafana_is_bounded(store: Store) -> None:
    """Too many rows and too long a time end in an error."""
    assert store.grafana.ask("SELECT number FROM numbers(10001)").code == 396
    began_s = time.monotonic()
    slow = store.grafana.ask("SELECT sleepEachRow(1) FROM numbers(9) SETTINGS max_block_size = 1")
    assert slow.code == READONLY
    slow = store.grafana.ask("SELECT count() FROM numbers(100000000000)", parameters={"max_execution_time": "1"})
    assert slow.code in (158, 159), slow
    assert time.monotonic() - began_s < 50


@pytest.mark.parametrize(
    "value", ["'", "' OR 1=1 --", "x'); DROP TABLE rates; --", "{x:String}", "\\'", "unit:c1' OR '1'='1"]
)
def test_sql_in_a_value_is_a_text(store: Store, value: str) -> None:
    """A parameter's value finds what is called so: nothing."""
    sent = {"param_v": value.replace("\\", "\\\\")}
    rv = store.unit.ask("SELECT count() FROM rates WHERE scope = {v:String}", parameters=sent)

    assert rv == (200, 0, "0\n")


def test_the_database_of_the_system_cannot_be_chosen(store: Store) -> None:
    """Then `processes` would be a table without a name in front; and in `default` a file's path is one."""
    for database in ("system", "SYSTEM", "information_schema"):
        assert store.grafana._replace(database=database).ask("SELECT * FROM processes").code == DENIED
    for account in (store.reader, store.grafana, store.unit, store.writer):
        rv = account._replace(database="default").ask(f"SELECT * FROM `{FILE}`")
        assert rv.code == DENIED, rv


def test_roles_do_not_leak_between_requests(store: Store) -> None:
    """Whoever comes after a limited account has his own rights and settings, and the other way round."""
    for _ in range(8):
        assert store.unit.ask("SELECT count() FROM rates").text == "1\n"
        assert store.reader.ask("SELECT count(), getSetting('readonly') FROM rates").text == "2\t0\n"
        assert store.grafana.ask("SELECT count() FROM rates").text == "2\n"
        assert store.writer.ask("SELECT count(), getSetting('readonly') FROM rates").text == "2\t0\n"
