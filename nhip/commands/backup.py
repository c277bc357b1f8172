"""``backup`` and ``restore``: the store into a folder while workers run, and back."""

from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from typing import Annotated

import typer

from contract.fingerprint import digests, fingerprint
from contract.registry import KINDS
from nhip.alone import wait_until_alone
from nhip.audit import note
from nhip.console import bar, print_json, say
from nhip.kafka_access import backlog_of
from nhip.settings import Settings
from nhip.store import make_database, open_client, schema_settings
from sinks.backup.dump import dump
from sinks.backup.load import ensure_readable, restore
from sinks.backup.manifest import Manifest, read_manifest, verify
from streams.rows import Partition

__all__ = ["register"]

Json = Annotated[bool, typer.Option("--json", help="Print a document for programs.")]


def register(app: typer.Typer) -> None:
    """Add the commands of this file."""
    app.command()(backup)
    app.command(name="restore")(restore_command)


def backup(
    context: typer.Context,
    folder: Annotated[Path, typer.Argument(help="Folder to make; it must not exist yet.")],
    json: Json = False,
) -> None:
    """Back the store up into a folder, while workers run. Kafka keeps the records that come meanwhile.

    The folder appears under its name when it is whole. It holds the snapshots of all entities: keep it as safe as
    the store.
    """
    settings: Settings = context.obj
    client = open_client(settings)
    with bar("backing up") as show:
        made = dump(client, folder.absolute(), program=version("nhip"), now=lambda: datetime.now(UTC), show=show)
    client.close()
    note(settings, "backed up", settings.store_database, str(folder))
    if json:
        print_json(_document(made))
        return
    size = sum(file.stat().st_size for file in folder.iterdir())
    say(f"{made.rows} rows of {len(made.tables)} tables in {folder}, {size / 1_000_000:.1f} MB")


def restore_command(
    context: typer.Context,
    folder: Annotated[Path, typer.Argument(help="Folder that `nhip backup` made.")],
    replace: Annotated[bool, typer.Option("--replace", help="Give up what is in the database.")] = False,
    json: Json = False,
) -> None:
    """Make the store what a back-up says. Stop the workers first and start them afterwards: they read what is newer.

    Every file is compared with its digest before the first row is written. The database must be empty, or say
    --replace. A restore that was broken off is repeated.
    """
    settings: Settings = context.obj
    manifest = read_manifest(folder)
    ensure_readable(manifest)
    with bar("verifying") as show:
        verify(folder, manifest, show)
    wait_until_alone(settings)
    make_database(settings)
    client = open_client(settings)
    with bar("restoring") as show:
        restore(client, folder, manifest, schema_settings(settings), replace=replace, show=show)
    client.close()
    note(settings, "restored", settings.store_database, str(folder))
    gone = _no_longer_in_kafka(settings, manifest)
    if json:
        print_json(_document(manifest) | {"no_longer_in_kafka": gone})
        return
    when = f"{manifest.began_at:%Y-%m-%d %H:%M} UTC"
    say(f"{manifest.rows} rows of {len(manifest.tables)} tables restored, as of {when}")
    for place, count in gone.items():
        say(f"{place}: {count} records after the back-up are no longer in Kafka and cannot be read again")
    if manifest.fingerprint and not digests(fingerprint(KINDS)).items() <= digests(manifest.fingerprint).items():
        say("the marks were counted under other definitions: run `nhip rebuild` before you start the workers")
    else:
        say("start the workers now: they read from Kafka what is newer")


def _document(manifest: Manifest) -> dict[str, object]:
    return {
        "program": manifest.program,
        "began_at": manifest.began_at,
        "ended_at": manifest.ended_at,
        "rows": manifest.rows,
        "tables": {table.table: table.rows for table in manifest.tables},
        "positions": {t: {str(n): offset for n, offset in found.items()} for t, found in manifest.positions.items()},
    }


def _no_longer_in_kafka(settings: Settings, manifest: Manifest) -> dict[str, int]:
    """Return the records between the back-up and the first that Kafka still has, of partitions with any."""
    with backlog_of(settings) as backlog:
        earliest = backlog.earliest()
    return {
        f"{topic}[{number}]": missing
        for topic, found in manifest.positions.items()
        for number, offset in found.items()
        if (missing := earliest.get(Partition(topic, number), 0) - offset - 1) > 0
    }
