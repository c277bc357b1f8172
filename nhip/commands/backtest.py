"""What rules would have sent in the past: ``alerts backtest``."""

from collections.abc import Iterator, Sequence
from datetime import date, datetime
from pathlib import Path
from typing import Annotated
from zoneinfo import ZoneInfo

import typer

from contract.days import DAY_S, MINUTE_S, day_start, floor_minute
from contract.registry import INDICATORS
from contract.units import UnitTree
from nhip.alerting import load_office_recipients, load_rules, resolve, rules_path
from nhip.backtest import NOBODY, as_document, as_tables
from nhip.console import OUT, bar, print_json, say
from nhip.settings import Settings, load_calendar, load_office_sources, load_tree
from nhip.store import open_store
from sinks.history import ClickHouseHistory
from streams.backtest import BackTest, backtest, history_from_s
from streams.clock import US_PER_S, wall_clock_us
from streams.rows import Rate
from streams.rule import Rule
from streams.rules import Rules
from streams.scopes import matches

__all__ = ["register"]

DEFAULT_SPAN_S = 28 * DAY_S
_VIETNAM = ZoneInfo("Asia/Ho_Chi_Minh")

History = Iterator[tuple[int, list[Rate]]]


def register(app: typer.Typer) -> None:
    """Add the command of this file."""
    app.command(name="backtest")(backtest_rules)


def backtest_rules(
    context: typer.Context,
    rules_file: Annotated[Path | None, typer.Option("--rules", help="File of rules, instead of rules_file.")] = None,
    from_time: Annotated[
        str | None, typer.Option("--from", help="Day or ISO time; without offset in Viet Nam. Else 4 weeks earlier.")
    ] = None,
    to_time: Annotated[
        str | None, typer.Option("--to", help="Likewise, a day included; else the newest figures.")
    ] = None,
    scope: Annotated[
        list[str] | None, typer.Option(help="Pattern of scopes to look at, as in rules; may be repeated.")
    ] = None,
    rule: Annotated[list[str] | None, typer.Option(help="Id of a rule to look at; may be repeated.")] = None,
    json: Annotated[bool, typer.Option("--json", help="Print a document for programs.")] = False,
) -> None:
    """Print what rules would have sent in the past, as it is known now, and how noisy each is. Sends nothing.

    Acknowledgements and mutes are left out. Rules on sources and the stream have no history and are skipped.
    """
    settings: Settings = context.obj
    tree, calendar, sources = load_tree(settings), load_calendar(), load_office_sources(settings)
    recipients, _ = load_office_recipients(settings, tree)
    chosen = _chosen(load_rules(rules_file or rules_path(settings), tree, recipients), rule or ())
    store = open_store(settings, reading=True, patience_s=0)
    beat = store.heartbeat()
    newest_s = (wall_clock_us() if beat is None else beat.as_of_us) // US_PER_S
    to_s = newest_s if to_time is None else _moment_s(to_time, "--to", last=True)
    from_s = to_s - DEFAULT_SPAN_S if from_time is None else _moment_s(from_time, "--from", last=False)
    from_s, to_s = floor_minute(from_s), floor_minute(min(to_s, newest_s))
    if from_s > to_s:
        raise typer.BadParameter("lies after the end, or after the newest figures", param_hint="--from")
    history = ClickHouseHistory(store.client, tree.segments)
    scopes = _scopes(history.scopes(), scope or (), tree)
    rules = Rules(chosen, tree, calendar)

    def names(target: str, at: str) -> Sequence[str]:
        found = resolve(recipients, sources, tree, target, at, to_s * US_PER_S)
        return found or (NOBODY,)

    begin_s = history_from_s(rules, from_s)
    items = history.history(rules.book.wanted(scopes), begin_s, to_s)
    with bar("minutes of history") as show:

        def shown() -> History:
            for minute_s, rates in items:
                show((minute_s - begin_s) // MINUTE_S, (to_s - begin_s) // MINUTE_S)
                yield minute_s, rates

        tested = backtest(rules, shown(), from_s, to_s, names)
    _print(tested, chosen, from_s, to_s, json=json)


def _print(tested: BackTest, rules: Sequence[Rule], from_s: int, to_s: int, *, json: bool) -> None:
    if json:
        print_json(as_document(tested, rules, from_s, to_s))
        return
    for table in as_tables(tested, rules, from_s, to_s):
        OUT.print(table)
    if any(notice.recipient == NOBODY for notice in tested.notices):
        say("nobody: no recipient stands for that unit or group; add one to config/recipients.toml")


def _chosen(rules: Sequence[Rule], ids: Sequence[str]) -> list[Rule]:
    """Return the rules asked for that have a history."""
    known = [rule.id for rule in rules]
    for key in ids:
        if key not in known:
            raise typer.BadParameter(f"unknown {key!r}; one of {', '.join(known)}", param_hint="--rule")
    asked = [rule for rule in rules if not ids or rule.id in ids]
    skipped = [rule.id for rule in asked if rule.indicator not in INDICATORS]
    if skipped:
        say(f"skipped, for gauges have no history: {', '.join(skipped)}")
    return [rule for rule in asked if rule.indicator in INDICATORS]


def _scopes(known: Sequence[str], patterns: Sequence[str], tree: UnitTree) -> list[str]:
    for pattern in patterns:
        if not any(matches(pattern, scope, tree) for scope in known):
            raise typer.BadParameter(f"{pattern!r} fits no scope that has figures", param_hint="--scope")
    return [scope for scope in known if not patterns or any(matches(one, scope, tree) for one in patterns)]


def _moment_s(text: str, option: str, *, last: bool) -> int:
    """Read a day or a time; of a day its first or its last second."""
    try:
        if len(text) == len("2026-11-22"):
            return day_start(date.fromisoformat(text)) + (DAY_S - 1 if last else 0)
        moment = datetime.fromisoformat(text)
        return int((moment if moment.tzinfo else moment.replace(tzinfo=_VIETNAM)).timestamp())
    except (ValueError, OverflowError):
        raise typer.BadParameter(
            f"{text!r} is no time: write 2026-11-22 or 2026-11-22T08:00", param_hint=option
        ) from None
