"""Parts that run on their own: ``worker``, and ``prepare`` for the topics and the store."""

import typer

from nhip.console import say
from nhip.kafka_access import kafka_access
from nhip.settings import Settings
from nhip.store import prepare_store
from nhip.worker import run_worker
from producers.topics import ensure_topics

__all__ = ["register"]


def register(app: typer.Typer) -> None:
    """Add the commands of this file."""
    app.command()(worker)
    app.command()(prepare)


def worker(context: typer.Context) -> None:
    """Run one worker until it is stopped; one process of many in production."""
    settings: Settings = context.obj
    run_worker(settings)


def prepare(context: typer.Context) -> None:
    """Create topics, database and tables where they are missing; may be repeated."""
    settings: Settings = context.obj
    prepare_store(settings)
    counts = ensure_topics(settings.kafka, settings.partitions, settings.replication, kafka_access(settings))
    say(f"schema is up to date; topics: {', '.join(f'{t} ({n} partitions)' for t, n in sorted(counts.items()))}")
