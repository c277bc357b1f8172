"""The partition of a key is Kafka's: the same murmur2 in the worker, in the producers and in Java."""

import pytest
from aiokafka.partitioner import murmur2 as bytewise
from hypothesis import given
from hypothesis import strategies as st

from contract.partition import murmur2, partition_of

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
