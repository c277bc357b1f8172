"""Forgetting what Kafka can give again, so that workers read it anew: for a store whose rows are doubted."""

# ruff: noqa: S608
# Tables in SQL come from the registry; every value is a parameter.

from collections.abc import Callable, Mapping
from typing import NamedTuple

from contract.kind import Kind
from contract.registry import KINDS
from sinks.client import Client
from sinks.definitions import PartitionsChangedError
from sinks.engines import SchemaSettings
from sinks.unfinished import begin, end
from streams.rows import Partition

__all__ = ["Rereading", "forget", "what_is_read_again"]

WORK = "nhip rebuild --from-kafka"


class Rereading(NamedTuple):
    """Rows of entities that go, and those that stay because Kafka no longer has their records."""

    again: int
    kept: int


def what_is_read_again(client: Client, earliest: Mapping[Partition, int]) -> Rereading:
    """Count the rows of each side. ``earliest``: the first record that Kafka still has of each partition.

    Raises PartitionsChangedError when entities were moved to other partitions since they were read: their records lie
    where no worker would accept them.
    """
    again = kept = 0
    for kind in KINDS:
        moved, kept_here, all_here = _counts(client, kind, earliest)
        if moved:
            raise PartitionsChangedError(
                f"the partitions of {kind.topic} were changed after {moved} rows of {kind.table} had been read, and "
                "their records would now be refused: run `nhip rebuild` without --from-kafka, or restore a back-up"
            )
        again, kept = again + all_here - kept_here, kept + kept_here
    return Rereading(again, kept)


def forget(
    client: Client, settings: SchemaSettings, earliest: Mapping[Partition, int], show: Callable[[int, int], None]
) -> None:
    """Remove the rows that are read again, and every position. No worker may run. ``show`` gets (tables, all).

    When it does not finish, no worker starts until it is repeated. Published figures stay until workers replace them.
    """
    begin(client, settings, WORK)
    # Without a position a partition is read from its earliest record (rule 4).
    client.command("TRUNCATE TABLE progress")
    client.command("TRUNCATE TABLE sources")  # counted again from the records
    for done, kind in enumerate(KINDS, 1):
        _, kept, _ = _counts(client, kind, earliest)
        if kept:
            sql, parameters = _earliest(kind, earliest)
            client.command(f"DELETE FROM {kind.table} WHERE offset >= {sql}", parameters)
        else:
            client.command(f"TRUNCATE TABLE {kind.table}")
        show(done, len(KINDS))
    end(client, settings)


def _counts(client: Client, kind: Kind, earliest: Mapping[Partition, int]) -> tuple[int, int, int]:
    sql, parameters = _earliest(kind, earliest)
    ((moved, kept, rows),) = client.rows(
        f"SELECT countIf(offset < 0), countIf(offset < {sql}), count() FROM {kind.table}", parameters
    )
    return int(moved), int(kept), int(rows)


def _earliest(kind: Kind, earliest: Mapping[Partition, int]) -> tuple[str, dict[str, object]]:
    """Return SQL of the first offset that Kafka has of a row's partition, 0 when it has none."""
    known = {p.partition: offset for p, offset in earliest.items() if p.topic == kind.topic}
    if not known:
        return "toInt64(0)", {}
    return (
        "transform(toInt64(`partition`), {numbers:Array(Int64)}, {offsets:Array(Int64)}, toInt64(0))",
        {"numbers": list(known), "offsets": list(known.values())},
    )
