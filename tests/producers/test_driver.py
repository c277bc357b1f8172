"""The driver's shortened ways do what kafka-python's own do: the same bytes, the same partitions."""

import gzip
import zlib
from importlib import import_module
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import producers.driver  # noqa: F401 - see below

# Behind the driver, which imports kafka-python without the warnings that it gives.
default_records = import_module("kafka.record.default_records")
memory_records = import_module("kafka.record.memory_records")
crc = import_module("kafka.record._crc32c").crc
DefaultRecordBatch = default_records.DefaultRecordBatch
DefaultRecordBatchBuilder = default_records.DefaultRecordBatchBuilder

NONE, GZIP, SNAPPY, LZ4, ZSTD = range(5)
BATCH_BYTES = 2_000
HEADER = {
    "magic": 2,
    "is_transactional": False,
    "producer_id": -1,
    "producer_epoch": -1,
    "base_sequence": -1,
    "batch_size": BATCH_BYTES,
}

Told = tuple[int, int, int] | None
records = st.lists(
    st.tuples(
        st.integers(0, 2**41),
        st.none() | st.binary(max_size=70),
        st.binary(max_size=300) | st.binary(max_size=9).map(lambda part: part * 60),
        st.lists(st.tuples(st.text(max_size=5), st.binary(max_size=5)), max_size=2),
    ),
    min_size=1,
    max_size=30,
)


def filled(builder: Any, made: list[Any], state: tuple[int, int, int] | None) -> tuple[list[Told], bytes]:
    """What a builder tells of each record, None for one without room, and the batch that it builds."""
    told: list[Told] = []
    for offset, (timestamp, key, value, headers) in enumerate(made):
        found = builder.append(offset, timestamp, key, value, headers)
        if found is None:
            told.append(None)
            break
        told.append((found.offset, found.size, found.timestamp))
        told.append((builder.size(), 0, 0))
    if state is not None:
        builder.set_producer_state(*state, is_transactional=False)
    return told, bytes(builder.build())


@pytest.fixture(autouse=True)
def codecs(monkeypatch: pytest.MonkeyPatch) -> None:
    """Stand-ins for compressors that are not installed: what they write is not the batch's matter."""
    for name in ("snappy", "zstd"):
        if not getattr(default_records.codecs, f"has_{name}")():
            monkeypatch.setattr(default_records.codecs, f"has_{name}", lambda: True)
            monkeypatch.setattr(default_records, f"{name}_encode", zlib.compress)
    monkeypatch.setattr(default_records, "gzip_encode", lambda data: gzip.compress(data, mtime=0))


@pytest.mark.parametrize("compression", [NONE, GZIP, SNAPPY, LZ4, ZSTD])
@pytest.mark.parametrize("state", [None, (7_000_000_000, 3, 2**31 - 1)], ids=["plain", "idempotent"])
def test_batches_have_the_bytes_of_kafka_pythons_own(compression: int, state: tuple[int, int, int] | None) -> None:
    """Whatever the records, compressed or not, numbered or not: what is told and every byte are the same."""

    @settings(max_examples=40, deadline=None)
    @given(records)
    def check(made: list[Any]) -> None:
        expected = filled(DefaultRecordBatchBuilder(compression_type=compression, **HEADER), made, state)

        rv = filled(memory_records.DefaultRecordBatchBuilder(compression_type=compression, **HEADER), made, state)

        assert rv == expected
        assert DefaultRecordBatch(rv[1]).validate_crc()

    assert memory_records.DefaultRecordBatchBuilder is not DefaultRecordBatchBuilder
    check()


@given(st.binary(max_size=3000))
def test_check_sums_are_kafka_pythons_own(data: bytes) -> None:
    """The check sum in C equals the one in Python, of every kind of buffer that is asked about."""
    expected = crc(data)

    rv = {default_records.calc_crc32c(buffer) for buffer in (data, bytearray(data), memoryview(bytearray(data)))}

    assert rv == {expected}
