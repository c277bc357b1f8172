"""Alerts by hand: ``alerts list``, ``show``, ``ack``, ``mute``, ``unmute`` and ``history``."""

import getpass
import re
from typing import Annotated, Any

import msgspec
import typer
from rich.markup import escape
from rich.table import Column, Table

from contract.duration import seconds_of
from contract.text import same
from contract.units import UnitTree
from dashboards.alerts.choices import MOST_REASON, reason_of
from dashboards.alerts.standing import Standing, standing, standings
from dashboards.alerts.telling import alert_figure, alert_limit
from nhip.alerting import open_alert_store
from nhip.commands import alert_rules, alert_test, backtest
from nhip.console import OUT, print_json, say
from nhip.settings import Settings, load_tree
from sinks.alert_store import ClickHouseAlertStore
from sinks.rates import heartbeat
from sinks.wording import moment_text, place_text
from streams.alerts import Action, Alert
from streams.clock import US_PER_S, wall_clock_us

__all__ = ["app"]

EXIT_ABSENT = 1
MOST_SHOWN = 1_000
_NAME = re.compile(r"[\w .-]{1,64}")
_LONGEST_MUTE_S = 366 * 86_400

app = typer.Typer(help="Alerts: who is told what, and what to do about those that fire.", no_args_is_help=True)
alert_rules.register(app)
alert_test.register(app)
backtest.register(app)

Json = Annotated[bool, typer.Option("--json", help="Print a document for programs.")]
Key = Annotated[str, typer.Argument(metavar="ID", help="Id of the alert, as `list` prints it.")]
By = Annotated[
    str | None, typer.Option(metavar="NAME", help="Who does it: a name, never an address; default: your account.")
]
Reason = Annotated[str, typer.Option(help="Why, for those who read it later.")]
MaybeKey = Annotated[str | None, typer.Argument(metavar="[ID]", help="Id of an alert, as `list` prints it.")]
RuleId = Annotated[str | None, typer.Option(metavar="ID", help="Rule, together with --scope, instead of an alert.")]
Scope = Annotated[str | None, typer.Option(metavar="SCOPE", help="Scope, such as unit:75 or source:onestop.")]


@app.command(name="list")
def list_alerts(context: typer.Context, json: Json = False) -> None:
    """List the alerts that fire and those that are pending, the worst first."""
    settings: Settings = context.obj
    tree, store = load_tree(settings), open_alert_store(settings)
    found = standings(store.open_alerts(), store.actions(), _now_us(settings, store), {})
    if json:
        print_json([_document(one) for one in found])
        return
    table = Table(Column("id", no_wrap=True), "what", "figure", "since, acknowledged", show_lines=True)
    for one in found:
        alert = one.alert
        told = f"by {one.acknowledged.by}" if one.acknowledged else "by nobody"
        muted = f"muted until {moment_text(one.muted.until_us or 0)}" if one.muted else ""
        table.add_row(
            alert.id,
            f"{one.state.value}, {alert.severity}\n{alert.rule}\n{escape(_where(tree, alert.scope))}",
            f"{alert_figure(alert).en}\n{alert_limit(alert).en}",
            "\n".join(filter(None, (moment_text(alert.since_us), told, muted))),
        )
    OUT.print(table if found else "no alert fires or is pending")


@app.command()
def show(context: typer.Context, key: Key, json: Json = False) -> None:
    """Show one alert: the episode, what people did, every message and every attempt to send it."""
    settings: Settings = context.obj
    store = open_alert_store(settings)
    alert = _find(store, key)
    actions = store.actions_of(alert)
    found = standing(alert, actions, _now_us(settings, store))
    notices = [(one.notice, store.attempts_of(one.notice.id)) for one in store.notices_of(key, MOST_SHOWN)]
    if json:
        document = _document(found)
        document["actions"] = [msgspec.to_builtins(action) for action in actions]
        document["notices"] = [
            {**msgspec.to_builtins(notice), "attempts": [msgspec.to_builtins(one) for one in attempts]}
            for notice, attempts in notices
        ]
        print_json(document)
        return
    where = _where(load_tree(settings), alert.scope)
    head_line = f"{found.state.value}  {alert.severity}  {alert.rule}  {where}"
    OUT.print(head_line, markup=False, highlight=False, soft_wrap=True)
    OUT.print(f"{alert_figure(alert).en}, {alert_limit(alert).en}", markup=False, highlight=False)
    for name in ("since", "fired", "noticed", "escalated", "ended"):
        if (at_us := getattr(alert, f"{name}_us")) is not None:
            OUT.print(f"{name:<10} {moment_text(at_us)}", highlight=False)
    for action in actions:
        until = f" until {moment_text(action.until_us)}" if action.until_us else ""
        line = f"{action.action:<10} {moment_text(action.at_us)}{until} by {action.by} {action.reason}".rstrip()
        OUT.print(line, markup=False, highlight=False, soft_wrap=True)
    table = Table("message", "kind", "to", "decided", "state", "at", "attempts", "error")
    for notice, attempts in notices:
        head = (notice.id, notice.kind, notice.recipient, moment_text(notice.at_us))
        if not attempts:
            table.add_row(*head, "decided", "", "0", "")
        for nth, one in enumerate(attempts):
            first = head if nth == 0 else ("", "", "", "")
            table.add_row(*first, one.state.value, moment_text(one.at_us), str(one.attempts), escape(one.error))
    OUT.print(table if notices else "no message yet")


