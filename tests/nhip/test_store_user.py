"""Accounts of the store by command: made, listed and ended beside `nhip up`, or printed for a server elsewhere."""

import json
from pathlib import Path

import chdb
import pytest
from typer.testing import CliRunner, Result

from nhip.cli import app
from nhip.local.users import Door, StoreUsers, own_passwords
from producers.tokens import AccessError, digest
from sinks.rights import Role


def run(*arguments: str) -> Result:
    """Run a command; no store answers where its acts would be noted."""
    return CliRunner().invoke(app, ["--set=store_port=1", "store-user", *arguments])


@pytest.fixture
def data(tmp_path: Path) -> Path:
    """A folder of `nhip up` that was started once."""
    (tmp_path / "store").mkdir()
    own_passwords(tmp_path / "store")
    return tmp_path


def test_an_account_is_made_listed_and_ended(data: Path) -> None:
    """Its password is shown once and opens the door until it is revoked; the list never has it."""
    made = run("create", "--name", "grafana_25195", "--unit", "25195", "--expires", "90d", "--data", str(data))
    secret = made.stdout.strip()
    found = Door(data / "store").enter("grafana_25195", secret)
    listed = run("list", "--json", "--data", str(data))
    shown = run("list", "--data", str(data))
    ended = run("revoke", "--name", "grafana_25195", "--data", str(data))

    assert (made.exit_code, listed.exit_code, shown.exit_code, ended.exit_code) == (0, 0, 0, 0)
    assert found is not None
    assert found.role is Role.GRAFANA
    assert found.units[0] == "25195"
    assert secret not in listed.stdout + shown.stdout + (data / "store" / "users.json").read_text()
    assert [user["name"] for user in json.loads(listed.stdout)] == ["nhip", "nhip_reader", "grafana_25195"]
    assert Door(data / "store").enter("grafana_25195", secret) is None


def test_a_provinces_account_has_every_unit_below(data: Path) -> None:
    """The store knows no tree: all codes are written down."""
    run("create", "--name", "all_of_it", "--unit", "75", "--data", str(data))

    (made,) = (user for user in StoreUsers(data / "store").read() if user.name == "all_of_it")

    assert made.units[0] == "75"
    assert len(made.units) > 50
    assert len(set(made.units)) == len(made.units)


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["create", "--name", "g", "--unit", "nowhere"], "not in the table"),
        (["create", "--name", "nhip"], "already"),
        (["revoke", "--name", "nhip_reader"], "own account"),
        (["revoke", "--name", "nobody"], "no token"),
    ],
)
def test_what_cannot_be_is_refused(data: Path, arguments: list[str], words: str) -> None:
    """With one sentence."""
    rv = run(*arguments, "--data", str(data))

    assert isinstance(rv.exception, AccessError)
    assert words in str(rv.exception)


def test_another_folder_is_told(tmp_path: Path) -> None:
    """A folder where nothing was ever started."""
    rv = run("list", "--data", str(tmp_path))

    assert "--data" in str(rv.exception)


def test_sql_for_a_server_elsewhere() -> None:
    """Statements that ClickHouse's parser takes, with the password's hash alone; it is told beside them."""
    rv = run("sql", "--name", "grafana_25195", "--unit", "25195")
    secret = rv.stderr.rsplit(" ", 1)[-1].strip()
    refused = run("sql", "--name", "x'; DROP USER y; --")

    statements = [text for text in rv.stdout.split(";\n") if text.strip()]
    for text in statements:
        chdb.query(f"EXPLAIN AST {text}")

    assert rv.exit_code == 0
    assert len(statements) > 15
    assert digest(secret) in rv.stdout
    assert secret not in rv.stdout
    assert "'unit:25195'" in rv.stdout
    assert isinstance(refused.exception, AccessError)
