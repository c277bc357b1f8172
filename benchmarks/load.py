"""A province's year of dossiers: seeded, interleaved in time, with the figures that must come out of it."""

import asyncio
from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping
from datetime import datetime, timedelta, timezone
from random import Random
from typing import Any, NamedTuple, Protocol

import msgspec
from aiokafka import AIOKafkaProducer

from contract.dossier import DOSSIER, FINISHED, Dossier, DossierEvent
from contract.partition import partition_of
from contract.units import UnitTree
from producers.client import BATCH_BYTES

__all__ = ["FIELDS", "PROVINCE", "Load", "Record", "Recorded", "Truth", "fill", "units_of_province"]

PROVINCE = "75"
FIELDS = (
    "land",
    "civil_status",
    "construction",
    "business",
    "transport",
    "health",
    "education",
    "justice",
    "labour",
    "environment",
    "agriculture",
    "culture",
)
EVENTS_PER_DOSSIER = 6
"""On average; a dossier has two to nine."""

_ZONE = timezone(timedelta(hours=7))
_YEAR_BEGINS = datetime(2025, 7, 1, tzinfo=_ZONE)
_DAYS = 365
_OPEN_FROM_S, _OPEN_UNTIL_S = 7 * 3600, 17 * 3600
_US_PER_S = 1_000_000
_HOUR_US = 3_600 * _US_PER_S
_DAY_US = 24 * _HOUR_US
_SHARE_OF_DEPARTMENTS = 3
"""A department gets so many times the dossiers of a commune."""

Truth = Mapping[tuple[str, str], tuple[int, int]]
"""(scope, indicator) → (numerator, denominator) of the window ``all``."""


class Record(NamedTuple):
    """One Kafka record, with the partition where its key belongs."""

    partition: int
    key: bytes
    value: bytes


class _Step(NamedTuple):
    at_us: int
    dossier: int
    status: str
    supplements: int


class _Plan(NamedTuple):
    subject: str
    unit: str
    field: str
    channel: str
    procedure: str
    submitted_us: int
    received_us: int
    due_us: int
    steps: tuple[_Step, ...]


def units_of_province(tree: UnitTree) -> tuple[str, ...]:
    """Codes of the departments and communes directly under the province."""
    return tree.children(PROVINCE)


class Load:
    """``count`` events of the year, the same for the same seed."""

    def __init__(self, tree: UnitTree, count: int, partitions: int, seed: int = 2026) -> None:
        self.units = units_of_province(tree)
        self.count = count
        self.partitions = partitions
        self._rng = Random(seed)
        self._weights = [
            _SHARE_OF_DEPARTMENTS if (unit := tree.get(code)) and unit.kind == "department" else 1
            for code in self.units
        ]
        self._bytes = 0
        self._plans: list[_Plan] = []
        steps: list[_Step] = []
        # Some more, so that cutting the year off at the count leaves dossiers open, as in life.
        while len(steps) < count:
            plan = self._plan(len(self._plans))
            self._plans.append(plan)
            steps += plan.steps
        steps.sort()
        self._steps = steps[:count]

    @property
    def dossiers(self) -> int:
        """How many dossiers have at least one event."""
        return len({step.dossier for step in self._steps})

    @property
    def mean_bytes(self) -> float:
        """Mean size of the values that were encoded so far."""
        return self._bytes / self.count

    def records(self) -> Iterator[Record]:
        """Yield the events in the order of their time, encoded."""
        encode = msgspec.json.Encoder().encode
        keys = [plan.subject.encode() for plan in self._plans]
        homes = [partition_of(key, self.partitions) for key in keys]
        for step in self._steps:
            event = _event(self._plans[step.dossier], step)
            value = encode(event)
            self._bytes += len(value)
            yield Record(homes[step.dossier], keys[step.dossier], value)

    def truth(self) -> Truth:
        """Figures by the words of the indicators, from the newest step of each dossier."""
        newest = {step.dossier: step for step in self._steps}
        sums: dict[tuple[str, str], list[int]] = defaultdict(lambda: [0, 0])
        for number, step in newest.items():
            plan = self._plans[number]
            facts: list[tuple[str, bool]] = []
            if step.status not in ("registered", "rejected", "void"):
                facts.append(("online", plan.channel == "online"))
            if step.status in FINISHED:
                facts.append(("on_time", _finished_us(plan) <= plan.due_us))
            for indicator, good in facts:
                for scope in (f"unit:{plan.unit}", f"unit:{PROVINCE}", f"field:{plan.field}"):
                    sums[scope, indicator][0] += good
                    sums[scope, indicator][1] += 1
        return {key: (good, counted) for key, (good, counted) in sums.items()}

    def _plan(self, number: int) -> _Plan:
        rng = self._rng
        (unit,) = rng.choices(self.units, self._weights)
        opened = _OPEN_FROM_S + rng.randrange(_OPEN_UNTIL_S - _OPEN_FROM_S)
        day = rng.randrange(_DAYS)
        submitted_us = int(_YEAR_BEGINS.timestamp() + day * 86_400 + opened) * _US_PER_S
        received_us = submitted_us + rng.randrange(60, 7200) * _US_PER_S
        allowed_days = rng.choice((1, 3, 5, 7, 10, 15, 20, 30))
        due_us = received_us + allowed_days * _DAY_US
        local = _YEAR_BEGINS + timedelta(days=day)
        return _Plan(
            subject=f"H19.{unit}-{local:%y%m%d}-{number:06d}",
            unit=unit,
            field=rng.choice(FIELDS),
            channel=rng.choices(("online", "counter", "post"), (70, 27, 3))[0],
            procedure=f"{rng.randrange(1, 3)}.{rng.randrange(1, 13_000):06d}",
            submitted_us=submitted_us,
            received_us=received_us,
            due_us=due_us,
            steps=tuple(self._course(number, submitted_us, received_us, due_us)),
        )

    def _course(self, number: int, submitted_us: int, received_us: int, due_us: int) -> Iterator[_Step]:
        rng = self._rng
        yield _Step(submitted_us, number, "registered", 0)
        fate = rng.random()
        if fate < 0.03:
            yield _Step(received_us, number, "rejected", 0)
            return
        yield _Step(received_us, number, "accepted", 0)
        # Nine of ten end before they are due.
        length_us = int(
            (due_us - received_us) * (rng.uniform(0.2, 0.98) if rng.random() < 0.9 else rng.uniform(1.01, 2))
        )
        length_us -= length_us % _US_PER_S
        rounds = rng.choices((0, 1, 2), (60, 30, 10))[0]
        stages = ["processing", *["supplement_asked", "processing"] * rounds]
        asked = 0
        for n, status in enumerate(stages):
            asked += status == "supplement_asked"
            yield _Step(
                received_us + length_us // _US_PER_S * (n + 1) // (len(stages) + 2) * _US_PER_S, number, status, asked
            )
        ended_us = received_us + length_us
        if fate < 0.04:
            yield _Step(ended_us, number, "withdrawn", asked)
        elif fate < 0.043:
            yield _Step(ended_us, number, "void", asked)
        else:
            yield _Step(ended_us, number, "completed", asked)
            yield _Step(ended_us + rng.randrange(600, 172_800) * _US_PER_S, number, "returned", asked)


