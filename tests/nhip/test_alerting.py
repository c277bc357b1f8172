"""What alerts need of the settings: links by the key of the workers, addresses, owners; and what the wall reads."""

from pathlib import Path
from typing import Any

import pytest

from contract.calendar import WorkCalendar
from contract.sources import SourcesError, parse_sources
from dashboards.alerts.link import Link
from dashboards.reading import Reading
from dashboards.view import Place
from nhip.alarm import make_alarm
from nhip.alerting import alerts_url, check_link, load_rules, unknown_owners
from nhip.settings import Settings, SettingsError, load_office_sources, load_settings, load_tree
from sinks.alert_actions import write_action
from sinks.alerts import write_alerts
from sinks.client import connect
from sinks.links import LinkKeyError, LinkSigner, load_link_key
from sinks.migrate import migrate
from sinks.recipients import parse_recipients
from sinks.rule_sets import write_rules
from streams.alerts import Action, Alert, AlertState
from streams.clock import US_PER_S, wall_clock_us
from streams.rule_file import RulesError
from tests.conftest import Database


def signed(path: Path, alert: str, recipient: str, expires_s: int) -> Link:
    """A link as a worker makes it."""
    signature = LinkSigner(load_link_key(path)).sign(alert, recipient, str(expires_s))
    return Link(alert, recipient, str(expires_s), signature)


def test_links_are_judged_by_the_workers_key(tmp_path: Path) -> None:
    """Good as made; forged with any part changed or another key; expired when its time is over."""
    settings = Settings(alerts_key_file=str(tmp_path / "key"))
    now_s = wall_clock_us() // US_PER_S
    link = signed(tmp_path / "key", "a1", "duty", now_s + 60)
    old = signed(tmp_path / "key", "a1", "duty", now_s - 1)
    other = signed(tmp_path / "key2", "a1", "duty", now_s + 60)
    changed = [
        link._replace(alert="a2"),
        link._replace(recipient="boss"),
        link._replace(expires=str(now_s + 9_999)),
        link._replace(expires="x"),
        link._replace(signature=""),
        link._replace(signature="\udcff"),
    ]

    rv = [check_link(settings, one) for one in (link, old, other, *changed)]

    assert rv == ["good", "expired", *["forged"] * 7]


def test_who_asks_does_not_make_the_key(tmp_path: Path) -> None:
    """Without a key nobody has signed anything; one that others can read is refused."""
    path = tmp_path / "key"
    settings = Settings(alerts_key_file=str(path))

    rv = check_link(settings, Link("a1", "duty", "1", "00"))
    made = path.exists()
    load_link_key(path)
    path.chmod(0o644)

    assert (rv, made) == ("forged", False)
    with pytest.raises(LinkKeyError, match="chmod 600"):
        check_link(settings, Link("a1", "duty", "1", "00"))


def test_the_address_in_links() -> None:
    """As set, without a slash at its end; else this machine's. What is no address is refused."""
    rv = [alerts_url(Settings()), alerts_url(load_settings({}, None, {"alerts_url": "https://nhip.example.org/x/"}))]

    assert rv == ["http://127.0.0.1:8080", "https://nhip.example.org/x"]
    for wrong in ("nhip.example.org", "javascript:alert(1)", "https://nhip.example.org/?a=b", "https://a b"):
        with pytest.raises(SettingsError, match="alerts_url"):
            load_settings({}, None, {"alerts_url": wrong})


def test_owners_without_a_recipient_are_found() -> None:
    """An owner of a source that the recipients' file does not know would be told nothing."""
    text = '[[sources]]\npattern = "{0}"\nexpected = "15m"\nowner = "{1}"\n'
    days = WorkCalendar.build({}, first_year=2026, last_year=2026)
    sources = parse_sources(text.format("a*", "nobody") + text.format("*", "engineers"), "s.toml", days)

    rv = unknown_owners(sources, parse_recipients("[groups]\nengineers = []\n", "r.toml"))

    assert rv == ("nobody",)


@pytest.mark.services
def test_the_wall_reads_alerts_mutes_and_titles(database: Database) -> None:
    """What is open with who has it, mutes in force, and the titles of the rules that workers stored."""
    client = connect(host=database.host, port=database.port, database=database.name, **database.login)
    migrate(client)
    now_us = wall_clock_us()
    firing = Alert(id="a1", rule="late", indicator="on_time", window="30d", scope="unit:75", severity="warning",
                   state=AlertState.FIRING, since_us=now_us, numerator=1, denominator=2, threshold=0.95)  # fmt: skip
    write_alerts(client, [firing], 1, 1)
    write_rules(client, '[[rule]]\nid = "late"\ntitle = { vi = "Chậm", en = "Late" }\n')
    write_action(client, Action(alert="a1", rule="late", scope="unit:75", action="ack", by="duty", at_us=now_us))
    until_us = now_us + 10**9
    muted = Action(alert="", rule="late", scope="unit:1", action="mute", until_us=until_us, by="duty", at_us=now_us)
    write_action(client, muted)
    reading = Reading(client, Place(load_tree(Settings()), "75"), wall_clock_us, lambda: 0.0)

    (found,) = reading.read(frozenset()).alerts
    data = reading.read(frozenset({"unit:75"}))
    client.close()

    assert (found.alert.id, found.acknowledged and found.acknowledged.by, found.muted) == ("a1", "duty", None)
    assert [(mute.rule, mute.scope) for mute in data.mutes] == [("late", "unit:1")]
    assert data.titles["late"].vi == "Chậm"
    assert data.alerts[0].title == data.titles["late"]


def test_files_that_cannot_be_read_are_named(tmp_path: Path) -> None:
    """Rules and sources that are missing, or not UTF-8."""
    (tmp_path / "latin.toml").write_bytes(b"\xff\xfe")
    tree, nobody = load_tree(Settings()), parse_recipients("", "recipients.toml")

    for path in (tmp_path / "missing.toml", tmp_path / "latin.toml"):
        with pytest.raises(RulesError, match=f"{path.name}: the rules cannot be read"):
            load_rules(path, tree, nobody)
        with pytest.raises(SourcesError, match=f"{path.name}: the sources cannot be read"):
            load_office_sources(Settings(sources_file=str(path)))


@pytest.mark.parametrize("faulty", ["sources_file", "alerts_key_file", "alerts_channel"])
def test_a_file_that_only_alerts_need_does_not_stop_the_worker(
    faulty: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """The worker counts without alerts, and says why."""
    (tmp_path / "bad").write_text("x")
    (tmp_path / "bad").chmod(0o600)
    given = {"alerts_key_file": str(tmp_path / "key"), faulty: str(tmp_path / "bad")}
    unused: Any = None

    rv = make_alarm(load_settings({}, None, given), unused, unused, {}, unused, unused, unused)

    assert rv is None
    assert "no alerts until this is mended" in capsys.readouterr().out
