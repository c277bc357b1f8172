"""A mark on a database in the middle of a work that must be finished before any worker may count into it."""

from sinks.client import Client
from sinks.engines import SchemaSettings

__all__ = ["begin", "end", "unfinished"]

_TABLE = "unfinished_work"


def begin(client: Client, settings: SchemaSettings, work: str) -> None:
    """Mark the database; ``work`` is the command that must be repeated when it does not end."""
    end(client, settings)
    client.command(
        settings.fill(f"CREATE TABLE {_TABLE} {{on_cluster}} (work String) ENGINE = {{engine:MergeTree}} ")
        + f"ORDER BY work COMMENT '{work}'"
    )


def end(client: Client, settings: SchemaSettings) -> None:
    """Take the mark away."""
    client.command(settings.fill(f"DROP TABLE IF EXISTS {_TABLE} {{on_cluster}} SYNC"))


def unfinished(client: Client) -> str | None:
    """Return the command that has not ended, or None."""
    rows = client.rows(
        "SELECT comment FROM system.tables WHERE database = {d:String} AND name = {t:String}",
        {"d": client.database, "t": _TABLE},
    )
    return str(rows[0][0]) if rows else None
