"""The command: ``python -m benchmarks [throughput|latency|scaling|memory|restart|wall|…|all]``."""

import signal
import sys
from collections.abc import Callable, Iterator
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from benchmarks import alerts, backlog, latency, memory, producers, restart, rules, scaling, throughput, wall
from benchmarks.peers import run as peers
from benchmarks.report import Figure, Report, write
from nhip.console import say
from nhip.local import LocalServiceError
from producers.client import ProducerError
from streams.store import StoreUnavailableError

EXIT_MISSED, EXIT_FAILED = 1, 2
FAULTS = (RuntimeError, TimeoutError, LocalServiceError, StoreUnavailableError, ProducerError)


class Part(StrEnum):
    """What can be measured by itself."""

    ALL = "all"
    THROUGHPUT = "throughput"
    LATENCY = "latency"
    RESTART = "restart"
    SCALING = "scaling"
    MEMORY = "memory"
    WALL = "wall"
    PRODUCERS = "producers"
    RULES = "rules"
    ALERTS = "alerts"
    PEERS = "peers"
    BACKLOG = "backlog"


def main(
    part: Annotated[Part, typer.Argument(help="What to measure.")] = Part.ALL,
    events: Annotated[int, typer.Option(min=100_000, help="Throughput: events for the worker.")] = throughput.EVENTS,
    stock_events: Annotated[
        int, typer.Option(min=0, help="Throughput: events for each stock agent, 0 for no comparison.")
    ] = throughput.STOCK_EVENTS,
    rate: Annotated[int, typer.Option(min=1, help="Latency: events a second.")] = latency.RATE_PER_S,
    seconds: Annotated[float, typer.Option(min=1, help="Latency: how long.")] = latency.SECONDS,
    dossiers: Annotated[
        int, typer.Option(min=1, help="Restart, scaling: dossiers in the store, at most.")
    ] = restart.DOSSIERS,
    peer_events: Annotated[
        int, typer.Option(min=100_000, help="Peers: events for the worker; slower engines get fewer in proportion.")
    ] = peers.EVENTS,
    peer_cache: Annotated[
        Path | None,
        typer.Option(envvar="NHIP_PEERS", help="Peers: folder that keeps their environments; else made anew."),
    ] = None,
    backlog_events: Annotated[
        int, typer.Option(min=1_000, help="Backlog: events that arrive while the store is away.")
    ] = backlog.EVENTS,
    away_s: Annotated[float, typer.Option(min=1, help="Backlog: how long it is away at least.")] = backlog.AWAY_S,
    json: Annotated[Path, typer.Option("--json", help="Where the figures are written too.")] = Path(
        "build/bench.json"
    ),
) -> None:
    """Measure this machine. Starts its own Kafka and store, and ends them. Exit 1: a target was missed."""
    parts: dict[Part, Callable[[], Iterator[Figure]]] = {
        Part.THROUGHPUT: lambda: throughput.run(events, stock_events),
        Part.LATENCY: lambda: latency.run(rate, seconds),
        Part.RESTART: lambda: restart.run(dossiers),
        Part.SCALING: lambda: scaling.run([size for size in scaling.SIZES if size <= dossiers] or [dossiers]),
        Part.MEMORY: memory.run,
        Part.WALL: lambda: wall.run(min(dossiers, wall.DOSSIERS)),
        Part.PRODUCERS: producers.run,
        Part.BACKLOG: lambda: backlog.run(backlog_events, away_s),
        Part.RULES: rules.run,
        Part.ALERTS: alerts.run,
        Part.PEERS: lambda: peers.run(peer_events, peer_cache),
    }
    # Ended by a supervisor: leave every block, so that every process and folder made here goes too.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(EXIT_FAILED))
    report = Report(sys.argv[1:])
    failed = False
    for name, measure in parts.items():
        if part not in (Part.ALL, name):
            continue
        try:
            report.figures.extend(measure())
        except FAULTS as error:
            say(f"{name} failed: {error}")
            failed = True
    report.print()
    write(report, json)
    if failed:
        raise typer.Exit(EXIT_FAILED)
    if any(figure.met is False for figure in report.figures):
        raise typer.Exit(EXIT_MISSED)


if __name__ == "__main__":
    typer.run(main)
