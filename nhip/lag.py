"""How far the workers are behind: Kafka's ends against the group's commits."""

from types import TracebackType
from typing import Any, NamedTuple, Self

from producers.access import PLAINTEXT, KafkaAccess
from producers.administration import administer, patiently
from producers.driver import AuthorizationError, KafkaError, TopicPartition
from producers.errors import KafkaRightsError, KafkaUnreachableError
from producers.rights import DESCRIBE, GROUP, Right, no_right
from producers.topics import partition_counts
from streams.rows import Partition

__all__ = ["Backlog", "Member", "PartitionLag"]

LATEST = -1
"""Kafka's word for the offset after the last record."""
EARLIEST = -2
"""Kafka's word for the first record that it still has."""


class PartitionLag(NamedTuple):
    """One partition: the offset after its last record, and the group's commit (None: nothing yet)."""

    topic: str
    partition: int
    end: int
    committed: int | None

    @property
    def lag(self) -> int:
        """Records that are not stored yet."""
        return self.end - (self.committed or 0)


class Member(NamedTuple):
    """A worker as the group knows it; ``instance``: the fixed name of its slot, None without one.

    ``client``: what it calls itself, as of the first process in its slot; ``partitions``: how Kafka has given them,
    none while it gives them anew.
    """

    instance: str | None
    client: str
    host: str
    partitions: tuple[tuple[str, int], ...]


class Backlog:
    """A connection that can be asked for the lag repeatedly; a context manager.

    Raises KafkaUnreachableError, KafkaRefusedError.
    """

    def __init__(self, bootstrap: str, group: str, access: KafkaAccess = PLAINTEXT) -> None:
        counts = partition_counts(bootstrap, access)
        self._group = group
        self._access = access
        self._partitions = [(topic, n) for topic, count in sorted(counts.items()) for n in range(count)]
        self._kafka = administer(bootstrap, access, "nhip-lag")

    def read(self) -> list[PartitionLag]:
        """Return the lag of every input partition. Raises KafkaUnreachableError, KafkaRightsError."""
        wanted = {TopicPartition(*p): LATEST for p in self._partitions}
        retrying = patiently()
        try:
            ends = retrying(self._kafka.list_partition_offsets, wanted)
            commits = retrying(self._kafka.list_group_offsets, {self._group: None})[self._group]
        except AuthorizationError as error:
            raise self._no_right() from error
        except KafkaError as error:
            raise KafkaUnreachableError(f"Kafka does not tell its offsets: {error}") from error
        return [
            PartitionLag(tp.topic, tp.partition, ends[tp].offset, commits[tp].offset if tp in commits else None)
            for tp in wanted
        ]

    def earliest(self) -> dict[Partition, int]:
        """Return the offset of the first record that Kafka still has, by partition. Raises KafkaUnreachableError."""
        wanted = {TopicPartition(*p): EARLIEST for p in self._partitions}
        try:
            found = self._kafka.list_partition_offsets(wanted)
        except KafkaError as error:
            raise KafkaUnreachableError(f"Kafka does not tell its first offsets: {error}") from error
        return {Partition(tp.topic, tp.partition): found[tp].offset for tp in wanted}

    def members(self) -> list[Member]:
        """Return the workers of the group; one that was stopped counts until its session has ended."""
        try:
            found = patiently()(self._kafka.describe_groups, [self._group])[self._group]["members"]
        except AuthorizationError as error:
            raise self._no_right() from error
        except KafkaError as error:
            raise KafkaUnreachableError(f"Kafka does not tell the members of group {self._group}: {error}") from error
        return [
            Member(m["group_instance_id"], m["client_id"], m["client_host"].removeprefix("/"), _given(m))
            for m in found
        ]

    def _no_right(self) -> KafkaRightsError:
        return no_right(self._access, Right(GROUP, self._group, DESCRIBE))

    def close(self) -> None:
        """Close the connection."""
        self._kafka.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


def _given(member: dict[str, Any]) -> tuple[tuple[str, int], ...]:
    assignment = member["member_assignment"]
    if not isinstance(assignment, dict):
        return ()
    return tuple((part["topic"], n) for part in assignment["assigned_partitions"] for n in part["partitions"])
