"""The partitioner is Kafka's: the same murmur2 in the worker, in the producers and in Java."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from producers.driver import murmur2
from streams.partitioner import owner_of, partition_of
from streams.rows import Partition

# From Apache Kafka's own UtilsTest.testMurmur2, as signed 32-bit numbers.
PUBLISHED = {
    b"21": -973932308,
    b"foobar": -790332482,
    b"a-little-bit-long-string": -985981536,
    b"a-little-bit-longer-string": -1486304829,
    b"lkjh234lh9fiuh90y23oiuhsafujhadof229phr9h19h89h8": -58897971,
    b"abc": 479470107,
}


@pytest.mark.parametrize(("key", "signed"), PUBLISHED.items())
def test_published_hashes_decide_the_partition(key: bytes, signed: int) -> None:
    """Kafka's published values, without their sign bit, modulo the count."""
    count = 2**31

    rv = partition_of(key, count)

    assert rv == signed & 0x7FFFFFFF


@given(st.binary(max_size=80), st.integers(1, 100))
def test_worker_and_producers_agree(key: bytes, count: int) -> None:
    """The worker's partition of a key is the one that kafka-python's hash gives."""
    expected = (murmur2(key) & 0x7FFFFFFF) % count

    rv = partition_of(key, count)

    assert rv == expected


def test_each_topic_has_its_own_count() -> None:
    """The owner of a key is computed with the partition count of the topic asked about."""
    of = owner_of({"nhip.dossiers": 6, "nhip.payments": 1})

    dossiers, payments = of(Partition("nhip.dossiers", 0)), of(Partition("nhip.payments", 0))

    assert dossiers(b"abc") == 479470107 % 6
    assert payments(b"abc") == 0
