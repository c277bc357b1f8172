"""Parts that run on their own: ``worker``, and ``migrate`` and ``rebuild`` for a store."""

import time

import typer

from contract.fingerprint import fingerprint
from contract.registry import KINDS
from nhip.console import SAY, bar, say
from nhip.lag import Backlog
from nhip.settings import Settings
from nhip.store import open_client, prepare_store
from nhip.worker import run_worker
from producers.topics import ensure_topics, partition_counts
from sinks.recompute import recompute_marks

__all__ = ["register"]

EXIT_WORKERS_RUN = 75
"""Exit code of a rebuild beside running workers (EX_TEMPFAIL): stop them and repeat."""
SESSION_MARGIN_S = 10.0


def register(app: typer.Typer) -> None:
    """Add the commands of this file."""
    app.command()(worker)
    app.command()(prepare)
    app.command()(rebuild)


def worker(context: typer.Context) -> None:
    """Run one worker until it is stopped; one process of many in production."""
    settings: Settings = context.obj
    run_worker(settings)


def prepare(context: typer.Context) -> None:
    """Create topics, database and tables where they are missing; may be repeated."""
    settings: Settings = context.obj
    prepare_store(settings)
    counts = ensure_topics(settings.kafka, settings.partitions, settings.replication)
    say(f"schema is up to date; topics: {', '.join(f'{t} ({n} partitions)' for t, n in sorted(counts.items()))}")


def rebuild(context: typer.Context) -> None:
    """Recompute all marks from the stored snapshots, after indicators or partition counts have changed.

    Stop the workers first; start them afterwards: they build their panes from the new marks.
    """
    settings: Settings = context.obj
    _wait_until_alone(settings)
    client = open_client(settings)
    with bar("recomputing marks") as show:
        rows = recompute_marks(client, fingerprint(KINDS), partition_counts(settings.kafka), show)
    client.close()
    say(f"{rows} snapshots recomputed; start the workers now")


def _wait_until_alone(settings: Settings) -> None:
    """Wait for the sessions of stopped workers to end: a slot that comes back earlier gets its old partitions."""
    deadline_s = time.monotonic() + settings.session_timeout_s + SESSION_MARGIN_S
    with Backlog(settings.kafka, settings.group) as backlog, SAY.status("waiting for the workers' sessions to end"):
        while members := backlog.members():
            if time.monotonic() > deadline_s:
                say(f"{members} worker(s) of group {settings.group} are running: stop them first, then repeat")
                raise typer.Exit(EXIT_WORKERS_RUN)
            time.sleep(0.5)
