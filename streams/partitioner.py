"""Which partition of an input topic owns a key: told to the fold, which does not ask Kafka."""

from collections.abc import Callable, Mapping

from contract.partition import partition_of
from streams.rows import Partition

__all__ = ["owner_of"]


def owner_of(counts: Mapping[str, int]) -> Callable[[Partition], Callable[[bytes], int]]:
    """For each input partition, the function from a key to the partition number in its topic."""

    def of(partition: Partition) -> Callable[[bytes], int]:
        count = counts[partition.topic]
        return lambda key: partition_of(key, count)

    return of
