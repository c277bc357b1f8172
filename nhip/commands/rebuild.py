"""``rebuild``: marks anew from the stored snapshots, or everything anew from Kafka."""

from typing import Annotated

import typer

from contract.fingerprint import fingerprint
from contract.registry import KINDS
from nhip.alone import wait_until_alone
from nhip.audit import note
from nhip.console import bar, say
from nhip.kafka_access import backlog_of, kafka_access
from nhip.settings import Settings
from nhip.store import open_client, schema_settings
from producers.topics import partition_counts
from sinks.migrate import ensure_schema
from sinks.recompute import recompute_marks
from sinks.reread import WORK, forget, what_is_read_again
from sinks.unfinished import unfinished

__all__ = ["register"]


def register(app: typer.Typer) -> None:
    """Add the command of this file."""
    app.command()(rebuild)


def rebuild(
    context: typer.Context,
    from_kafka: Annotated[
        bool, typer.Option("--from-kafka", help="Give up the stored snapshots: workers read all records again.")
    ] = False,
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Do not ask.")] = False,
) -> None:
    """Recompute all marks from the stored snapshots, or with --from-kafka everything from Kafka's records.

    Stop the workers first; start them afterwards: they build their panes from the new marks. After a change of
    indicators or partition counts the snapshots are enough; --from-kafka is for a store whose rows are doubted.
    """
    settings: Settings = context.obj
    if from_kafka:
        _from_kafka(settings, ask=not yes)
        return
    wait_until_alone(settings)
    client = open_client(settings)
    ensure_schema(client)
    with bar("recomputing marks") as show:
        counts = partition_counts(settings.kafka, kafka_access(settings))
        rows = recompute_marks(client, fingerprint(KINDS), counts, show)
    client.close()
    note(settings, "marks rebuilt", settings.store_database, f"{rows} snapshots")
    say(f"{rows} snapshots recomputed; start the workers now")


def _from_kafka(settings: Settings, *, ask: bool) -> None:
    wait_until_alone(settings)
    client = open_client(settings)
    if unfinished(client) != WORK:
        ensure_schema(client)
    with backlog_of(settings) as backlog:
        earliest = backlog.earliest()
    found = what_is_read_again(client, earliest)
    say(f"{found.again} rows of entities will be removed and read again from Kafka; figures are wrong meanwhile")
    if found.kept:
        say(f"{found.kept} rows stay, because Kafka no longer has their records")
    if ask:
        typer.confirm("go on?", abort=True, err=True)
    with bar("removing") as show:
        forget(client, schema_settings(settings), earliest, show)
    client.close()
    note(settings, "rebuilt from Kafka", settings.store_database, f"{found.again} rows removed, {found.kept} kept")
    say("start the workers now; `nhip status` shows how far they are")
