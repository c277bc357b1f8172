"""The trail of acts: who did what, in order, with what people did about alerts; never a secret."""

import json
import os
import pwd
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from nhip.audit import note
from nhip.cli import app
from nhip.settings import Settings
from sinks.alert_actions import write_action
from sinks.audit import Act, acts, write_act
from sinks.client import Client
from sinks.migrate import migrate
from sinks.rule_sets import write_rules
from streams.alerts import Action
from streams.store import StoreUnavailableError
from tests.conftest import Database

pytestmark = pytest.mark.services


def run(database: Database, folder: Path, *arguments: str) -> Any:
    """Run the program on the test's database."""
    settings = {**database.settings, "wall_tokens_file": folder / "w.json", "intake_tokens_file": folder / "i.json"}
    return CliRunner().invoke(app, [*(f"--set={name}={value}" for name, value in settings.items()), *arguments])


def test_acts_by_command_are_listed(database: Database, client: Client, tmp_path: Path) -> None:
    """Tokens made, rotated and revoked, each by the account, newest first; no secret among them."""
    migrate(client)

    said = [
        run(database, tmp_path, "wall-token", "create", "--name", "hall", "--expires", "90d"),
        run(database, tmp_path, "wall-token", "rotate", "--name", "hall", "--keep", "1h"),
        run(database, tmp_path, "wall-token", "revoke", "--name", "hall"),
        run(database, tmp_path, "intake-token", "create", "--name", "bank", "--source", "bank/*"),
        run(database, tmp_path, "intake-token", "rotate", "--name", "bank"),
    ]
    listed, shown = run(database, tmp_path, "audit", "list", "--json"), run(database, tmp_path, "audit", "list")

    assert [one.exit_code for one in (*said, listed, shown)] == [0] * 7
    found = json.loads(listed.stdout)
    assert [(act["act"], act["subject"]) for act in found] == [
        ("intake token rotated", "bank"), ("intake token created", "bank"), ("wall token revoked", "hall"),
        ("wall token rotated", "hall"), ("wall token created", "hall"),
    ]  # fmt: skip
    assert {act["who"] for act in found} == {pwd.getpwuid(os.getuid()).pw_name}
    assert "good for 90d" in found[-1]["detail"]
    assert not any(one.stdout.split()[0] in listed.stdout for one in said if one.stdout)


def test_alerts_and_rules_are_part_of_it(client: Client) -> None:
    """An acknowledgement by its recipient, and rules when they change, once."""
    migrate(client)
    write_action(
        client, Action(alert="a", rule="r", scope="unit:75", action="mute", by="duty", reason="move", at_us=1)
    )
    write_rules(client, "# one")
    write_rules(client, "# one")
    write_act(client, Act(who="me", host="here", act="tried", subject="this"))

    found = acts(client, 10)

    assert [(act.who, act.act, act.subject) for act in found] == [
        ("me", "tried", "this"), ("worker", "rules accepted", "rules"), ("duty", "alert mute", "r in unit:75"),
    ]  # fmt: skip
    assert found[0].at_us >= found[1].at_us > 0
    assert [act.act for act in acts(client, 1)] == ["tried"]


def test_a_store_without_the_table_says_what_to_do(client: Client) -> None:
    """An older schema is no silent gap."""
    with pytest.raises(StoreUnavailableError, match="nhip prepare"):
        write_act(client, Act(who="me", host="here", act="tried", subject="this"))


def test_a_store_that_is_away_does_not_undo_an_act(unused_port: int, capsys: pytest.CaptureFixture[str]) -> None:
    """The person is told to note it by hand."""
    note(Settings(store_port=unused_port), "wall token revoked", "hall")

    assert "note it by hand: wall token revoked, hall" in capsys.readouterr().err.replace("\n", " ")
