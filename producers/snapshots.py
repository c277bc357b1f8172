"""From a snapshot to an event: the envelope that a system of its own need not think about."""

from collections import OrderedDict
from datetime import datetime

from contract.kind import Event
from contract.marks import Snapshot, epoch_us
from contract.registry import KINDS
from producers.errors import InvalidEventError

__all__ = ["Source"]

REMEMBERED = 100_000
"""So many subjects' last versions are remembered; a change that shares an instant with an older one is rare."""

_EVENT_OF: dict[type[Snapshot], type[Event]] = {k.snapshot: k.event for k in KINDS}


class Source:
    """Makes the events of one sending system, called ``name`` in them, such as ``onestop/H19.12``.

    An event's version is the time of its change in microseconds since 1970. Of several changes of one entity in
    one instant, each later one is one more: so they keep their order. Not safe to share between threads.
    """

    def __init__(self, name: str, *, remembered: int = REMEMBERED) -> None:
        self.name = name
        self._remembered = remembered
        self._last: OrderedDict[tuple[type, str], tuple[int, int]] = OrderedDict()

    def event(
        self,
        subject: str,
        snapshot: Snapshot,
        *,
        time: datetime,
        version: int | None = None,
        id: str | None = None,  # noqa: A002 - the name that CloudEvents gives it
    ) -> Event:
        """Return the event of a snapshot of any kind, as it is after a change at ``time``.

        ``version`` and ``id`` follow from ``time`` and ``subject`` unless given. Raises InvalidEventError for a
        time without an offset or a snapshot of no known kind; everything else is checked when it is sent.
        """
        kind = _EVENT_OF.get(type(snapshot))
        if kind is None:
            known = ", ".join(found.__name__ for found in _EVENT_OF)
            raise InvalidEventError(
                f"{type(snapshot).__name__} is no snapshot; known: {known}", reason="invalid", path="$.data"
            )
        if getattr(time, "tzinfo", None) is None:
            raise InvalidEventError(
                f"time {time!r} of {subject!r} has no offset: use datetime.now(UTC) or an aware time",
                reason="invalid",
                path="$.time",
            )
        number = self._version(type(snapshot), subject, epoch_us(time)) if version is None else version
        return kind(
            specversion="1.0",
            source=self.name,
            id=f"{subject}/{number}" if id is None else id,
            subject=subject,
            time=time,
            version=number,
            data=snapshot,
        )

    def _version(self, kind: type, subject: str, at_us: int) -> int:
        """Return the instant, or the next number when an older change had it; an older change keeps its own."""
        first, last = self._last.pop((kind, subject), (at_us, at_us - 1))
        if at_us < first:
            self._last[kind, subject] = first, last
            return at_us
        version = max(at_us, last + 1)
        self._last[kind, subject] = (first if at_us <= last else at_us), version
        if len(self._last) > self._remembered:
            self._last.popitem(last=False)
        return version
