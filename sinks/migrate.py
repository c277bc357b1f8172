"""The schema of a database: tables of the kinds, and numbered SQL files, once each: ``schema/004_panes.sql``."""

import hashlib
import re
from collections.abc import Sequence
from dataclasses import dataclass
from importlib.resources import files

import pyarrow as pa

from contract.kind import Kind
from contract.registry import KINDS
from sinks.client import Client
from sinks.engines import SchemaError, SchemaSettings
from sinks.tables import complete_tables, lacking, make_tables
from sinks.unfinished import unfinished

__all__ = ["RETIRED", "Migration", "SchemaError", "SchemaSettings", "ensure_schema", "load", "migrate", "status"]

_FILE = re.compile(r"(\d{3})_(\w+)\.sql")
RETIRED = frozenset({1, 2, 3})
"""Migrations that made the tables of dossiers, payments and meetings before these came from their declarations."""

_LEDGER = """
CREATE TABLE IF NOT EXISTS schema_migrations {on_cluster}
(
    number     UInt16 COMMENT 'Number of the migration, from 1',
    name       String COMMENT 'Its name',
    checksum   String COMMENT 'Digest of its file, before engines are filled in',
    applied_at DateTime64(3, 'UTC') DEFAULT now64(3, 'UTC') COMMENT 'When it was applied'
)
ENGINE = {engine:MergeTree}
ORDER BY number
COMMENT 'Migrations that were applied to this database'
"""


@dataclass(frozen=True, slots=True)
class Migration:
    """One numbered file."""

    number: int
    name: str
    sql: str

    @property
    def checksum(self) -> str:
        """Digest of the file, 32 hex characters."""
        return hashlib.blake2b(self.sql.encode(), digest_size=16).hexdigest()

    def statements(self) -> list[str]:
        """Return the statements of the file; each ends with a semicolon at the end of a line."""
        return [s for s in (part.strip() for part in re.split(r";\s*\n", self.sql + "\n")) if s]


def load() -> list[Migration]:
    """Return the migrations that come with the program, in order."""
    every = ((file, _FILE.fullmatch(file.name)) for file in files("sinks").joinpath("schema").iterdir())
    found = [Migration(int(match[1]), match[2], file.read_text("utf-8")) for file, match in every if match]
    return sorted(found, key=lambda m: m.number)


def status(client: Client, migrations: list[Migration] | None = None) -> list[tuple[Migration, bool]]:
    """Tell of each migration whether it was applied.

    Raises SchemaError when an applied one has changed since, or the database is newer than the program.
    """
    known = load() if migrations is None else migrations
    exists = client.rows(
        "SELECT count() FROM system.tables WHERE database = {d:String} AND name = 'schema_migrations'",
        {"d": client.database},
    )
    applied: dict[int, tuple[str, str]] = {}
    if exists[0][0]:
        applied = {n: (name, c) for n, name, c in client.rows("SELECT number, name, checksum FROM schema_migrations")}
    for number in sorted(applied.keys() - {m.number for m in known} - RETIRED):
        raise SchemaError(
            f"database {client.database} has migration {number} ({applied[number][0]}), which this program does "
            "not know: install the version of nhip that wrote it, or a newer one"
        )
    for m in known:
        if m.number in applied and applied[m.number][1] != m.checksum:
            raise SchemaError(
                f"migration {m.number} ({m.name}) was changed after it had been applied to database "
                f"{client.database}: restore the file and put the change into a new migration"
            )
    return [(m, m.number in applied) for m in known]


def ensure_schema(client: Client, migrations: list[Migration] | None = None) -> None:
    """Raise SchemaError unless a database has this program's schema: not a newer, an older or a half-restored one."""
    if work := unfinished(client):
        raise SchemaError(f"`{work}` has not finished on database {client.database}: repeat it before anything else")
    missing = [f"migration {m.number} ({m.name})" for m, done in status(client, migrations) if not done]
    missing = missing or lacking(client)
    if missing:
        raise SchemaError(
            f"database {client.database} lacks {', '.join(missing)} of this program: run `nhip prepare`"
        )


def migrate(
    client: Client,
    settings: SchemaSettings | None = None,
    migrations: list[Migration] | None = None,
    kinds: Sequence[Kind] = KINDS,
) -> list[Migration]:
    """Bring the schema up to date and return the migrations applied; a second call does nothing.

    Raises SchemaError as ``status``, and when a column has another type than its kind declares. Two programs
    may migrate at once: every statement is ``IF NOT EXISTS`` and the ledger may hold a line twice.
    """
    settings = settings or SchemaSettings()
    missing = [m for m, done in status(client, migrations) if not done]
    make_tables(client, settings, kinds)
    if missing:
        client.command(settings.fill(_LEDGER))
    for m in missing:
        for statement in m.statements():
            client.command(settings.fill(statement))
        client.insert(
            "schema_migrations",
            pa.table({"number": pa.array([m.number], pa.uint16()), "name": [m.name], "checksum": [m.checksum]}),
        )
    complete_tables(client, settings, kinds)
    return missing
