"""Events from snapshots: versions, ids, checks before sending; and the client for asyncio."""

import asyncio
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from contract.dossier import Dossier, DossierEvent
from contract.marks import Snapshot, epoch_us
from contract.meeting import Meeting
from contract.payment import Payment, PaymentEvent
from contract.registry import KINDS
from producers import AsyncProducer, Producer, Source
from producers.errors import DeliveryError, InvalidEventError, ProducerError
from producers.receipt import Entry, Receipt
from producers.spool import Record
from producers.statistics import Statistics

NOW = datetime(2026, 11, 21, 9, 15, 3, 120_000, tzinfo=UTC)


def dossier(**changes: Any) -> Dossier:
    """A valid snapshot."""
    return Dossier(**{"unit": "H19.12", "channel": "online", "status": "processing", **changes})


def test_an_event_of_each_kind() -> None:
    """The snapshot's type decides the kind; version and id follow from the time."""
    source = Source("onestop/H19.12")

    first = source.event("d1", dossier(), time=NOW)
    payment = source.event("p1", Payment(unit="u", status="due", amount_vnd=1), time=NOW, version=7, id="x")

    assert isinstance(first, DossierEvent)
    assert (first.source, first.version, first.id) == ("onestop/H19.12", epoch_us(NOW), f"d1/{epoch_us(NOW)}")
    assert isinstance(payment, PaymentEvent)
    assert (payment.version, payment.id) == (7, "x")


@given(moments=st.lists(st.integers(-3, 3), min_size=1, max_size=30))
def test_versions_keep_the_order_of_changes(moments: list[int]) -> None:
    """Versions of changes that do not go back grow strictly; one that goes back keeps its own instant."""
    source = Source("s")
    made = [source.event("d", dossier(), time=NOW + timedelta(microseconds=m)).version for m in sorted(moments)]
    late = source.event("d", dossier(), time=NOW - timedelta(seconds=1)).version

    assert all(a < b for a, b in pairwise(made))
    assert made[0] == epoch_us(NOW) + min(moments)
    assert late == epoch_us(NOW) - 1_000_000


def test_memory_is_bounded_and_apart_by_subject_and_kind() -> None:
    """Only the last subjects are remembered; other subjects and kinds do not move a version on."""
    source = Source("s", remembered=2)
    for subject in ("a", "b", "c"):
        source.event(subject, dossier(), time=NOW)

    again = [source.event(s, dossier(), time=NOW).version - epoch_us(NOW) for s in ("a", "c")]
    meeting = source.event("c", Meeting(unit="u", status="draft", starts_at=NOW), time=NOW)

    assert again == [0, 1]
    assert meeting.version == epoch_us(NOW)


def test_what_is_no_snapshot_or_no_time() -> None:
    """A wrong type or a time without an offset is named at once."""

    class Other(Snapshot, frozen=True):
        unit: str

    with pytest.raises(InvalidEventError, match=r"Other is no snapshot; known: .*Dossier"):
        Source("s").event("x", Other(unit="u"), time=NOW)
    with pytest.raises(InvalidEventError, match="has no offset") as caught:
        Source("s").event("x", dossier(), time=NOW.replace(tzinfo=None))

    assert caught.value.path == "$.time"


class FakeLane:
    """Keeps records; breaks them when told."""

    def __init__(self) -> None:
        self.records: list[Record] = []
        self.error: BaseException | None = None

    def put(self, records: Sequence[Record], receipt: Receipt | None, _wait_s: float | None) -> None:
        self.records.extend(records)
        for record in records:
            if receipt is not None:
                receipt.settle(Entry(record, receipt), self.error)

    def close(self, _timeout_s: float) -> int:
        return 0

    def statistics(self) -> Any:
        return Statistics(sent=len(self.records))


@pytest.fixture
def lane(monkeypatch: pytest.MonkeyPatch) -> FakeLane:
    """A lane in place of Kafka."""
    fake = FakeLane()
    monkeypatch.setattr("producers.client.DirectLane", lambda *_: fake)
    return fake


@pytest.mark.parametrize(
    ("changes", "path"),
    [
        ({"unit": 5}, "$.data.unit"),
        ({"unit": ""}, "$.data.unit"),
        ({"unit": "x" * 65}, "$.data.unit"),
        ({"channel": "fax"}, "$.data.channel"),
        ({"status": "completed"}, "$.data.finished_at"),
        ({"received_at": NOW.replace(tzinfo=None)}, "$.data.received_at"),
        ({"received_at": datetime(2199, 1, 1, tzinfo=UTC)}, "$.data.received_at"),
        ({"due_at": datetime(1900, 1, 1, tzinfo=UTC)}, "$.data.due_at"),
        ({"fee_vnd": 1.5}, "$.data.fee_vnd"),
        ({"fee_vnd": -1}, "$.data.fee_vnd"),
        ({"fee_vnd": object()}, "$.data.fee_vnd"),
        ({"procedure": "\ud800"}, "$.data.procedure"),
    ],
)
def test_wrong_fields_are_named_before_sending(lane: FakeLane, changes: dict[str, Any], path: str) -> None:
    """An event that readers would refuse is not sent; the error names the field and the entity."""
    producer = Producer("k:1", wall_us=lambda: epoch_us(NOW))
    event = Source("s").event("case-1", dossier(**changes), time=NOW)

    with pytest.raises(InvalidEventError, match="case-1") as caught:
        producer.send(event)

    assert caught.value.path == path
    assert not lane.records
    assert producer.statistics().refused == 1


def test_every_kind_is_sent_as_readers_want_it(lane: FakeLane) -> None:
    """Topic, normalised key and bytes are those of the kind."""
    producer = Producer("k:1", wall_us=lambda: epoch_us(NOW))
    event = Source("s").event("ho\u0302\u0300", dossier(), time=NOW)

    producer.send(event)

    assert lane.records == [("nhip.dossiers", "hồ".encode(), msgspec.json.encode(event))]
    assert {kind.snapshot for kind in KINDS} >= {Dossier, Payment, Meeting}


def test_async_send_waits_until_safe(lane: FakeLane) -> None:
    """What is awaited returns when all is safe, many at once; a failure and an invalid event raise there."""
    events = [Source("s").event(str(n), dossier(), time=NOW) for n in range(20)]

    async def run() -> int:
        async with AsyncProducer("k:1", wall_us=lambda: epoch_us(NOW)) as producer:
            await producer.send(*events[:10])
            await asyncio.gather(*(producer.send(one) for one in events[10:]))
            with pytest.raises(InvalidEventError):
                await producer.send(msgspec.structs.replace(events[0], subject=""))
            lane.error = DeliveryError("gone", topic="t", keys=1, cause=OSError())
            with pytest.raises(DeliveryError):
                await producer.send(events[0])
            return producer.statistics().sent

    assert asyncio.run(run()) == 21


def test_async_producer_must_be_opened() -> None:
    """Sending outside of the block says how to open it."""
    with pytest.raises(ProducerError, match="async with"):
        asyncio.run(AsyncProducer("k:1").send())