class Recorded(Protocol):
    """What can be written to Kafka: so many records, each with its partition."""

    @property
    def count(self) -> int:
        """How many records there are."""

    @property
    def partitions(self) -> int:
        """Over how many partitions they are spread."""

    def records(self) -> Iterator[Record]:
        """Yield them in order."""


async def fill(bootstrap: str, load: Recorded, progress: Callable[[int], None], topic: str = DOSSIER.topic) -> None:
    """Write the load to Kafka in whole batches, as the project's client would group and compress them."""
    producer = AIOKafkaProducer(
        bootstrap_servers=bootstrap, compression_type="lz4", max_batch_size=BATCH_BYTES, acks="all"
    )
    await producer.start()
    try:
        building = [producer.create_batch() for _ in range(load.partitions)]
        waiting: list[asyncio.Future[Any]] = []

        async def send(partition: int) -> None:
            batch = building[partition]
            if batch.record_count():
                waiting.append(await producer.send_batch(batch, topic, partition=partition))
            building[partition] = producer.create_batch()

        for number, (partition, key, value) in enumerate(load.records()):
            if building[partition].append(key=key, value=value, timestamp=None) is None:
                await send(partition)
                building[partition].append(key=key, value=value, timestamp=None)
                progress(number)
                if len(waiting) > 64:
                    await asyncio.gather(*waiting)
                    waiting.clear()
        for partition in range(load.partitions):
            await send(partition)
        await asyncio.gather(*waiting)
        progress(load.count)
    finally:
        await producer.stop()


def _event(plan: _Plan, step: _Step) -> DossierEvent:
    finished = step.status in FINISHED
    return DossierEvent(
        specversion="1.0",
        source=f"onestop/H19.{plan.unit}",
        id=f"{step.dossier}-{step.at_us // _US_PER_S}",
        subject=plan.subject,
        time=_moment(step.at_us),
        version=step.at_us,
        data=Dossier(
            unit=plan.unit,
            channel=plan.channel,  # type: ignore[arg-type]  # one of the literals, chosen above
            status=step.status,  # type: ignore[arg-type]
            received_at=None if step.status in ("registered", "rejected") else _moment(plan.received_us),
            procedure=plan.procedure,
            field=plan.field,
            submitted_at=_moment(plan.submitted_us),
            due_at=_moment(plan.due_us),
            finished_at=_moment(_finished_us(plan)) if finished else None,
            returned_at=_moment(step.at_us) if step.status == "returned" else None,
            supplements=step.supplements or None,
        ),
    )


def _finished_us(plan: _Plan) -> int:
    return plan.steps[-2].at_us


def _moment(us: int) -> datetime:
    return _BASE + timedelta(microseconds=us)


_BASE = datetime(1970, 1, 1, tzinfo=_ZONE) + _ZONE.utcoffset(None)
