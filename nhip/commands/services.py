"""Parts that run on their own: ``worker``, and ``migrate`` and ``rebuild`` for a store."""

import typer

from contract.fingerprint import fingerprint
from contract.registry import KINDS
from nhip.console import bar, say
from nhip.settings import Settings
from nhip.store import open_client, prepare_store
from nhip.worker import run_worker
from producers.topics import ensure_topics, partition_counts
from sinks.recompute import recompute_marks

__all__ = ["register"]


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
    client = open_client(settings)
    with bar("recomputing marks") as show:
        rows = recompute_marks(client, fingerprint(KINDS), partition_counts(settings.kafka), show)
    client.close()
    say(f"{rows} snapshots recomputed; start the workers now")
