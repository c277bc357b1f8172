"""How far the workers are behind: Kafka's ends against the group's commits."""

from types import TracebackType
from typing import Any, NamedTuple, Self

from tenacity import Retrying, retry_if_exception, stop_after_delay, wait_fixed

from producers.client import KafkaUnreachableError
from producers.driver import KafkaError, TopicPartition, admin_client
from producers.topics import partition_counts
from streams.rows import Partition

__all__ = ["Backlog", "Member", "PartitionLag"]

CONNECT_TIMEOUT_MS = 10_000
COORDINATOR_PATIENCE_S = 20.0
COORDINATOR_PAUSE_S = 0.2
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
    """A connection that can be asked for the lag repeatedly; a context manager."""

    def __init__(self, bootstrap: str, group: str) -> None:
        counts = partition_counts(bootstrap)
        self._group = group
        self._partitions = [(topic, n) for topic, count in sorted(counts.items()) for n in range(count)]
        try:
            self._kafka = admin_client(
                bootstrap_servers=bootstrap.split(","), client_id="nhip-lag", bootstrap_timeout_ms=CONNECT_TIMEOUT_MS
            )
        except KafkaError as error:
            raise KafkaUnreachableError(f"Kafka at {bootstrap} does not answer: {error}") from error

    def read(self) -> list[PartitionLag]:
        """Return the lag of every input partition. Raises KafkaUnreachableError."""
        wanted = {TopicPartition(*p): LATEST for p in self._partitions}
        retrying = _retrying()
        try:
            ends = retrying(self._kafka.list_partition_offsets, wanted)
            commits = retrying(self._kafka.list_group_offsets, {self._group: None})[self._group]
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
            found = _retrying()(self._kafka.describe_groups, [self._group])[self._group]["members"]
        except KafkaError as error:
            raise KafkaUnreachableError(f"Kafka does not tell the members of group {self._group}: {error}") from error
        return [
            Member(m["group_instance_id"], m["client_id"], m["client_host"].removeprefix("/"), _given(m))
            for m in found
        ]

    def close(self) -> None:
        """Close the connection."""
        self._kafka.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


def _retrying() -> Retrying:
    """Repeat for a while: a broker that has just started first makes the topic that holds the commits."""
    return Retrying(
        stop=stop_after_delay(COORDINATOR_PATIENCE_S),
        wait=wait_fixed(COORDINATOR_PAUSE_S),
        retry=retry_if_exception(lambda error: bool(getattr(error, "retriable", False))),
        reraise=True,
    )


def _given(member: dict[str, Any]) -> tuple[tuple[str, int], ...]:
    assignment = member["member_assignment"]
    if not isinstance(assignment, dict):
        return ()
    return tuple((part["topic"], n) for part in assignment["assigned_partitions"] for n in part["partitions"])
