"""A program and a database of two versions: neither counts into the other."""

import pytest

from contract.dossier import DOSSIER
from sinks.client import Client
from sinks.migrate import SchemaError, ensure_schema, load, migrate
from sinks.packed import packed_name

pytestmark = pytest.mark.services

NEWER = "INSERT INTO schema_migrations (number, name, checksum) VALUES (99, 'later', '')"


def test_an_older_database_is_refused(client: Client) -> None:
    """A program that was upgraded without `nhip prepare` says so."""
    migrate(client, migrations=load()[:-1])

    with pytest.raises(SchemaError, match=rf"lacks migration {load()[-1].number} .*: run `nhip prepare`"):
        ensure_schema(client)


@pytest.mark.parametrize("column", [packed_name(DOSSIER), "supplements"])
def test_a_table_of_an_older_declaration_is_refused(client: Client, column: str) -> None:
    """A flush or a look-up would miss the column: said at the start, with the remedy."""
    migrate(client)
    ensure_schema(client)
    client.command(f"ALTER TABLE dossiers DROP COLUMN {column}")

    with pytest.raises(SchemaError, match=rf"lacks column dossiers\.{column} of this program: run `nhip prepare`"):
        ensure_schema(client)


def test_a_kind_without_its_table_is_refused_in_a_word(client: Client) -> None:
    """A program with a kind more names the table, not each of its columns."""
    migrate(client)
    client.command("DROP TABLE meetings")

    with pytest.raises(SchemaError, match=r"lacks table meetings of this program: run `nhip prepare`"):
        ensure_schema(client)


def test_a_newer_database_is_refused(client: Client) -> None:
    """A program that was rolled back does not write into a schema it does not know."""
    migrate(client)
    client.command(NEWER)

    with pytest.raises(SchemaError, match=r"migration 99 \(later\)"):
        ensure_schema(client)
