"""The program at the store's door: TLS, the two users, and what it says when it is not let in."""

import asyncio
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from msgspec.structs import replace
from typer.testing import CliRunner

from contract.fingerprint import fingerprint
from contract.registry import KINDS
from dashboards.reading import Reading
from dashboards.series import Series
from dashboards.view import Place
from nhip.alerting import open_alert_store
from nhip.cli import app
from nhip.exits import EXIT_NO_RIGHT, exit_code
from nhip.local import LocalClickHouse
from nhip.settings import Settings, SettingsError, load_tree
from nhip.store import open_client, prepare_store
from sinks.alerts import write_alerts
from sinks.check import compare
from sinks.client import StoreDeniedError
from sinks.store import ClickHouseStore
from streams.alerts import Action
from streams.rows import Heartbeat, Rate
from streams.store import StoreUnavailableError
from tests.dashboards.alert_pages import NOW_US, alert
from tests.support.certificates import Authority
from tests.support.tls_front import TlsFront

pytestmark = pytest.mark.services

SQL = "x'); DROP TABLE rates; --"


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LocalClickHouse]:
    """One prepared store for this file."""
    with LocalClickHouse(tmp_path_factory.mktemp("client"), database="nhip") as running:
        prepare_store(settings_of(running))
        yield running


@pytest.fixture(scope="module")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    """Who signs the store's certificate."""
    return Authority(tmp_path_factory.mktemp("tls"), "ours")


def settings_of(server: LocalClickHouse, **changes: Any) -> Settings:
    """The settings that lead there, with both users."""
    return replace(
        Settings(
            store_port=server.port,
            store_password_file=str(server.password_file),
            store_reader_user=server.reader,
            store_reader_password_file=str(server.reader_password_file),
        ),
        **changes,
    )


def test_by_tls_with_a_certificate_of_this_host(server: LocalClickHouse, authority: Authority) -> None:
    """Signed by who is named in store_ca_file; rows go both ways."""
    with TlsFront(server.port, *authority.issue("good", "IP:127.0.0.1")) as front:
        settings = settings_of(server, store_port=front.port, store_tls=True, store_ca_file=str(authority.file))
        with closing(open_client(settings)) as client:
            client.command("INSERT INTO alert_actions (rule, scope) VALUES ('tls', 'field:x')")
            rv = client.rows("SELECT rule FROM alert_actions WHERE rule = 'tls'")

    assert rv == [("tls",)]


@pytest.mark.parametrize("fault", ["another authority", "no authority", "another host", "no TLS there", "no file"])
def test_who_cannot_prove_itself_gets_no_password(
    server: LocalClickHouse, authority: Authority, tmp_path: Path, fault: str
) -> None:
    """A stranger's or another host's certificate, none at all: one sentence with the settings, at once."""
    stranger = Authority(tmp_path / "other", "stranger")
    made = authority.issue("elsewhere", "DNS:elsewhere.example") if fault == "another host" else (
        authority.issue("here", "IP:127.0.0.1"))  # fmt: skip
    trusted = {"another authority": str(stranger.file), "no authority": None, "no file": str(tmp_path / "absent")}
    with TlsFront(server.port, *made) as front:
        settings = settings_of(
            server,
            store_port=server.port if fault == "no TLS there" else front.port,
            store_tls=True,
            store_ca_file=trusted.get(fault, str(authority.file)),
        )

        with pytest.raises(SettingsError) as refused:
            open_client(settings, patience_s=20)

    assert "store_ca_file" in str(refused.value)
    assert server.login["password"] not in str(refused.value)


def test_plain_words_to_a_tls_port(server: LocalClickHouse, authority: Authority) -> None:
    """Told as what it looks like; the cure is named, or that nobody answers."""
    told = pytest.raises((SettingsError, StoreUnavailableError), match=r"store_tls|does not answer")
    with TlsFront(server.port, *authority.issue("tls", "IP:127.0.0.1")) as front, told:
        open_client(settings_of(server, store_port=front.port))


def test_a_wrong_password_is_told_and_not_repeated(server: LocalClickHouse, tmp_path: Path) -> None:
    """For both users, by the name of their settings."""
    held = tmp_path / "held"
    held.write_text("wrong-word\n")
    for reading, name in ((False, "store_password_file"), (True, "store_reader_password_file")):
        settings = settings_of(server, **{name: str(held)})

        with pytest.raises(SettingsError, match=name) as refused:
            open_client(settings, reading=reading)

        assert "wrong-word" not in str(refused.value)


