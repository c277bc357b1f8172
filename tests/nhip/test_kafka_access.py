"""Settings for Kafka's doors: files and environment, never an argument; and the command for rights."""

import json
from pathlib import Path

import msgspec
import pytest
from typer.testing import CliRunner

from nhip.cli import app
from nhip.kafka_access import EMBEDDED, embedded_environment, kafka_access
from nhip.settings import Settings, SettingsError, load_settings

PLANTED = "planted-5et-secret"
LOGIN = Settings(kafka_security="sasl_ssl", kafka_user="worker")


def test_a_password_comes_from_the_environment() -> None:
    """For containers that have no files of secrets."""
    rv = kafka_access(LOGIN, {"NHIP_KAFKA_PASSWORD": PLANTED})

    assert (rv.security, rv.user, rv.password) == ("sasl_ssl", "worker", PLANTED)


def test_a_file_beats_the_environment(tmp_path: Path) -> None:
    """What a setting names counts before what is only there."""
    file = tmp_path / "password"
    file.write_text(PLANTED)
    file.chmod(0o600)

    rv = kafka_access(msgspec.structs.replace(LOGIN, kafka_password_file=str(file)), {"NHIP_KAFKA_PASSWORD": "other"})

    assert rv.password == PLANTED


@pytest.mark.parametrize(
    ("settings", "word"),
    [
        (LOGIN, "needs a user and a password.*NHIP_KAFKA_PASSWORD"),
        (Settings(kafka_user="worker"), "does not log in with plaintext"),
        (Settings(kafka_security="ssl", kafka_ca_file="/nowhere/ca.pem"), r"/nowhere/ca\.pem.*No such file"),
        (
            load_settings({"NHIP_KAFKA_USER": "worker", "NHIP_KAFKA_PASSWORD_FILE": "/nowhere/password"}),
            "/nowhere/password: cannot be read",
        ),
    ],
)
def test_what_cannot_be_used_is_a_wrong_setting(settings: Settings, word: str) -> None:
    """One sentence that names the settings."""
    with pytest.raises(SettingsError, match=word):
        kafka_access(settings, {})


def test_a_password_is_no_setting() -> None:
    """So nobody writes it on a command line or into nhip.toml; the refusal does not repeat it."""
    rv = CliRunner().invoke(app, ["--set", f"kafka_password={PLANTED}", "status"])

    assert isinstance(rv.exception, SettingsError)
    assert "unknown setting 'kafka_password'" in str(rv.exception)
    assert PLANTED not in str(rv.exception)


def test_a_child_of_the_embedded_broker_enters_it_without_a_login() -> None:
    """Whatever the environment says for another broker, from which it was started."""
    outside = {
        "NHIP_KAFKA_SECURITY": "sasl_ssl",
        "NHIP_KAFKA_USER": "worker",
        "NHIP_KAFKA_CA_FILE": "/nowhere/ca.pem",
    }

    rv = kafka_access(load_settings({**outside, **embedded_environment()}), {"NHIP_KAFKA_PASSWORD": PLANTED})

    assert rv.options() == {}
    assert set(EMBEDDED) == {name for name in msgspec.structs.asdict(Settings()) if name.startswith("kafka_")}


def test_the_least_rights_are_printed_as_commands() -> None:
    """One command for each topic and group."""
    rv = CliRunner().invoke(app, ["kafka", "acls", "prepare", "--user", "nhip-prepare"])

    lines = rv.output.splitlines()
    assert rv.exit_code == 0, rv.output
    assert len(lines) == 4
    assert lines[0].endswith("User:nhip-prepare --operation Create --operation Describe --topic nhip.dossiers")


def test_a_producer_gets_the_topics_of_its_kinds_alone() -> None:
    """As a document for programs too."""
    arguments = ["kafka", "acls", "producer", "--user", "onestop", "--kind", "dossier", "--json"]

    rv = json.loads(CliRunner().invoke(app, arguments).output)

    assert rv["rights"] == [{"resource": "topic", "name": "nhip.dossiers", "operation": "Write"}]
    assert (rv["principal"], rv["applied"], len(rv["commands"])) == ("User:onestop", False, 1)


@pytest.mark.parametrize(
    "arguments",
    [
        ["king", "--user", "a"],
        ["producer", "--user", "a", "--kind", "letters"],
        ["worker", "--user", "a", "--kind", "dossier"],
    ],
)
def test_a_role_or_kind_that_is_unknown_is_told(arguments: list[str]) -> None:
    """With those that there are."""
    rv = CliRunner().invoke(app, ["kafka", "acls", *arguments])

    assert rv.exit_code == 2