@app.command()
def ack(context: typer.Context, key: Key, by: By = None, reason: Reason = "") -> None:
    """Acknowledge an alert: no more reminders, no escalation; others see who has it."""
    settings: Settings = context.obj
    store = open_alert_store(settings)
    alert = _find(store, key)
    now_us = _now_us(settings, store)
    if not standing(alert, (), now_us).firing:
        say(f"alert {key} does not fire (any more): there is nothing to acknowledge")
        raise typer.Exit(EXIT_ABSENT)
    words = _reason(reason) if reason else ""
    store.act(_action("ack", alert.id, alert.rule, alert.scope, _by(by), words, now_us))
    say(f"{alert.rule} in {alert.scope} acknowledged by {_by(by)}")


@app.command()
def mute(
    context: typer.Context,
    reason: Reason,
    key: MaybeKey = None,
    rule: RuleId = None,
    scope: Scope = None,
    span: Annotated[str, typer.Option("--for", metavar="DURATION", help="How long: 30m, 4h, 2d.")] = "4h",
    by: By = None,
) -> None:
    """Send no messages of a rule in a scope for a time; what still fires then is told then."""
    settings: Settings = context.obj
    try:
        seconds = seconds_of(span)
    except ValueError as error:
        raise typer.BadParameter(str(error), param_hint="--for") from None
    if not 0 < seconds <= _LONGEST_MUTE_S:
        raise typer.BadParameter("write more than 0, at most 366d", param_hint="--for")
    store = open_alert_store(settings)
    now_us = _now_us(settings, store)
    until_us = now_us + seconds * US_PER_S
    action = _action("mute", *_meant(store, key, rule, scope), _by(by), _reason(reason), now_us)
    store.act(msgspec.structs.replace(action, until_us=until_us))
    say(f"{action.rule} in {action.scope} muted until {moment_text(until_us)}")


@app.command()
def unmute(
    context: typer.Context, key: MaybeKey = None, rule: RuleId = None, scope: Scope = None, by: By = None
) -> None:
    """Send the messages of a rule in a scope again."""
    settings: Settings = context.obj
    store = open_alert_store(settings)
    alert, rule_id, where = _meant(store, key, rule, scope)
    if not any((one.rule, one.scope) == (rule_id, where) for one in store.mutes()):
        say(f"{rule_id} in {where} is not muted")
        raise typer.Exit(EXIT_ABSENT)
    store.act(_action("unmute", alert, rule_id, where, _by(by), "", _now_us(settings, store)))
    say(f"{rule_id} in {where} is told again")


@app.command()
def history(
    context: typer.Context,
    since: Annotated[str, typer.Option(metavar="DURATION", help="Alerts not over before so long ago.")] = "7d",
    rule: Annotated[str | None, typer.Option(metavar="ID", help="Only this rule.")] = None,
    json: Json = False,
) -> None:
    """List the alerts that fired, the newest first, with how long they lasted and how often somebody was told."""
    settings: Settings = context.obj
    try:
        seconds = seconds_of(since)
    except ValueError as error:
        raise typer.BadParameter(str(error), param_hint="--since") from None
    store = open_alert_store(settings)
    before_us = _now_us(settings, store) - seconds * US_PER_S
    found = [one for one in store.alert_history(MOST_SHOWN, before_us) if rule in (None, one.rule)]
    if json:
        print_json([msgspec.to_builtins(one) for one in found])
        return
    tree = load_tree(settings)
    table = Table(Column("id", no_wrap=True), "what", "since, fired, ended", "messages")
    for one in found:
        times = (moment_text(at_us) if at_us else "–" for at_us in (one.since_us, one.fired_us, one.ended_us))
        what = f"{one.severity}\n{one.rule}\n{escape(_where(tree, one.scope))}"
        table.add_row(one.id, what, "\n".join(times), str(one.notices))
    OUT.print(table if found else "no alert fired")


def _find(store: ClickHouseAlertStore, key: str) -> Alert:
    found = store.alert(key)
    if found is None:
        say(f"there is no alert {key}; `nhip alerts list` and `nhip alerts history` show them")
        raise typer.Exit(EXIT_ABSENT)
    return found


def _meant(store: ClickHouseAlertStore, key: str | None, rule: str | None, scope: str | None) -> tuple[str, str, str]:
    """Return alert (may be empty), rule and scope that a command names."""
    if key is not None and rule is None and scope is None:
        alert = _find(store, key)
        return alert.id, alert.rule, alert.scope
    if key is not None or rule is None or scope is None:
        raise typer.BadParameter("name an alert by its ID, or a rule and a scope with --rule and --scope")
    return "", rule, scope


def _action(kind: Any, alert: str, rule: str, scope: str, by: str, reason: str, now_us: int) -> Action:
    return Action(alert=alert, rule=rule, scope=scope, action=kind, by=by, reason=reason, at_us=now_us)


def _by(given: str | None) -> str:
    name = getpass.getuser() if given is None else given
    if not _NAME.fullmatch(name):
        raise typer.BadParameter("write 1 to 64 letters, digits, spaces, dots or hyphens", param_hint="--by")
    return name


def _reason(given: str) -> str:
    reason = reason_of(given)
    if reason is None:
        raise typer.BadParameter(f"write 1 to {MOST_REASON} characters", param_hint="--reason")
    return reason


def _now_us(settings: Settings, store: ClickHouseAlertStore) -> int:
    """Return the clock of the figures, by which mutes end."""
    beat = heartbeat(store.client) if settings.clock == "event" else None
    return beat.as_of_us if beat else wall_clock_us()


def _where(tree: UnitTree, scope: str) -> str:
    return place_text(scope, lambda code: same(tree.name(code, "vi"))).vi


def _document(found: Standing) -> dict[str, Any]:
    document: dict[str, Any] = msgspec.to_builtins(found.alert)
    document["state"] = found.state.value
    document["acknowledged"] = msgspec.to_builtins(found.acknowledged)
    document["muted"] = msgspec.to_builtins(found.muted)
    return document
