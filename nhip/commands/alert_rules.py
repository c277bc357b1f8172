"""Rules and who is told: ``alerts check`` and ``alerts rules``."""

from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Any

import msgspec
import typer

from contract.days import local_date
from contract.sources import Sources, SourcesError
from contract.units import UnitTree
from nhip.alerting import (
    load_office_recipients,
    load_rules,
    open_alert_store,
    recipients_path,
    resolve,
    rules_path,
    unknown_owners,
)
from nhip.console import OUT, print_json, say
from nhip.exits import EXIT_BAD_INPUT
from nhip.rule_words import bad_when, quiet, rhythm
from nhip.settings import Settings, load_office_sources, load_tree
from sinks.channels import ChannelError, parse_channel
from sinks.recipients import Recipients, RecipientsError
from streams.clock import US_PER_S, wall_clock_us
from streams.rule import Rule
from streams.rule_file import RulesError, parse_rules
from streams.scopes import matches
from streams.store import StoreUnavailableError

__all__ = ["register"]

Json = Annotated[bool, typer.Option("--json", help="Print a document for programs.")]


def register(app: typer.Typer) -> None:
    """Add the commands of this file."""
    app.command()(check)
    app.command()(rules)


def check(
    context: typer.Context,
    rules_file: Annotated[Path | None, typer.Option("--rules", help="Rules, instead of rules_file.")] = None,
    recipients_file: Annotated[
        Path | None, typer.Option("--recipients", help="Recipients, instead of recipients_file.")
    ] = None,
) -> None:
    """Check rules, recipients and owners of sources: every fault with file, line and remedy."""
    given = {"rules_file": rules_file, "recipients_file": recipients_file}
    settings: Settings = msgspec.structs.replace(
        context.obj, **{name: str(path) for name, path in given.items() if path is not None}
    )
    faults, done = _faults(settings)
    for fault in dict.fromkeys(faults):
        say(fault)
    if faults:
        raise typer.Exit(EXIT_BAD_INPUT)
    say(done)


def rules(
    context: typer.Context,
    unit: Annotated[str | None, typer.Option(metavar="CODE", help="Only rules that watch this unit.")] = None,
    json: Json = False,
) -> None:
    """Show the rules in force and who is told: of a unit with the people behind every name, and why them."""
    settings: Settings = context.obj
    tree, sources = load_tree(settings), load_office_sources(settings)
    if unit is not None and not tree.known(unit):
        raise typer.BadParameter(f"unit {unit!r} is not in the table of units: check its code", param_hint="--unit")
    recipients, _ = load_office_recipients(settings, tree)
    found = _in_force(settings, tree, recipients)
    scope = None if unit is None else f"unit:{unit}"
    shown = [rule for rule in found if scope is None or matches(rule.scope, scope, tree)]
    told = {
        rule.id: [
            (kind, *_told(recipients, sources, tree, target, scope))
            for kind, targets in (("to", rule.to), ("escalated to", rule.escalate_to))
            for target in targets
        ]
        for rule in shown
    }
    if json:
        print_json([{**msgspec.to_builtins(rule), "told": _names(told[rule.id])} for rule in shown])
        return
    for rule in shown:
        OUT.print(
            f"[bold]{rule.id}[/]  {rule.severity}  {rule.indicator} {rule.window}, {rule.scope}", highlight=False
        )
        lines = [f"{kind} {why}: {_people(names, recipients)}" for kind, why, names in told[rule.id]]
        for name, words in (
            ("bad", bad_when(rule)),
            ("told", "; ".join((*lines, *rhythm(rule)))),
            ("quiet", quiet(rule)),
        ):
            OUT.print(f"  {name:<6} {words}", markup=False, highlight=False, soft_wrap=True)
    if not shown:
        OUT.print(f"no rule watches {scope}")


def _faults(settings: Settings) -> tuple[list[str], str]:
    """Return what is wrong, each with its remedy, and what to say when nothing is."""
    faults: list[str] = []
    tree = load_tree(settings)
    if settings.alerts_channel is not None:
        try:
            parse_channel(settings.alerts_channel, 1)
        except ChannelError as error:
            faults.append(f"setting alerts_channel {error}")
    try:
        recipients, warnings = load_office_recipients(settings, tree)
    except RecipientsError as error:
        return [*faults, str(error), f"{rules_path(settings)}: not checked: correct the recipients first"], ""
    for warning in warnings:
        say(warning)
    try:
        owners = unknown_owners(load_office_sources(settings), recipients)
    except SourcesError as error:
        faults.append(str(error))
    else:
        where = settings.sources_file or "config/sources.toml"
        faults += [
            f"{where}: owner {owner!r} is unknown: add it to {recipients_path(settings)}, or name another"
            for owner in owners
        ]
    try:
        found = load_rules(rules_path(settings), tree, recipients)
    except RulesError as error:
        return [*faults, *str(error).splitlines()], ""
    silent = [one.name for one in recipients.recipients.values() if not one.channels]
    if silent:
        say(f"{recipients_path(settings)}: without a channel: {', '.join(silent)}: they are told nothing")
    return faults, f"{len(found)} rules and {len(recipients.recipients)} recipients: nothing is wrong"


def _in_force(settings: Settings, tree: UnitTree, recipients: Recipients) -> tuple[Rule, ...]:
    """Return the rules that workers use: the last sound ones in the store, else those of the file."""
    try:
        stored = open_alert_store(settings).rules()
    except StoreUnavailableError:
        say("the store does not answer: these are the rules of the file, which need not be in force")
        stored = None
    if stored is None:
        return load_rules(rules_path(settings), tree, recipients)
    path = rules_path(settings)
    try:
        same_text = path.read_text("utf-8") == stored
    except (OSError, UnicodeDecodeError):
        same_text = False
    if not same_text:
        say(f"{path} differs from the rules in force: check it (`nhip alerts check`), then restart the workers")
    known = recipients.groups.keys() | recipients.recipients.keys()
    return parse_rules(stored, "the rules in force", tree, known)


def _told(
    recipients: Recipients, sources: Sources, tree: UnitTree, target: str, scope: str | None
) -> tuple[str, tuple[str, ...]]:
    """Return a target with why it stands for whom, and the recipients."""
    if scope is None:
        return target, () if target in ("unit", "owner") else recipients.resolve(target, "", _nobody, lambda _: None)
    now_us = wall_clock_us()
    names = resolve(recipients, sources, tree, target, scope, now_us)
    if target != "unit" or not names:
        return target, names
    unit = scope.removeprefix("unit:")
    chain = (unit, *tree.ancestors(unit, local_date(now_us // US_PER_S)))
    code = next(code for code in chain if code in recipients.units)
    return f"unit ({tree.name(code, 'vi')}, {code})", names


def _nobody(_: str) -> Sequence[str]:
    return ()


def _names(told: Sequence[tuple[str, str, tuple[str, ...]]]) -> list[dict[str, Any]]:
    return [{"when": kind, "as": why, "recipients": list(names)} for kind, why, names in told]


def _people(names: tuple[str, ...], recipients: Recipients) -> str:
    if not names:
        return "whoever stands for it"
    return ", ".join(
        name if recipients.recipients[name].channels else f"{name} (no channel)"
        for name in names
        if name in recipients.recipients
    )
