"""Databases as released versions left them: tables, ledger and rows, frozen with the release.

    python -m tests.support.released VERSION

freezes the present schema with random rows under tests/sinks/released/VERSION. Run it when a version is released.
"""

# ruff: noqa: S608
# Tables and columns in SQL come from the schema.

import sys
import tempfile
from datetime import UTC, datetime
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from nhip.local import LocalClickHouse
from sinks.backup.dump import dump
from sinks.backup.manifest import Manifest, read_manifest
from sinks.backup.pages import shapes
from sinks.backup.plan import known_tables
from sinks.client import Client, connect
from sinks.migrate import migrate

__all__ = ["RELEASED", "ROWS", "fill", "freeze", "thaw"]

RELEASED = Path(__file__).resolve().parents[1] / "sinks" / "released"
ROWS = 25


def fill(client: Client) -> None:
    """Put random rows into every table: all bytes, extremes, NULLs."""
    for name, shape in shapes(client, known_tables()).items():
        if name == "schema_migrations":
            continue
        structure = ", ".join(f"`{column}` {type_}" for column, type_ in shape.columns.items())
        quoted = structure.replace("\\", "\\\\").replace("'", "\\'")
        # Rows of long ago would go by their TTL whenever the engine gets to it.
        recent = " REPLACE (now64(6) AS written_at)" if "written_at" in shape.columns else ""
        client.command(
            f"INSERT INTO {name} ({', '.join(f'`{column}`' for column in shape.columns)}) "
            f"SELECT *{recent} FROM generateRandom('{quoted}', 7, 12, 3) LIMIT {ROWS}"
        )


def freeze(client: Client, folder: Path, version: str) -> None:
    """Write the tables and a back-up of the rows."""
    dump(client, folder / "backup", program=version, now=lambda: datetime.now(UTC), show=lambda *_: None)
    made = client.rows(
        "SELECT create_table_query FROM system.tables WHERE database = {d:String}", {"d": client.database}
    )
    statements = sorted(sql.replace(f"{client.database}.", "", 1) for (sql,) in made)
    (folder / "schema.sql").write_text(";\n".join(statements) + ";\n", "utf-8")


def thaw(client: Client, folder: Path) -> Manifest:
    """Make an empty database what the release left, without its own program."""
    for statement in (folder / "schema.sql").read_text("utf-8").split(";\n"):
        if statement.strip():
            client.command(statement)
    manifest = read_manifest(folder / "backup")
    for table in manifest.tables:
        if table.rows:
            client.insert(table.table, pq.read_table(folder / "backup" / table.file))
    ledger = [(m.number, m.name, m.checksum) for m in manifest.migrations]
    number, name, checksum = zip(*ledger, strict=True)
    columns = {"number": pa.array(number, pa.uint16()), "name": list(name), "checksum": list(checksum)}
    client.insert("schema_migrations", pa.table(columns))
    return manifest


def main(version: str) -> None:
    """Freeze the present schema."""
    with LocalClickHouse(Path(tempfile.mkdtemp())) as server:
        client = connect(host=server.host, port=server.port, **server.login)
        migrate(client)
        fill(client)
        freeze(client, RELEASED / version, version)
        client.close()


if __name__ == "__main__":
    main(sys.argv[1])
