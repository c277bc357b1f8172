"""Numbered SQL files become tables, once each: ``schema/001_dossiers.sql`` and so on."""

import hashlib
import re
from dataclasses import dataclass
from importlib.resources import files

import pyarrow as pa

from sinks.client import Client

__all__ = ["Migration", "SchemaError", "SchemaSettings", "load", "migrate", "status"]

_FILE = re.compile(r"(\d{3})_(\w+)\.sql")
_PLACE = re.compile(r"\{(engine:(?P<engine>\w*MergeTree)|(?P<cluster>on_cluster))\}")
_CLUSTER = re.compile(r"[A-Za-z_][A-Za-z0-9_-]{0,63}")
_PREFIXES = ("", "Replicated")

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


class SchemaError(Exception):
    """The database and this program do not fit together; the text says what to do."""


@dataclass(frozen=True, slots=True)
class SchemaSettings:
    """How tables are made: one server (defaults) or replicas (``Replicated`` and the cluster's name).

    Raises ValueError for anything else, since both become part of SQL.
    """

    engine_prefix: str = ""
    cluster: str = ""

    def __post_init__(self) -> None:
        if self.engine_prefix not in _PREFIXES:
            raise ValueError(f"engine_prefix is {self.engine_prefix!r}; it may be empty or Replicated")
        if self.cluster and not _CLUSTER.fullmatch(self.cluster):
            raise ValueError(f"cluster is {self.cluster!r}; a name of letters, digits, _ and - is expected")

    def fill(self, sql: str) -> str:
        """Replace the placeholders of a migration."""
        cluster = f"ON CLUSTER `{self.cluster}`" if self.cluster else ""
        return _PLACE.sub(lambda m: f"{self.engine_prefix}{m['engine']}" if m["engine"] else cluster, sql)


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
    for number in sorted(applied.keys() - {m.number for m in known}):
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


def migrate(
    client: Client, settings: SchemaSettings | None = None, migrations: list[Migration] | None = None
) -> list[Migration]:
    """Apply what is missing and return it; a second call does nothing. Raises SchemaError as ``status``.

    Two programs may migrate at once: every statement is ``IF NOT EXISTS`` and the ledger may hold a line twice.
    """
    settings = settings or SchemaSettings()
    missing = [m for m, done in status(client, migrations) if not done]
    if not missing:
        return []
    client.command(settings.fill(_LEDGER))
    for m in missing:
        for statement in m.statements():
            client.command(settings.fill(statement))
        client.insert(
            "schema_migrations",
            pa.table({"number": pa.array([m.number], pa.uint16()), "name": [m.name], "checksum": [m.checksum]}),
        )
    return missing
