"""Figures of a running system: ``rates``, ``check`` and ``status``."""

import time
from collections.abc import Sequence
from typing import Annotated

import typer
from rich.table import Table

from contract.registry import INDICATORS
from contract.windows import WINDOWS
from nhip.console import OUT, SAY, print_json, say
from nhip.figures import as_document, as_table, selected
from nhip.kafka_access import backlog_of
from nhip.lag import Member
from nhip.settings import Settings, load_tree
from nhip.store import open_store
from sinks.check import Difference, compare
from sinks.dead_letters import count_dead_letters
from streams.clock import US_PER_S, wall_clock_us

__all__ = ["register"]

EXIT_DIFFERENT = 1
STALE_S = 120
"""A heartbeat older than this makes ``status`` fail: the figures on screen are old."""
CHECK_TRIES = 5
CHECK_PAUSE_S = 2.0

Json = Annotated[bool, typer.Option("--json", help="Print a document for programs.")]


def register(app: typer.Typer) -> None:
    """Add the commands of this file."""
    app.command()(rates)
    app.command()(check)
    app.command()(status)


def rates(
    context: typer.Context,
    scope: Annotated[list[str] | None, typer.Option(help="unit:CODE or field:KEY; may be repeated.")] = None,
    indicator: Annotated[list[str] | None, typer.Option(help="Key of an indicator; may be repeated.")] = None,
    window: Annotated[list[str] | None, typer.Option(help="Window; may be repeated.")] = None,
    json: Json = False,
) -> None:
    """Print the published rates: share, numerator and denominator, by scope and window.

    Without --scope the table shows the province of the settings with its units; --json always all scopes.
    """
    settings: Settings = context.obj
    _known(indicator or [], INDICATORS, "--indicator")
    _known(window or [], WINDOWS, "--window")
    store = open_store(settings, reading=True, patience_s=0)
    beat = store.heartbeat()
    chosen = selected(store.rates_now(), scope or (), indicator or (), window or ())
    if json:
        print_json(as_document(chosen, beat))
        return
    if not chosen:
        say("no rates yet for this selection")
        return
    age = "no heartbeat yet" if beat is None else f"{(wall_clock_us() - beat.written_us) / US_PER_S:.0f} s old"
    tree = load_tree(settings)
    if not scope:
        home = {f"unit:{code}" for code in tree.subtree(settings.province)}
        chosen = [r for r in chosen if r.scope in home and r.denominator] or chosen
    OUT.print(as_table(chosen, tree, f"Tỷ lệ hiện hành · current rates ({age})"))


def check(context: typer.Context, json: Json = False) -> None:
    """Compare every published rate with the panes, the stored marks and the snapshots themselves.

    Silent with exit code 0 when all agree; exit code 1 and a table of differences when they do not. On a live
    system a difference must persist over several looks to count.
    """
    settings: Settings = context.obj
    store, tree = open_store(settings, reading=True, patience_s=0), load_tree(settings)
    differences: list[Difference] = []
    for attempt in range(CHECK_TRIES):
        beat = store.heartbeat()
        if beat is None:
            say("nothing to check: no rates were published yet")
            return
        with SAY.status("checking") as shown:
            found = compare(store, tree, beat.as_of_us // US_PER_S, lambda step: shown.update(f"checking {step}"))
        places = {(d.scope, d.indicator, d.window) for d in differences}
        differences = [d for d in found if attempt == 0 or (d.scope, d.indicator, d.window) in places]
        if not differences:
            break
        time.sleep(CHECK_PAUSE_S)
    if json:
        print_json([d._asdict() for d in differences])
    elif differences:
        OUT.print(_differences(differences))
    if differences:
        raise typer.Exit(EXIT_DIFFERENT)


def status(context: typer.Context, json: Json = False) -> None:
    """Show lag, age and health of every part; exit code 1 when figures are old or missing."""
    settings: Settings = context.obj
    store = open_store(settings, reading=True, patience_s=0)
    beat = store.heartbeat()
    age_s = None if beat is None else (wall_clock_us() - beat.written_us) / US_PER_S
    with backlog_of(settings) as backlog:
        lags, members = backlog.read(), backlog.members()
    dead = count_dead_letters(store.client)
    healthy = age_s is not None and age_s < STALE_S
    if json:
        print_json(
            {
                "healthy": healthy,
                "rates_age_s": age_s,
                "dead_letters": dead,
                "partitions": [{**p._asdict(), "lag": p.lag} for p in lags],
                "workers": [_worker(member) for member in members],
            }
        )
    else:
        table = Table("topic", "partition", "end", "stored", "lag")
        for p in lags:
            table.add_row(p.topic, str(p.partition), str(p.end), str(p.committed or 0), str(p.lag))
        OUT.print(table)
        OUT.print(_workers(members))
        OUT.print(f"rates: {'never published' if age_s is None else f'{age_s:.1f} s old'}; dead letters: {dead}")
    if not healthy:
        say("the figures are old or missing: are the workers running? (`nhip up`, or `nhip worker`)")
        raise typer.Exit(EXIT_DIFFERENT)


def _worker(member: Member) -> dict[str, object]:
    """Return a worker as a document; ``health``: where it can be asked, as it told Kafka."""
    name, _, at = member.client.partition("@")
    health = f"http://{at}/health/ready" if at else None
    return {"instance": member.instance, "name": name, "partitions": len(member.partitions), "health": health}


def _workers(members: Sequence[Member]) -> Table:
    table = Table("worker", "instance", "partitions", "health")
    for member in members:
        told = _worker(member)
        table.add_row(*(str(told[key] or "–") for key in ("name", "instance", "partitions", "health")))
    return table


def _known(given: list[str], known: object, option: str) -> None:
    keys = list(known)  # type: ignore[call-overload]
    for key in given:
        if key not in keys:
            raise typer.BadParameter(f"unknown {key!r}; one of {', '.join(keys)}", param_hint=option)


def _differences(differences: list[Difference]) -> Table:
    table = Table("scope", "indicator", "window", "published", "panes", "marks", "snapshots", title="Differences")
    for d in differences:
        cells = (d.rates_now, d.panes, d.marks, d.snapshots)
        table.add_row(d.scope, d.indicator, d.window, *(f"{good}/{counted}" for good, counted in cells))
    return table
