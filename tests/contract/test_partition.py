"""The partition of a key is Kafka's: the same murmur2 in the worker, in the producers and in Java."""

import pytest
from aiokafka.partitioner import murmur2 as bytewise
from hypothesis import given
from hypothesis import strategies as st

from contract.partition import murmur2, partition_of, partitions_of

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
    """Kafka's published values, and the partition without their sign bit, modulo the count."""
    count = 2**31

    rv = murmur2(key), partition_of(key, count)

    assert rv == (signed % 2**32, signed & 0x7FFFFFFF)


@given(st.binary(max_size=80))
def test_any_key_has_the_hash_that_others_compute(key: bytes) -> None:
    """aiokafka, which reads byte by byte, gives the same hash."""
    expected = bytewise(key)

    rv = murmur2(key)

    assert rv == expected


@given(st.lists(st.binary(max_size=9), max_size=60), st.integers(0, 60), st.integers(1, 300))
def test_many_keys_go_where_each_goes_alone(keys: list[bytes], more: int, count: int) -> None:
    """Few or many, of one length or of several, empty ones too: the same partitions in the same order."""
    keys += [b"H19.12-261121-%04d" % n for n in range(more)]

    rv = partitions_of(keys, count)

    assert rv == [partition_of(key, count) for key in keys]
    assert all(type(number) is int for number in rv)


@pytest.mark.parametrize("many", [1, 50])
def test_published_hashes_decide_the_partition_of_many(many: int) -> None:
    """The same published values, whether a few keys are asked for or hundreds."""
    keys = list(PUBLISHED) * many

    rv = partitions_of(keys, 2**31)

    assert rv == [signed & 0x7FFFFFFF for signed in PUBLISHED.values()] * many