def test_who_looks_cannot_change(server: LocalClickHouse) -> None:
    """The reader's connection reads all, adds an acknowledgement, and is refused the rest with what to do."""
    with closing(open_client(settings_of(server), reading=True)) as client:
        client.rows("SELECT * FROM rates_now FINAL")
        client.command("SELECT 1")
        with pytest.raises(StoreDeniedError, match=r"users\.sql"):
            client.command("TRUNCATE TABLE progress")
        with pytest.raises(StoreDeniedError, match="INSERT"):
            client.insert(
                "audit", client.arrow("SELECT 'a' AS who, 'b' AS host, 'c' AS act, '' AS subject, '' AS detail")
            )


def test_the_readers_account_is_enough_for_the_wall_and_its_page(server: LocalClickHouse) -> None:
    """Everything that screens, series, the check and the page behind a link read; and the acknowledgement."""
    settings = settings_of(server)
    place = Place(load_tree(settings), settings.province)
    with closing(open_client(settings)) as writer:
        store = ClickHouseStore(writer)
        store.ensure_definitions(fingerprint(KINDS))
        store.write_rates([Rate("unit:75", "on_time", "30d", 1, 2)], Heartbeat(1, 1, NOW_US, NOW_US))
        write_alerts(writer, [alert(scope="unit:75")], 1, 1)

    with closing(open_client(settings, reading=True)) as reader:
        data = Reading(reader, place, lambda: NOW_US, lambda: 0.0).read(frozenset({"unit:75", "unit:H19"}))
        series = Series(lambda: reader, lambda: NOW_US // 1_000_000, lambda: 0.0)
        rows = asyncio.run(series.read("unit:75", "on_time", "today"))
        checked = compare(ClickHouseStore(reader), place.tree, NOW_US // 1_000_000)
        desk = open_alert_store(settings, reading=True)
        found = desk.alert("a1")
        assert found is not None
        desk.act(Action(at_us=NOW_US, rule=found.rule, scope=found.scope, action="ack", by="ward", alert="a1"))
        acted = [action.by for action in desk.actions_of(found)]
        desk.act(
            Action(
                at_us=NOW_US, rule=SQL, scope=SQL, action="mute", by=SQL, alert="", until_us=NOW_US + 1, reason=SQL
            )
        )
        kept = reader.rows("SELECT rule, scope, by, reason FROM alert_actions WHERE reason = {r:String}", {"r": SQL})
        unknown = desk.alert(SQL)
        desk.client.close()

    assert data.rates["unit:75", "on_time", "30d"] == (1, 2)
    assert [one.alert.id for one in data.alerts] == ["a1"]
    assert sum(row.denominator for row in rows) == 0
    assert [(one.scope, one.window) for one in checked] == [("unit:75", "30d")]
    assert acted == ["ward"]
    assert (kept, unknown) == ([(SQL,) * 4], None)


def test_a_command_without_the_right_says_so(server: LocalClickHouse) -> None:
    """Who may only look lists the audit; to prepare the store ends in one sentence and the exit code of a refusal."""
    held = {
        "store_port": server.port,
        "store_user": server.reader,
        "store_password_file": server.reader_password_file,
    }
    flags = [f"--set={name}={value}" for name, value in held.items()]

    looked = CliRunner().invoke(app, [*flags, "audit", "list"])
    refused = CliRunner().invoke(app, [*flags, "prepare"])

    assert looked.exit_code == 0, looked.output
    assert isinstance(refused.exception, StoreDeniedError)
    assert "may only read" in str(refused.exception)
    assert exit_code(refused.exception) == EXIT_NO_RIGHT


def test_beside_nhip_up_the_passwords_are_found(
    server: LocalClickHouse, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """In the folder where `nhip up` keeps its data; elsewhere the error says where they are."""
    monkeypatch.chdir(tmp_path)
    usual = Settings(store_port=server.port)
    with pytest.raises(SettingsError, match="store/passwords"):
        open_client(usual)
    (tmp_path / ".nhip").mkdir()
    (tmp_path / ".nhip" / "store").symlink_to(server.password_file.parents[1])

    found = {}
    for reading in (False, True):
        with closing(open_client(usual, reading=reading)) as client:
            found[reading] = client.rows("SELECT currentRoles()[1]")

    assert found == {False: [("writer",)], True: [("reader",)]}
