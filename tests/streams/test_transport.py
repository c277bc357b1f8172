"""The transport: what is handed on of a fetch, where reading begins, and which refused commits end a process."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from types import SimpleNamespace
from typing import Any, cast

import pytest
from aiokafka.consumer.fetcher import PartitionRecords
from aiokafka.errors import CommitFailedError, IllegalStateError, KafkaError, RebalanceInProgressError
from aiokafka.structs import OffsetAndMetadata, TopicPartition
from faust.transport.drivers.aiokafka import AIOKafkaConsumerThread
from faust.types import TP

from streams.rows import Partition
from streams.tenure import Commit, CommitRefusedError
from streams.transport import FETCH_WAIT_MS, Consumer, ConsumerThread, Transport

HERE, THERE = TP("t", 0), TP("t", 1)
GENERATION = 4


def records(*offsets: int) -> list[Any]:
    """Fetched records of one partition, a second apart."""
    return [SimpleNamespace(offset=n, timestamp=1_000 * n, timestamp_type=0) for n in offsets]


def failed(cause: BaseException | None) -> CommitFailedError:
    """A refused commit as aiokafka raises it."""
    error = CommitFailedError("the group has moved on")
    error.__cause__ = cause
    return error


# -- fetches ------------------------------------------------------------------------------------------------


class Fetches:
    """A consumer of the transport that is given one answer of Kafka, and what a test changes around it."""

    def __init__(self, found: Mapping[TP, Sequence[Any]] | None, active: set[TP] | None = None) -> None:
        self.app = SimpleNamespace(consumer_generation_id=GENERATION)
        consumer = cast(Any, Consumer.__new__(Consumer))
        consumer.app = self.app
        consumer.flow_active = True
        consumer._stopped = SimpleNamespace(is_set=lambda: False)
        consumer._crashed = SimpleNamespace(is_set=lambda: False)
        consumer._buffered_partitions = set()

        async def wait(_: float) -> tuple[Any, Any]:
            return found, active

        consumer._wait_next_records = wait
        self.consumer = consumer

    async def messages(self, between: Callable[[], None] = lambda: None) -> list[tuple[TP, Any]]:
        """All that it hands on; ``between`` happens after each message."""
        seen = []
        async for tp, message in cast("AsyncIterator[tuple[TP, Any]]", self.consumer.getmany(1.0)):
            seen.append((tp, message))
            between()
        return seen


def test_each_partition_is_one_message_that_carries_its_records() -> None:
    """The message stands at the last record, in the generation that fetched it; empty answers are no message."""
    fetches = Fetches({HERE: records(5, 6, 9), THERE: records()})

    ((tp, message),) = asyncio.run(fetches.messages())

    assert tp == HERE
    assert (message.topic, message.partition, message.offset) == ("t", 0, 9)
    assert message.timestamp == 9.0
    assert message.generation_id == GENERATION
    assert [record.offset for record in message.value] == [5, 6, 9]


def test_a_partition_that_is_paused_is_not_handed_on_unless_it_was_buffered() -> None:
    """What Faust has put aside comes again later; what it holds back already may pass."""
    fetches, buffered = Fetches({HERE: records(1), THERE: records(1)}, {HERE}), Fetches({THERE: records(1)}, {HERE})
    buffered.consumer._buffered_partitions = {THERE}

    assert [tp for tp, _ in asyncio.run(fetches.messages())] == [HERE]
    assert [tp for tp, _ in asyncio.run(buffered.messages())] == [THERE]


@pytest.mark.parametrize("why", ["nothing came", "it stops", "a rebalance is under way"])
def test_without_records_or_without_right_to_them_nothing_is_handed_on(why: str) -> None:
    """After a rebalance everything is fetched again from the chosen start."""
    fetches = Fetches(None if why == "nothing came" else {HERE: records(1)})
    if why == "it stops":
        fetches.consumer._stopped = SimpleNamespace(is_set=lambda: True)
    fetches.consumer.flow_active = why != "a rebalance is under way"

    assert asyncio.run(fetches.messages()) == []


def test_a_rebalance_between_two_partitions_drops_the_rest() -> None:
    """Records of an older generation are not handed out once another has begun."""
    fetches = Fetches({HERE: records(1), THERE: records(1)})

    def rebalance() -> None:
        fetches.app.consumer_generation_id += 1

    assert [tp for tp, _ in asyncio.run(fetches.messages(rebalance))] == [HERE]


def test_offsets_within_a_batch_are_no_gaps() -> None:
    """Faust would wait for an acknowledgement of each: it is told of none."""
    fetches = Fetches({})

    rv = asyncio.run(fetches.consumer._add_gap(HERE, 1, 5))

    assert rv is None


# -- where reading begins -----------------------------------------------------------------------------------


@pytest.mark.parametrize("starts", [{Partition("t", 0): 7, Partition("t", 1): 0}, {}])
def test_reading_begins_where_the_app_says(starts: dict[Partition, int]) -> None:
    """The app is asked with what Kafka knows, and its answer is sought; without partitions nothing is."""
    asked: list[Any] = []
    sought: list[Mapping[TP, int]] = []
    known = dict.fromkeys(starts), dict.fromkeys(starts, 0)

    class Thread:
        async def committed_and_earliest(self) -> Any:
            return known

        async def commit_or_raise(self, offsets: Mapping[Partition, int]) -> None:
            asked.append(offsets)

    async def assigned(generation: int, committed: Any, earliest: Any, commit: Commit) -> dict[Partition, int]:
        await commit({Partition("t", 0): 3})
        asked.append((generation, committed, earliest))
        return starts

    async def seek(to: Mapping[TP, int]) -> None:
        sought.append(to)

    fetches = Fetches({})
    fetches.app.assigned = assigned
    fetches.consumer._thread = Thread()
    fetches.consumer.seek_wait = seek

    rv = asyncio.run(fetches.consumer.seek_to_committed())

    expected = {TP(*p): offset for p, offset in starts.items()}
    assert rv == expected
    assert sought == ([expected] if starts else [])
    assert asked == [{Partition("t", 0): 3}, (GENERATION, *known)]


# -- commits ------------------------------------------------------------------------------------------------


class Broker:
    """Kafka as the consumer thread sees it: takes commits or raises, and tells offsets."""

    def __init__(self, error: Exception | None = None, assigned: Sequence[TopicPartition] = ()) -> None:
        self.error = error
        self.assigned = set(assigned)
        self.commits: list[Mapping[TopicPartition, OffsetAndMetadata]] = []
        self.asked: list[list[TopicPartition]] = []

    async def commit(self, offsets: Mapping[TopicPartition, OffsetAndMetadata]) -> None:
        if self.error is not None:
            raise self.error
        self.commits.append(offsets)

    def assignment(self) -> set[TopicPartition]:
        return self.assigned

    async def committed(self, tp: TopicPartition) -> int | None:
        return 5 if tp.partition else None

    async def beginning_offsets(self, wanted: list[TopicPartition]) -> dict[TopicPartition, int]:
        self.asked.append(wanted)
        return dict.fromkeys(wanted, 2)


def thread_of(broker: Broker, *, flow_active: bool = True) -> ConsumerThread:
    """A consumer thread that calls at once instead of in its thread."""
    thread = cast(Any, ConsumerThread.__new__(ConsumerThread))
    thread.consumer = SimpleNamespace(flow_active=flow_active)
    thread._ensure_consumer = lambda: broker

    async def call(function: Callable[..., Awaitable[Any]], *args: Any) -> Any:
        return await function(*args)

    thread.call_thread = call
    return cast(ConsumerThread, thread)


def test_a_commit_names_topic_partition_and_next_offset() -> None:
    """Explicit offsets, without metadata."""
    broker = Broker()

    asyncio.run(thread_of(broker).commit_or_raise({Partition("t", 1): 9}))

    assert broker.commits == [{TopicPartition("t", 1): OffsetAndMetadata(9, "")}]


@pytest.mark.parametrize(
    ("error", "flow_active", "rebalancing"),
    [
        pytest.param(failed(RebalanceInProgressError()), True, True, id="a rebalance is under way"),
        pytest.param(IllegalStateError("not assigned"), True, True, id="taken away by the next assignment"),
        pytest.param(failed(None), False, True, id="Faust has stopped the flow for a rebalance"),
        pytest.param(failed(None), True, False, id="thought dead"),
        pytest.param(failed(KafkaError()), True, False, id="another cause"),
    ],
)
def test_a_refused_commit_says_whether_a_rebalance_explains_it(
    error: Exception, *, flow_active: bool, rebalancing: bool
) -> None:
    """If not, this process was thought dead and must end."""
    thread = thread_of(Broker(error), flow_active=flow_active)

    with pytest.raises(CommitRefusedError, match="Kafka refused the commit") as caught:
        asyncio.run(thread.commit_or_raise({Partition("t", 0): 1}))

    assert caught.value.rebalancing is rebalancing


def test_an_error_that_is_no_refusal_goes_through() -> None:
    """It ends the process as what it is."""
    with pytest.raises(KafkaError):
        asyncio.run(thread_of(Broker(KafkaError("broker away"))).commit_or_raise({Partition("t", 0): 1}))


@pytest.mark.parametrize("assigned", [[TopicPartition("t", 1), TopicPartition("t", 0)], []])
def test_commits_and_first_offsets_of_what_is_assigned(assigned: list[TopicPartition]) -> None:
    """A partition without commit is None; without partitions Kafka is not asked."""
    broker = Broker(assigned=assigned)

    rv = asyncio.run(thread_of(broker).committed_and_earliest())

    first, second = Partition("t", 0), Partition("t", 1)
    assert rv == (({first: None, second: 5}, {first: 2, second: 2}) if assigned else ({}, {}))
    assert broker.asked == ([sorted(assigned)] if assigned else [])


def test_fetches_are_short_and_records_are_not_copied(monkeypatch: pytest.MonkeyPatch) -> None:
    """The broker answers within 50 ms; a decoded record is handed on as it is."""
    consumer, found = SimpleNamespace(), object()
    monkeypatch.setattr(PartitionRecords, "_consumer_record", PartitionRecords._consumer_record)
    monkeypatch.setattr(
        AIOKafkaConsumerThread,
        "_create_worker_consumer",
        lambda _, transport: consumer if transport == "transport" else None,
    )

    rv = thread_of(Broker())._create_worker_consumer(cast(Any, "transport"))

    assert rv is cast(Any, consumer)
    assert consumer._fetch_max_wait_ms == FETCH_WAIT_MS
    assert cast(Any, PartitionRecords)._consumer_record(None, HERE, found) is found


def test_the_entry_point_brings_this_consumer() -> None:
    """Faust finds the transport by the scheme of its address."""
    assert Transport.Consumer is Consumer
