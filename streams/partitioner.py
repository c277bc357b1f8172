"""Where Kafka's own partitioner puts a key: murmur2, as Java, kafka-python and aiokafka do by default."""

from collections.abc import Callable, Mapping

from aiokafka.partitioner import murmur2

from streams.rows import Partition

__all__ = ["owner_of", "partition_of"]

_POSITIVE = 0x7FFFFFFF


def partition_of(key: bytes, partitions: int) -> int:
    """Partition number of a key in a topic with so many partitions."""
    return int(murmur2(key) & _POSITIVE) % partitions


def owner_of(counts: Mapping[str, int]) -> Callable[[Partition], Callable[[bytes], int]]:
    """For each input partition, the function from a key to the partition number in its topic."""

    def of(partition: Partition) -> Callable[[bytes], int]:
        count = counts[partition.topic]
        return lambda key: partition_of(key, count)

    return of
