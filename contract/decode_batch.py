"""Many records of one kind decoded together: the same answers as one by one, at about two thirds of the time."""

from collections.abc import Callable, Sequence
from datetime import datetime
from functools import cache
from itertools import chain, repeat
from operator import attrgetter
from typing import Any, cast

import msgspec

from contract.decode import EventError, Horizon, decode, decode_any, encoded
from contract.fields import EARLIEST_YEAR, LATEST_YEAR, MAX_EVENT_BYTES
from contract.kind import Event, Kind
from contract.marks import EPOCH
from contract.personal import find_personal, surely_codes
from contract.registry import KINDS

__all__ = ["CHUNK", "checked_batch", "decode_any_batch", "decode_batch"]

CHUNK = 128
"""So many records are tried together; where one of them is out of the ordinary, these are read one by one. With
more of them, their events leave the processor's cache before the next pass: a quarter slower at 2,000."""

KNOWN = 100_000
"""So many texts are remembered as codes; a province has some thousands of units and procedures."""

# A day inside the years of contract.fields, whatever the offset: what lies outside is judged one by one.
_SURELY_LATE_ENOUGH = datetime(EARLIEST_YEAR, 1, 2, tzinfo=EPOCH.tzinfo)
_SURELY_EARLY_ENOUGH = datetime(LATEST_YEAR, 12, 30, tzinfo=EPOCH.tzinfo)

# No JSON text can hold this across two records: a line feed inside a string is refused by the decoder, and no
# field of a snapshot is a list.
_BETWEEN = b"],\n["


class _Joint:
    """What decoding one kind's records together needs, looked up once."""

    def __init__(self, kind: Kind) -> None:
        self.decode: Callable[[bytes], list[tuple[Any]]] = msgspec.json.Decoder(list[tuple[kind.event]]).decode  # type: ignore[name-defined]
        self.head = b'{"type":"' + kind.type.encode() + b'"'
        self.needs = kind.needs
        self.facts = _columns(kind.facts)
        self.times = _columns(kind.times())
        self._texts = [attrgetter(name) for name in kind.texts()]
        self._known: set[str | None] = {None}

    def impersonal(self, events: Sequence[Any]) -> bool:
        """Whether no free text of these events looks personal.

        Sources, units and procedures repeat: those that were looked at are remembered.
        """
        data = [event.data for event in events]
        known = self._known
        fresh: set[str | None] = set()
        for texts in ([event.source for event in events], *(list(map(text, data)) for text in self._texts)):
            if not known.issuperset(texts):
                fresh.update(texts)
        fresh -= known
        looked_at = [event.id for event in events]
        looked_at += [event.subject for event in events]
        looked_at += fresh
        if not surely_codes("\n".join(looked_at)) and any(map(find_personal, looked_at)):
            return False
        # Both are single steps of the interpreter: batches may be decoded in several threads.
        if len(self._known) < KNOWN:
            self._known.update(fresh)
        else:
            self._known = {None}
        return True


def _columns(names: Sequence[str]) -> Callable[[Any], tuple[Any, ...]]:
    if len(names) > 1:
        return attrgetter(*names)
    return lambda data: tuple(getattr(data, name) for name in names)


_joint = cache(_Joint)

for _kind in KINDS:  # when this is imported, for the reason that contract.decode gives
    _joint(_kind)


def decode_batch(kind: Kind, values: Sequence[bytes | None], horizon: Horizon) -> list[Event | EventError]:
    """Return for each record's value what ``contract.decode.decode`` returns or raises for it."""
    joint = _joint(kind)
    found: list[Event | EventError] = []
    for start in range(0, len(values), CHUNK):
        chunk = values[start : start + CHUNK]
        found += _together(joint, chunk, horizon) or [_alone(kind, value, horizon) for value in chunk]
    return found


def decode_any_batch(values: Sequence[bytes], horizon: Horizon) -> list[tuple[Kind, Event] | EventError]:
    """Return for each record's value what ``contract.decode.decode_any`` returns or raises for it.

    Together are read those that begin with their type, as every event does that this package writes.
    """
    found: dict[int, tuple[Kind, Event]] = {}
    left: Sequence[int] = range(len(values))
    for kind in KINDS:
        head = _joint(kind).head
        places = [n for n in left if values[n].startswith(head)]
        if not places:
            continue
        left = [n for n in left if not values[n].startswith(head)]
        for n, event in zip(places, decode_batch(kind, [values[n] for n in places], horizon), strict=True):
            if not isinstance(event, EventError):
                found[n] = (kind, event)
        if not left:
            break
    return [found[n] if n in found else _any_alone(value, horizon) for n, value in enumerate(values)]


def checked_batch(events: Sequence[Event], horizon: Horizon) -> list[tuple[Kind, Event, bytes]]:
    """Return for each event what ``contract.decode.checked`` does. Raises EventError when any is wrong."""
    values = [encoded(event)[1] for event in events]
    done: list[tuple[Kind, Event, bytes]] = []
    for value, found in zip(values, decode_any_batch(values, horizon), strict=True):
        if isinstance(found, EventError):
            raise found
        done.append((*found, value))
    return done


def _any_alone(value: bytes, horizon: Horizon) -> tuple[Kind, Event] | EventError:
    try:
        return decode_any(value, horizon)
    except EventError as error:
        return error


def _alone(kind: Kind, value: bytes | None, horizon: Horizon) -> Event | EventError:
    try:
        return decode(kind, value, horizon)
    except EventError as error:
        return error


def _together(joint: _Joint, values: Sequence[bytes | None], horizon: Horizon) -> list[Any] | None:
    """Return the events if all are ordinary ones; None: look at each."""
    if None in values:
        return None
    present = cast(Sequence[bytes], values)
    if not all(map(bytes.startswith, present, repeat(joint.head))) or max(map(len, present)) > MAX_EVENT_BYTES:
        return None
    text = b"[[" + _BETWEEN.join(present) + b"]]"
    # Text outside ASCII may have to be normalised. Looking for one byte takes a twentieth of looking for two.
    if not text.isascii() or b"\\" in text:
        return None
    try:
        events = list(chain.from_iterable(joint.decode(text)))
    except msgspec.DecodeError:
        return None
    if len(events) != len(values) or not _timely(joint, events, horizon) or not joint.impersonal(events):
        return None
    return events


def _timely(joint: _Joint, events: Sequence[Any], horizon: Horizon) -> bool:
    """Whether all statuses have what they need, and all times lie well within their bounds."""
    data = [event.data for event in events]
    if max([event.version for event in events]) > horizon.limit_us:
        return False
    needs = joint.needs
    # What passes is not handed to any(): that is half the cost of asking.
    if any(True for d in data if d.status in needs and getattr(d, needs[d.status]) is None):
        return False
    times: list[datetime] = [event.time for event in events]
    times += filter(None, chain.from_iterable(map(joint.times, data)))
    if min(times) < _SURELY_LATE_ENOUGH:
        return False
    newest = max(times)
    if newest <= horizon.limit:
        return True
    # In everyday life plans lie beyond the horizon, as due dates do: facts may not.
    facts: list[datetime] = [event.time for event in events]
    facts += filter(None, chain.from_iterable(map(joint.facts, data)))
    return newest <= _SURELY_EARLY_ENOUGH and max(facts) <= horizon.limit
