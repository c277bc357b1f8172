"""What stored rows rest on: the definitions of the indicators and the partition counts of the topics.

Definitions are written as a fingerprint with a digest for each kind (contract/fingerprint.py). A kind that is new,
or of which nothing is stored, changes nothing for the others.
"""

# ruff: noqa: S608
# Tables and columns in SQL come from the registry and this program; every value is a parameter.

from collections.abc import Mapping

import pyarrow as pa

from contract.fingerprint import digest, digests, joined
from contract.fingerprint import fingerprint as fingerprint_of
from contract.registry import KIND_OF_TOPIC, kind
from sinks.client import Client

__all__ = [
    "DefinitionsChangedError",
    "PartitionsChangedError",
    "adopt_definitions",
    "adopt_partitions",
    "ensure_definitions",
    "ensure_partitions",
]

_FIRST = ("dossier", "payment", "meeting")
"""The kinds of the time when a fingerprint was one digest of all."""


class DefinitionsChangedError(Exception):
    """Stored marks were counted under other definitions of the indicators than this program's."""


class PartitionsChangedError(Exception):
    """A topic has another number of partitions than when its entities were counted."""


def ensure_definitions(client: Client, fingerprint: str) -> int:
    """Return the sequence of these definitions, which rows carry from now on.

    What is new is written down, beside what is known of kinds that this program does not have. Entities of a kind
    that were counted under other definitions are a DefinitionsChangedError.
    """
    newest = _newest(client)
    if newest is None or newest[1] == fingerprint:
        return adopt_definitions(client, fingerprint)
    ours, theirs = digests(fingerprint), digests(_by_kind(newest[1]))
    if ours and ours.items() <= theirs.items():
        return newest[0]
    changed = [
        kind.table
        for kind in KIND_OF_TOPIC.values()
        if (not ours or ours.get(kind.key) != theirs.get(kind.key)) and _filled(client, kind.table)
    ]
    if changed:
        raise DefinitionsChangedError(
            f"the stored marks of {', '.join(changed)} were counted under other definitions (number {newest[0]}) "
            "than this program has: run `nhip rebuild` to recompute them, or start the version that counted them"
        )
    return adopt_definitions(client, joined({**theirs, **ours}) if ours else fingerprint)


def _by_kind(fingerprint: str) -> str:
    """Return a stored fingerprint by kind; the single digest of older versions, if it still holds, likewise."""
    if digests(fingerprint):
        return fingerprint
    first = [kind(key) for key in _FIRST]
    return fingerprint_of(first) if digest(first) == fingerprint else fingerprint


def adopt_definitions(client: Client, fingerprint: str) -> int:
    """Write these definitions down as the newest, if they are not, and return their sequence."""
    newest = _newest(client)
    if newest is not None and newest[1] == fingerprint:
        return newest[0]
    sequence = 1 if newest is None else newest[0] + 1
    client.insert(
        "definitions", pa.table({"sequence": pa.array([sequence], pa.uint16()), "fingerprint": [fingerprint]})
    )
    return sequence


def ensure_partitions(client: Client, counts: Mapping[str, int]) -> None:
    """Compare partition counts (topic → number) with those of the stored rows; unknown topics are written down.

    Raises PartitionsChangedError for a topic with stored entities and another count.
    """
    known = _partitions(client)
    for topic, count in counts.items():
        if known.get(topic, count) != count and _filled(client, KIND_OF_TOPIC[topic].table):
            raise PartitionsChangedError(
                f"topic {topic} has {count} partitions, its entities were counted with {known[topic]}: "
                "run `nhip rebuild` to assign them anew"
            )
    adopt_partitions(client, counts)


def adopt_partitions(client: Client, counts: Mapping[str, int]) -> None:
    """Write partition counts down as the newest."""
    known = _partitions(client)
    changed = {topic: count for topic, count in counts.items() if known.get(topic) != count}
    if not changed:
        return
    ((version,),) = client.rows("SELECT max(version) FROM topics")
    client.insert(
        "topics",
        pa.table(
            {
                "topic": pa.array(changed, pa.string()),
                "partitions": pa.array(changed.values(), pa.uint16()),
                "version": pa.array([version + 1] * len(changed), pa.uint64()),
            }
        ),
    )


def _newest(client: Client) -> tuple[int, str] | None:
    rows = client.rows("SELECT sequence, fingerprint FROM definitions ORDER BY sequence DESC LIMIT 1")
    return (int(rows[0][0]), str(rows[0][1])) if rows else None


def _partitions(client: Client) -> dict[str, int]:
    return {topic: int(n) for topic, n in client.rows("SELECT topic, partitions FROM topics FINAL")}


def _filled(client: Client, table: str) -> bool:
    return bool(client.rows(f"SELECT 1 FROM {table} LIMIT 1"))
