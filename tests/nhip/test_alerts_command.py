"""``nhip alerts`` as an operator uses it: faults with their remedy, who is told, what fires and what was done."""

import getpass
import json
import threading
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner, Result

from contract.calendar import WorkCalendar
from contract.sources import parse_sources
from nhip.cli import app
from sinks.alert_store import ClickHouseAlertStore
from sinks.client import Client, connect
from sinks.migrate import migrate
from sinks.outbox import ChannelResult, Delivery, DeliveryState
from streams.alerts import Alert, AlertState, Figure, Notice, NoticeFacts
from streams.clock import US_PER_S, wall_clock_us
from tests.conftest import Database

MINUTE_US = 60 * US_PER_S
NO_STORE = ("--set", "store_port=1")
RULE = """[[rule]]
id = "on_time"
indicator = "on_time"
window = "30d"
scope = "level:ward"
below = 0.95
to = ["unit"]
"""
PEOPLE = """[recipients.duty]
channels = []
[groups]
operators = ["duty"]
engineers = ["duty"]
[units]
"75" = ["operators"]
"""


def nhip(*arguments: str) -> Result:
    """Run the program; a known error ends as its exception, which ``main`` turns into a sentence."""
    return CliRunner().invoke(app, list(arguments))


@pytest.fixture
def files(tmp_path: Path) -> Callable[[str, str], tuple[str, str]]:
    """Write rules and recipients; return the options that name them to ``check``."""

    def write(rules: str, recipients: str) -> tuple[str, str]:
        for name, text in (("rules.toml", rules), ("people.toml", recipients)):
            (tmp_path / name).write_text(text, "utf-8")
        return f"--rules={tmp_path / 'rules.toml'}", f"--recipients={tmp_path / 'people.toml'}"

    return write


def test_the_shipped_files_are_sound() -> None:
    """Nothing is wrong with what ships; that nobody has a channel yet is said."""
    rv = nhip("alerts", "check")

    assert rv.exit_code == 0
    assert "nothing is wrong" in rv.output
    assert "without a channel" in rv.output


@pytest.mark.parametrize(
    ("rules", "people", "words"),
    [
        (RULE.replace('"on_time"\nwin', '"speed"\nwin'), PEOPLE, ("rules.toml, line 3", "'speed' is unknown: write")),
        (RULE.replace("level:ward", "planet:*"), PEOPLE, ("rules.toml, line 5", "'planet:*' is unknown")),
        (RULE.replace("0.95", "95"), PEOPLE, ("rules.toml, line 6", "0.95 for 95 %")),
        (RULE.replace('"unit"', '"boss"'), PEOPLE, ("rules.toml, line 7", "'boss' is unknown")),
        (RULE + RULE, PEOPLE, ("rules.toml, line 9", "same id", "choose another")),
        (RULE, PEOPLE.replace("engineers", "others"), ("owner", "engineers", "people.toml")),
        (RULE, PEOPLE.replace("[]", '["mailto://u:${env:P}@h.invalid?to=a%0D%0ABcc:x@h.invalid"]'),
         ("people.toml", "recipients.duty", "line break", "rules.toml: not checked")),
    ],
    ids=["indicator", "scope", "range", "recipient", "twice", "owner", "newline"],
)  # fmt: skip
def test_check_names_file_line_and_remedy(
    files: Callable[[str, str], tuple[str, str]], rules: str, people: str, words: tuple[str, ...]
) -> None:
    """Each fault of the issue's list ends with 65 and says where and what to do; no address is shown."""
    rv = nhip("alerts", "check", *files(rules, people))

    assert rv.exit_code == 65
    flat = rv.output.replace("\n", " ")
    assert all(word in flat for word in words), flat
    assert "Bcc" not in flat


def test_check_finds_all_faults_at_once(files: Callable[[str, str], tuple[str, str]]) -> None:
    """Two faults of one file are two lines."""
    rv = nhip("alerts", "check", *files(RULE.replace("0.95", "95").replace("30d", "2h"), PEOPLE))

    assert {
        line.partition(": ")[0].rpartition(" ")[2] for line in rv.output.splitlines() if "rules.toml" in line
    } == {
        "4",
        "6",
    }


