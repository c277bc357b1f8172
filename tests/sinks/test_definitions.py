"""Definitions by kind: what is new changes nothing for the rest, what has changed is named."""

import msgspec
import pytest

from contract.dossier import DOSSIER
from contract.fingerprint import digest, digests, fingerprint, joined
from contract.meeting import MEETING
from contract.payment import PAYMENT
from contract.registry import KINDS
from sinks.client import Client
from sinks.definitions import DefinitionsChangedError, adopt_definitions, ensure_definitions
from sinks.migrate import migrate
from sinks.store import ClickHouseStore
from streams.rows import EntityBatch
from tests.support.events import dossier

pytestmark = pytest.mark.services

OURS = fingerprint(KINDS)
FIRST = (DOSSIER, PAYMENT, MEETING)


def counted(client: Client, under: str) -> ClickHouseStore:
    """A database in which a dossier was counted under these definitions."""
    migrate(client)
    store = ClickHouseStore(client, adopt_definitions(client, under))
    store.write_entities(EntityBatch(DOSSIER, [dossier("d", 1)], [1], [(None, None, None)], [0], [0], [1]))
    return store


@pytest.mark.parametrize("under", [digest(FIRST), fingerprint(FIRST)], ids=["one digest of all", "by kind"])
def test_a_database_of_three_kinds_starts_with_four(client: Client, under: str) -> None:
    """A new kind needs no rebuild: the others count as they did, and of the new one nothing is stored."""
    store = counted(client, under)

    first = store.ensure_definitions(OURS)
    again = store.ensure_definitions(OURS)

    assert (first, again) == (2, 2)
    assert client.rows("SELECT fingerprint FROM definitions ORDER BY sequence") == [(under,), (OURS,)]


def test_a_kind_that_counts_otherwise_is_named(client: Client) -> None:
    """Only kinds with entities matter, and the sentence says which."""
    changed = {**digests(OURS), "dossier": "0" * 32, "payment": "0" * 32}
    counted(client, OURS)

    with pytest.raises(DefinitionsChangedError, match=r"marks of dossiers were .*run `nhip rebuild`"):
        ensure_definitions(client, joined(changed))


def test_a_kind_without_entities_may_change(client: Client) -> None:
    """Of what nothing is stored, nothing must be recomputed."""
    changed = joined({**digests(OURS), "payment": "0" * 32})
    counted(client, OURS)

    rv = ensure_definitions(client, changed)

    assert rv == 2


def test_an_older_program_does_not_forget_the_newer_kind(client: Client) -> None:
    """Back to three kinds and forth to four again: what was known of the fourth still holds."""
    counted(client, OURS)

    back = ensure_definitions(client, fingerprint(FIRST))
    forth = ensure_definitions(client, OURS)

    assert (back, forth) == (1, 1)


def test_an_unknown_single_digest_refuses(client: Client) -> None:
    """A digest that is none of ours says nothing of any kind."""
    counted(client, "f" * 32)

    with pytest.raises(DefinitionsChangedError, match="marks of dossiers"):
        ensure_definitions(client, OURS)


def test_a_kind_is_itself_alone() -> None:
    """Kinds are looked up by identity: a changed copy has columns and readers of its own."""
    copy = msgspec.structs.replace(DOSSIER)

    assert copy != DOSSIER
    assert len({copy, DOSSIER}) == 2
