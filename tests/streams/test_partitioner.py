"""Owners of keys: told for each topic with its own partition count."""

from streams.partitioner import owner_of
from streams.rows import Partition


def test_each_topic_has_its_own_count() -> None:
    """The owner of a key is computed with the partition count of the topic asked about."""
    of = owner_of({"nhip.dossiers": 6, "nhip.payments": 1})

    dossiers, payments = of(Partition("nhip.dossiers", 0)), of(Partition("nhip.payments", 0))

    assert list(dossiers([b"abc", b"abc"])) == [479470107 % 6] * 2
    assert list(payments([b"abc"])) == [0]
    assert list(dossiers([])) == []
