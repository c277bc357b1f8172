"""Which partition of an input topic owns a key: told to the fold, which does not ask Kafka."""

from collections.abc import Callable, Mapping, Sequence

from contract.partition import partitions_of
from streams.rows import Partition

__all__ = ["Owners", "owner_of"]

Owners = Callable[[Sequence[bytes]], Sequence[int]]
"""Keys → the partitions in which Kafka's partitioner puts them."""


def owner_of(counts: Mapping[str, int]) -> Callable[[Partition], Owners]:
    """For each input partition, the function from keys to the partition numbers in its topic."""

    def of(partition: Partition) -> Owners:
        count = counts[partition.topic]
        return lambda keys: partitions_of(keys, count)

    return of