def test_rules_say_who_is_told_and_why(files: Callable[[str, str], tuple[str, str]]) -> None:
    """For a ward without an entry of its own the province's answer; a rule on other units is left out."""
    given = (value.partition("=")[2] for value in files(RULE + RULE.replace('"on_time"', '"other"', 1)
             .replace("level:ward", "unit:75"), PEOPLE))  # fmt: skip
    options = [item for name, path in zip(("rules_file", "recipients_file"), given, strict=True)
               for item in ("--set", f"{name}={path}")]  # fmt: skip

    text = nhip(*NO_STORE, *options, "alerts", "rules", "--unit", "25195").output
    found = json.loads(nhip(*NO_STORE, *options, "alerts", "rules", "--unit", "25195", "--json").stdout)
    unknown = nhip(*NO_STORE, "alerts", "rules", "--unit", "nowhere")

    assert "to unit (Thành phố Đồng Nai, 75): duty (no channel)" in text
    assert "need not be in force" in text
    assert [(rule["id"], rule["told"]) for rule in found] == [
        ("on_time", [{"when": "to", "as": "unit (Thành phố Đồng Nai, 75)", "recipients": ["duty"]}])
    ]
    assert unknown.exit_code == 2


@pytest.fixture
def hook() -> Iterator[tuple[str, list[dict[str, Any]]]]:
    """A webhook on this machine, and what it received."""
    got: list[dict[str, Any]] = []

    class Hook(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            got.append(json.loads(self.rfile.read(int(self.headers["Content-Length"]))))
            self.send_response(200)
            self.end_headers()

        def log_message(self, format: str, *_: object) -> None:  # noqa: A002 - the base class names it so
            """Say nothing."""

    server = HTTPServer(("127.0.0.1", 0), Hook)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    yield f"127.0.0.1:{server.server_port}", got
    server.shutdown()
    thread.join()
    server.server_close()


def test_a_test_message_goes_through_every_channel(
    tmp_path: Path, hook: tuple[str, list[dict[str, Any]]], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Of a group every recipient's channels answer one by one; neither address nor secret is shown."""
    address, got = hook
    monkeypatch.setenv("HOOK_TOKEN", "s3cret")
    people = tmp_path / "people.toml"
    channels = f'["json://{address}/secret-path?+Authorization=${{env:HOOK_TOKEN}}", "json://127.0.0.1:1/"]'
    people.write_text(PEOPLE.replace("[]", channels), "utf-8")
    people.chmod(0o600)

    rv = nhip("--set", f"recipients_file={people}", "alerts", "test", "operators")
    silent = nhip("alerts", "test", "duty")
    unknown = nhip("--set", f"recipients_file={people}", "alerts", "test", "nobody")

    assert "duty json#1: sent" in rv.output
    assert "duty json#2: the service could not be reached" in rv.output
    assert (rv.exit_code, silent.exit_code, unknown.exit_code) == (69, 69, 1)
    assert "s3cret" not in rv.output
    assert "secret-path" not in rv.output
    assert len(got) == 1
    assert "Tin thử" in got[0]["title"]
    assert "operators" in unknown.output


def alert(key: str, state: AlertState, **changes: Any) -> Alert:
    """An alert of half an hour ago."""
    now_us = wall_clock_us()
    common: dict[str, Any] = {
        "rule": "on_time",
        "indicator": "on_time",
        "window": "30d",
        "scope": "unit:25195",
        "severity": "critical",
        "since_us": now_us - 30 * MINUTE_US,
        "fired_us": None if state is AlertState.PENDING else now_us - 20 * MINUTE_US,
        "ended_us": now_us - MINUTE_US if state is AlertState.RECOVERED else None,
        "numerator": 31,
        "denominator": 34,
        "threshold": 0.95,
    }
    return Alert(id=key, state=state, **common | changes)


@pytest.fixture
def store(database: Database) -> Iterator[ClickHouseAlertStore]:
    """A firing, a pending and a recovered alert; the first was sent at the second attempt."""
    client: Client = connect(host=database.host, port=database.port, database=database.name, **database.login)
    migrate(client)
    days = WorkCalendar.build({}, first_year=2026, last_year=2026)
    everywhere = '[[sources]]\npattern = "*"\nexpected = "15m"\nowner = "engineers"\n'
    found = ClickHouseAlertStore(client, parse_sources(everywhere, "sources.toml", days), wall_clock_us)
    alerts = [
        alert("f1", AlertState.FIRING),
        alert("p1", AlertState.PENDING, scope="unit:75"),
        alert("r1", AlertState.RECOVERED, rule="source_silent", scope="source:onestop[/x]", indicator="silence",
              window="now", numerator=0, denominator=900, threshold=1.0),
    ]  # fmt: skip
    found.write_alerts(alerts, 1, 1)
    facts = NoticeFacts(indicator="on_time", window="30d", figures=(Figure("unit:25195", 31, 34),), threshold=0.95,
                        below=True, since_us=alerts[0].since_us)  # fmt: skip
    now_us = wall_clock_us()
    notice = Notice(id="n1", alert="f1", rule="on_time", scope="unit:25195", kind="fired", severity="critical",
                    recipient="duty", at_us=now_us, facts=facts)  # fmt: skip
    found.write_notices([notice])
    refused = ChannelResult("json#1", "the service answered HTTP 503")
    for state, attempts, error in ((DeliveryState.RETRYING, 1, refused.error), (DeliveryState.SENT, 2, "")):
        found.record(notice, Delivery(state=state, attempts=attempts, first_us=now_us, at_us=now_us, error=error))
    yield found
    client.close()


@pytest.fixture
def ask(database: Database, store: ClickHouseAlertStore) -> Callable[..., Result]:
    """Run a command of ``nhip alerts`` on that store."""
    place = [f"{name}={value}" for name, value in database.settings.items()]
    assert store.open_alerts()
    return lambda *arguments: nhip(*(item for one in place for item in ("--set", one)), "alerts", *arguments)


@pytest.mark.services
def test_alerts_are_listed_shown_and_acknowledged(ask: Callable[..., Result]) -> None:
    """Who acknowledges stands in list and episode; every attempt to send is there; what is over cannot be taken."""
    before = json.loads(ask("list", "--json").stdout)
    acked = ask("ack", "f1", "--by", "duty", "--reason", "calling them")
    after = json.loads(ask("list", "--json").stdout)
    shown = ask("show", "f1").output
    document = json.loads(ask("show", "f1", "--json").stdout)
    over, absent, address = ask("ack", "r1"), ask("ack", "zz"), ask("ack", "f1", "--by", "a@b.invalid")

    assert [(one["id"], one["state"], one["acknowledged"]) for one in before] == [
        ("f1", "firing", None),
        ("p1", "pending", None),
    ]
    assert (acked.exit_code, after[0]["acknowledged"]["by"]) == (0, "duty")
    assert "91.2 % (31/34), below 95 %" in shown
    assert "by duty calling them" in shown
    assert [one["state"] for one in document["notices"][0]["attempts"]] == ["retrying", "sent"]
    assert (over.exit_code, absent.exit_code, address.exit_code) == (1, 1, 2)


@pytest.mark.services
def test_an_alert_whose_end_waits_for_the_morning_is_over(
    ask: Callable[..., Result], store: ClickHouseAlertStore
) -> None:
    """It is not listed, shows as recovered, and cannot be taken."""
    store.write_alerts([alert("f2", AlertState.FIRING, ended_us=wall_clock_us() - MINUTE_US)], 1, 2)

    listed = json.loads(ask("list", "--json").stdout)
    shown = ask("show", "f2").output
    document = json.loads(ask("show", "f2", "--json").stdout)

    assert [one["id"] for one in listed] == ["f1", "p1"]
    assert shown.startswith("recovered")
    assert document["state"] == "recovered"
    assert ask("ack", "f2").exit_code == 1


@pytest.mark.services
def test_a_rule_is_muted_for_a_time(ask: Callable[..., Result], store: ClickHouseAlertStore) -> None:
    """By alert or by rule and scope, by default in the name of the account; unmuted it is told again."""
    first = ask("mute", "f1", "--for", "2h", "--reason", "new  software")
    second = ask("mute", "--rule", "dead_letters", "--scope", "source:x", "--reason", "known", "--by", "duty")
    mutes = store.mutes()
    undone = ask("unmute", "--rule", "on_time", "--scope", "unit:25195")
    again = ask("unmute", "f1")
    wrong = [ask("mute", "f1", "--rule", "x", "--reason", "y"), ask("mute", "f1", "--for", "2 h", "--reason", "y"),
             ask("mute", "f1", "--for", "900d", "--reason", "y"), ask("mute", "f1", "--reason", " ")]  # fmt: skip

    assert (first.exit_code, second.exit_code, undone.exit_code, again.exit_code) == (0, 0, 0, 1)
    assert {(one.rule, one.scope, one.by, one.reason) for one in mutes} == {
        ("on_time", "unit:25195", getpass.getuser(), "new software"),
        ("dead_letters", "source:x", "duty", "known"),
    }
    assert [one.rule for one in store.mutes()] == ["dead_letters"]
    assert [one.exit_code for one in wrong] == [2, 2, 2, 2]


@pytest.mark.services
def test_history_and_rules_in_force(ask: Callable[..., Result], store: ClickHouseAlertStore) -> None:
    """What fired, by rule; the rules in force are those that workers stored, and a file that differs is said."""
    store.write_rules(RULE.replace('to = ["unit"]', 'to = ["operators"]'))

    fired = json.loads(ask("history", "--json").stdout)
    one = json.loads(ask("history", "--rule", "source_silent", "--since", "1d", "--json").stdout)
    text = ask("history").output
    rules = ask("rules", "--unit", "25195")

    assert {row["id"] for row in fired} == {"f1", "r1"}
    assert [row["id"] for row in one] == ["r1"]
    assert "onestop[/x]" in text
    assert "differs from the rules in force" in rules.output
    assert "to operators: duty" in rules.output
