"""Replay: a file's history, sent again in the order in which it happened."""

from collections.abc import Callable, Collection, Iterator, Sequence
from datetime import datetime, timedelta
from pathlib import Path
from typing import Protocol

import msgspec

from contract.kind import Event
from contract.registry import KINDS
from producers.files import NumberedRow, ReplayError, read_rows
from producers.layouts import Outcome, events_of
from producers.mapping_tables import Mapping
from producers.plan import Plan
from producers.refusal import Refusal

__all__ = [
    "Bulk",
    "Outcome",
    "Refusal",
    "ReplayError",
    "Target",
    "read_events",
    "read_rows",
    "replay",
    "shift_to",
    "shifted",
]

PROGRESS_EVERY = 1000
"""At full speed progress is reported after so many events, and at the end."""

TOGETHER = 100
"""So many events are handed over at once at full speed: a tenth quicker, the driver's thread interrupts less."""

_TIMES = {k.event: k.times() for k in KINDS}
_MICROSECOND = timedelta(microseconds=1)


class Bulk(Protocol):
    """What replay sends to: a Producer, or a list in a test."""

    def send(self, *events: Event) -> None:
        """Take events; they may be stored later."""

    def flush(self) -> None:
        """Return when every event is stored."""


class Target(Protocol):
    """What single events are sent to: a Producer, or a list in a test."""

    def send(self, event: Event, /) -> None:
        """Take one event; it may be stored later."""

    def flush(self) -> None:
        """Return when every event is stored."""


def read_events(path: str | Path, mapping: Mapping) -> Outcome:
    """Read a whole file into events, in order, with the rows that were refused.

    The file is held in memory and sorted: about 1 KB an event. Raises ReplayError, also for a column that
    the mapping names and the file does not have.
    """
    path = Path(path)
    malformed: list[Refusal] = []
    outcome = events_of(Plan(mapping), _checked(path, mapping, malformed))
    return Outcome(outcome.events, sorted(malformed + outcome.refusals, key=lambda r: r.row))


def _checked(path: Path, mapping: Mapping, malformed: list[Refusal]) -> Iterator[NumberedRow]:
    """Pass rows on. A CSV's columns are checked first, those of JSON last: a row may leave out nulls."""
    wanted = mapping.columns()

    def check(present: Collection[str]) -> None:
        missing = [column for column in wanted if column not in present]
        if missing:
            raise ReplayError(
                f"{path}: has no column {', '.join(map(repr, missing))} that the mapping {mapping.name} names; "
                f"it has {', '.join(map(repr, present))}: correct the mapping or choose another"
            )

    present: dict[str, None] = {}
    for row in read_rows(path, on_header=check, encoding=mapping.encoding, delimiter=mapping.delimiter):
        if isinstance(row, Refusal):
            malformed.append(row)
            continue
        if row[1].keys() - present.keys():
            present.update(dict.fromkeys(row[1]))
        yield row
    if present:
        check(present)


def shift_to(events: Sequence[Event], now: datetime) -> timedelta:
    """Return the shift that makes the newest of ``events`` happen at ``now``; zero for none."""
    return now - max(e.time for e in events) if events else timedelta(0)


def shifted(event: Event, shift: timedelta) -> Event:
    """Return the event with all its times, its version and its id moved by ``shift``."""
    version = event.version + shift // _MICROSECOND
    times = {name: getattr(event.data, name) for name in _TIMES[type(event)]}
    moved = {name: moment + shift for name, moment in times.items() if moment is not None}
    return msgspec.structs.replace(
        event,
        id=f"{event.subject}/{version}",
        time=event.time + shift,
        version=version,
        data=msgspec.structs.replace(event.data, **moved),
    )


def replay(
    events: Sequence[Event],
    producer: Bulk,
    *,
    clock: Callable[[], float],
    sleep: Callable[[float], None],
    speed: float | None = None,
    shift: timedelta | None = None,
    on_progress: Callable[[int, int], None] | None = None,
) -> int:
    """Send events by time, subject and version; return how many, once all are stored.

    ``speed``: None sends as fast as Kafka takes them; 1.0 keeps the pace of the source, 3600 plays an hour
    each second. ``clock`` gives seconds that only grow, ``sleep`` waits seconds; both are used with a speed
    only. ``on_progress`` gets (sent, total). Raises ValueError for a speed of zero or less, and what
    ``producer`` raises.
    """
    if speed is not None and speed <= 0:
        raise ValueError(f"speed {speed} is not above zero: 1 keeps the pace of the source, none is fastest")
    ordered = sorted(events, key=lambda e: (e.time, e.subject, e.version))
    total = len(ordered)
    began = clock() if speed is not None else 0.0
    step = 1 if speed is not None else TOGETHER
    for first in range(0, total, step):
        together = ordered[first : first + step]
        if speed is not None:
            due = (together[0].time - ordered[0].time).total_seconds() / speed
            wait = began + due - clock()
            if wait > 0:
                sleep(wait)
        producer.send(*(together if shift is None else [shifted(event, shift) for event in together]))
        sent = first + len(together)
        if on_progress is not None and (speed is not None or sent % PROGRESS_EVERY == 0 or sent == total):
            on_progress(sent, total)
    producer.flush()
    return total
