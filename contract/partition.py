"""Where Kafka's own partitioner puts a key: murmur2, as Java, kafka-python and aiokafka do by default. Pure."""

from collections import defaultdict
from collections.abc import Sequence
from struct import unpack_from

import numpy as np
import numpy.typing as npt

__all__ = ["murmur2", "partition_of", "partitions_of"]

_POSITIVE = 0x7FFFFFFF
_WORD = 0xFFFFFFFF
_SEED = 0x9747B28C
_FACTOR = 0x5BD1E995

_FEW = 40
"""So few keys are done sooner one by one."""


def murmur2(key: bytes) -> int:
    """Kafka's hash of a key, 32 bits (org.apache.kafka.common.utils.Utils.murmur2).

    Those of kafka-python and aiokafka read byte by byte: 3.5 µs for a key of 25 bytes, this 1.8 µs.
    """
    length = len(key)
    whole = length & ~3
    h = _SEED ^ length
    for k in unpack_from(f"<{whole >> 2}I", key):
        k = k * _FACTOR & _WORD  # noqa: PLW2901
        h = (h * _FACTOR & _WORD) ^ ((k ^ k >> 24) * _FACTOR & _WORD)
    if whole < length:
        h = (h ^ int.from_bytes(key[whole:], "little")) * _FACTOR & _WORD
    h = (h ^ h >> 13) * _FACTOR & _WORD
    return h ^ h >> 15


def partition_of(key: bytes, partitions: int) -> int:
    """Partition number of a key in a topic with so many partitions."""
    return (murmur2(key) & _POSITIVE) % partitions


def partitions_of(keys: Sequence[bytes], partitions: int) -> list[int]:
    """Partition number of each key: the same as one by one, for thousands at 0.1 µs each."""
    if len(keys) < _FEW:
        return [partition_of(key, partitions) for key in keys]
    by_length: dict[int, list[int]] = defaultdict(list)
    for n, key in enumerate(keys):
        by_length[len(key)].append(n)
    found = np.zeros(len(keys), np.int64)
    for length, places in by_length.items():
        signs = np.frombuffer(b"".join([keys[n] for n in places]), np.uint8).reshape(len(places), length)
        found[places] = (_murmur2_columns(signs) & _POSITIVE) % partitions
    return found.tolist()


def _murmur2_columns(keys: npt.NDArray[np.uint8]) -> npt.NDArray[np.uint32]:
    """Return the hash of each row, a key; whole numbers of 32 bits overflow by themselves here."""
    length = keys.shape[1]
    whole = length & ~3
    factor = np.uint32(_FACTOR)
    h: npt.NDArray[np.uint32] = np.full(len(keys), _SEED ^ length, np.uint32)
    for k in np.ascontiguousarray(keys[:, :whole]).view(np.uint32).T:
        mixed = k * factor
        h = h * factor ^ (mixed ^ mixed >> np.uint32(24)) * factor
    if whole < length:
        rest = np.zeros((len(keys), 4), np.uint8)
        rest[:, : length - whole] = keys[:, whole:]
        h = (h ^ rest.view(np.uint32)[:, 0]) * factor
    h = (h ^ h >> np.uint32(13)) * factor
    return h ^ h >> np.uint32(15)
