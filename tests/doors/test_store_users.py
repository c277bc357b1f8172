"""Users of a real server: their statements are parsed by the engine, and what they say is tried on its own rights."""

# ruff: noqa: S608
# The statements are made here, of literals.

import re
from pathlib import Path

import chdb
import pytest

from nhip.local import LocalClickHouse
from sinks.rights import Role, policies, user_statements, users_sql
from tests.support.engine_user import as_user
from tests.support.store_account import Answer
from tests.support.unit_rows import MINE, OTHER, TABLES, filled

ROOT = Path(__file__).parents[2]
HASH = "0" * 64
DENIED, READONLY = 497, 164
UNIT = user_statements(Role.GRAFANA, "grafana_c1", HASH, "nhip", [MINE])
READER = user_statements(Role.READER, "nhip_reader", HASH, "nhip")
WRITER = user_statements(Role.WRITER, "nhip", HASH, "nhip")


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A store with rows of two units; it does not run any more."""
    folder = tmp_path_factory.mktemp("users")
    with LocalClickHouse(folder, database="nhip") as server:
        filled(server)
    return folder


def test_the_file_of_users_is_current() -> None:
    """What a server is given is what is declared."""
    assert (ROOT / "deploy" / "clickhouse" / "users.sql").read_text("utf-8") == users_sql()


@pytest.mark.parametrize("statements", [WRITER, READER, UNIT], ids=["writer", "reader", "grafana of a unit"])
def test_statements_parse(statements: tuple[str, ...]) -> None:
    """By ClickHouse's own parser."""
    for text in statements:
        chdb.query(f"EXPLAIN AST {text}")


@pytest.mark.parametrize("code", ["x'", "x') OR 1", "", "a b", "a" * 65])
def test_codes_and_names_are_checked(code: str) -> None:
    """Neither a unit's code nor a user's name can carry SQL."""
    with pytest.raises(ValueError, match="cannot be"):
        policies([code])
    with pytest.raises(ValueError, match="cannot be"):
        user_statements(Role.GRAFANA, code, HASH, "nhip")


def test_grafana_of_a_unit_on_the_engines_row_policies(data: Path) -> None:
    """Its own rows alone, also by functions that look into tables; no change, file or address, no limit lifted."""
    seen = {f"SELECT {column} FROM nhip.{table}": column for table, column in TABLES.items()}
    seen |= {"SELECT scope FROM merge('nhip', '^rates$')": "scope", "SELECT scope FROM nhip.rates_now FINAL": "scope"}
    refused = {
        "INSERT INTO nhip.rates (scope) SELECT 'x'": DENIED,
        "INSERT INTO nhip.alert_actions (scope) SELECT 'x'": DENIED,
        "DROP TABLE nhip.rates": DENIED,
        "SELECT * FROM system.users": DENIED,
        "SELECT * FROM url('http://127.0.0.1:1/x', 'CSV', 'a String')": DENIED,
        "SELECT * FROM file('/etc/hostname', 'LineAsString')": DENIED,
        "SELECT * FROM remote('127.0.0.1', 'nhip.rates')": DENIED,
        "SELECT * FROM mysql('127.0.0.1:1', 'a', 'b', 'c', 'd')": DENIED,
        "SELECT * FROM executable('id', 'TSV', 'a String')": DENIED,
        "SELECT value FROM nhip.dead_letters": DENIED,
        "SELECT * FROM nhip.dossiers": DENIED,
        "SELECT * FROM nhip.notifications": DENIED,
        "SELECT 1 SETTINGS readonly = 0": READONLY,
        "SELECT 1 SETTINGS max_result_rows = 0": READONLY,
        "SELECT number FROM numbers(10001)": 396,
    }
    empty = [f"SELECT count() FROM nhip.{table} WHERE {column} LIKE '%{OTHER}%'" for table, column in TABLES.items()]
    empty.append("SELECT count() FROM nhip.dead_letters")
    quiet = f"SELECT 1 FROM nhip.rates PREWHERE throwIf(scope = 'unit:{OTHER}')"

    rv = dict(
        zip([*seen, *refused, *empty, quiet], as_user(data, UNIT, [*seen, *refused, *empty, quiet]), strict=True)
    )

    for sql in seen:
        assert rv[sql].code == 0, rv[sql]
        assert MINE in rv[sql].text, sql
        assert OTHER not in rv[sql].text, sql
    assert {sql: rv[sql].code for sql in refused} == refused
    assert {rv[sql].text for sql in empty} == {"0\n"}
    assert rv[quiet] == Answer(200, 0, "")


def test_grafana_for_all_sees_both_units(data: Path) -> None:
    """Without conditions the same statements show both, so that the test above can fail."""
    statements = user_statements(Role.GRAFANA, "grafana", HASH, "nhip")
    rv = as_user(data, statements, [f"SELECT {column} FROM nhip.{table}" for table, column in TABLES.items()])

    assert all(OTHER in answer.text and MINE in answer.text for answer in rv)


def test_reader_and_writer_on_the_engines_rights(data: Path) -> None:
    """The reader adds acknowledgements and nothing else; the writer stays in its database."""
    acts = "INSERT INTO nhip.alert_actions (rule, scope) SELECT 'acked', 'field:x'"
    looks = ["SELECT value FROM nhip.dead_letters", "SELECT count() FROM nhip.alert_actions"]
    changes = ["INSERT INTO nhip.rates (scope) SELECT 'x'", "DELETE FROM nhip.rates WHERE 1", "DROP TABLE nhip.rates"]
    changes += ["SELECT * FROM system.users", "SELECT * FROM url('http://127.0.0.1:1/x', 'CSV', 'a String')"]
    mine = ["INSERT INTO nhip.rates (scope) SELECT 'field:w'", "DELETE FROM nhip.rates WHERE scope = 'field:w'"]
    mine += ["CREATE TABLE nhip.t (a UInt8) ENGINE = MergeTree ORDER BY a"]
    mine += ["TRUNCATE TABLE nhip.t", "DROP TABLE nhip.t"]
    others = ["CREATE DATABASE other", "CREATE USER u", "GRANT SELECT ON nhip.* TO default", *changes[3:]]

    reader = as_user(data, READER, [acts, *looks, *changes])
    writer = as_user(data, WRITER, [*mine, *others])

    assert [answer.code for answer in reader] == [0, 0, 0] + [DENIED] * len(changes)
    assert [answer.code for answer in writer] == [0] * len(mine) + [DENIED] * len(others)


def test_row_policies_name_every_table_with_units() -> None:
    """A table that Grafana may read and that has a scope or a unit has a condition."""
    granted = {found[1] for text in UNIT if (found := re.match(r"GRANT SELECT(?:\(.*\))? ON nhip\.(\w+)", text))}

    without = granted - policies([MINE]).keys()

    assert without == {"heartbeat", "epochs", "progress"}
