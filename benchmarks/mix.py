"""The everyday mix over what is stored: most events change open dossiers, some are new, few touch old closed ones."""

import time
from collections import Counter
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, timedelta
from random import Random
from typing import Any

import msgspec

from benchmarks.load import FIELDS, Record
from benchmarks.stored import Figure, truth_of
from contract.dossier import Dossier, DossierEvent
from contract.partition import partition_of
from sinks.client import Client

__all__ = ["Mix", "Round"]

OPEN_SHARE, NEW_SHARE = 0.8, 0.15
"""The rest are old closed ones."""
EVENTS_PER_OPEN = 5
"""On average; in a larger store as in a small one, so that flushes hold as many different dossiers."""
CLOSING_SHARE = 0.2
"""Of the events of open dossiers; the others change no mark."""
DAYS_ALLOWED = 10

# By their hash: spread over the whole store, whatever the order of its rows.
POOL = """
    SELECT id, toString(unit), channel, received_at, toString(field), procedure, due_at, finished_at
    FROM dossiers WHERE status = {status:String} ORDER BY cityHash64(id) LIMIT {most:UInt64}"""


class Round:
    """Events to be sent at one go."""

    def __init__(self, records: list[Record], partitions: int) -> None:
        self.partitions = partitions
        self._records = records

    @property
    def count(self) -> int:
        """How many events there are."""
        return len(self._records)

    def records(self) -> Iterator[Record]:
        """Yield them in the order of sending."""
        yield from self._records


class Mix:
    """``rounds`` of ``count`` events over the dossiers of one store, and the figures that must come out.

    No dossier that was open or closed at the beginning has events in two rounds: what a round needs was not touched
    before. Raises RuntimeError when too few are stored.
    """

    def __init__(
        self, client: Client, units: Sequence[str], partitions: int, rounds: int, count: int, seed: int = 2026
    ) -> None:
        self.truth: Counter[tuple[Figure, int]] = Counter()
        for figure, sides in truth_of(client).items():
            self.truth.update({(figure, side): value for side, value in enumerate(sides)})
        self._units, self._partitions, self._count = units, partitions, count
        self._rng = Random(seed)
        self._encode = msgspec.json.Encoder().encode
        self._new = 0
        opened, closed = int(count * OPEN_SHARE), count - int(count * (OPEN_SHARE + NEW_SHARE))
        self._open_each, self._closed_each = opened // EVENTS_PER_OPEN, closed
        self._open = self._pool(client, "processing", rounds * self._open_each)
        self._closed = self._pool(client, "completed", rounds * self._closed_each)

    def figures(self) -> dict[Figure, tuple[int, int]]:
        """Return what must be published now for every unit."""
        return {figure: (self.truth[figure, 0], self.truth[figure, 1]) for figure, _ in list(self.truth)}

    def round(self) -> Round:
        """Make the next events; their time is now."""
        active = [self._open.pop() for _ in range(self._open_each)]
        closed = [self._closed.pop() for _ in range(self._closed_each)]
        rng, now = self._rng, datetime.now(UTC)
        kinds = rng.choices((0, 1), (OPEN_SHARE, NEW_SHARE), k=self._count - len(closed)) + [2] * len(closed)
        rng.shuffle(kinds)
        version, records = time.time_ns() // 1000, []
        for n, kind in enumerate(kinds):
            if kind == 0 and active:
                subject, data = self._changed(active, now)
            elif kind == 2:
                subject, old = closed.pop()
                data = msgspec.structs.replace(old, status="returned", returned_at=now)
            else:
                subject, data = self._begun(now)
            key = subject.encode()
            event = DossierEvent(
                specversion="1.0",
                source=f"onestop/H19.{data.unit}",
                id=f"{subject}/{version + n}",
                subject=subject,
                time=now,
                version=version + n,
                data=data,
            )
            records.append(Record(partition_of(key, self._partitions), key, self._encode(event)))
        return Round(records, self._partitions)

    def _pool(self, client: Client, status: str, most: int) -> list[tuple[str, Dossier]]:
        rows = client.rows(POOL, {"status": status, "most": most})
        if len(rows) < most:
            raise RuntimeError(
                f"{len(rows)} dossiers are {status}, {most} are needed: store more, or send fewer events"
            )
        return [(row[0], _dossier(status, *row[1:])) for row in rows]

    def _changed(self, active: list[tuple[str, Dossier]], now: datetime) -> tuple[str, Dossier]:
        place = self._rng.randrange(len(active))
        subject, data = active[place]
        if self._rng.random() >= CLOSING_SHARE:
            asked = (data.supplements or 0) + 1
            active[place] = subject, msgspec.structs.replace(data, status="supplement_asked", supplements=asked)
            return active[place]
        active[place] = active[-1]
        active.pop()
        done = msgspec.structs.replace(data, status="completed", finished_at=now)
        self._count_one((f"unit:{data.unit}", "on_time", "all"), good=data.due_at is not None and now <= data.due_at)
        return subject, done

    def _begun(self, now: datetime) -> tuple[str, Dossier]:
        rng = self._rng
        self._new += 1
        unit = rng.choice(self._units)
        channel = "online" if rng.random() < 0.7 else "counter"
        data = _dossier(
            "accepted", unit, channel, now, rng.choice(FIELDS), "1.000100", now + timedelta(DAYS_ALLOWED), None
        )
        self._count_one((f"unit:{unit}", "online", "all"), good=channel == "online")
        return f"H19.{unit}-{now:%y%m%d}-9{self._new:08d}", data

    def _count_one(self, figure: Figure, *, good: bool) -> None:
        self.truth[figure, 0] += good
        self.truth[figure, 1] += 1


def _dossier(
    status: Any,
    unit: str,
    channel: Any,
    received_at: datetime,
    field: str,
    procedure: str,
    due_at: datetime,
    finished_at: datetime | None,
) -> Dossier:
    return Dossier(
        unit=unit,
        channel=channel,
        status=status,
        received_at=received_at,
        field=field,
        procedure=procedure,
        submitted_at=received_at,
        due_at=due_at,
        finished_at=finished_at,
    )
