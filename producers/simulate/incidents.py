"""Incidents on demand: what goes wrong, whom it strikes, from when and for how long.

Written ``NAME[:WHOM]@START[/DURATION][*STRENGTH]``, for example ``behind:sim.commune-007@2h/3d``. WHOM is a unit or a
source, everybody if left out. START counts from the start of the run; durations are numbers with ``s``, ``m``,
``h`` or ``d``.
"""

import re
from collections.abc import Iterator
from datetime import timedelta
from typing import Any, Final, Literal, get_args

import msgspec

from contract.kind import Event
from contract.marks import epoch_us
from contract.registry import KINDS

__all__ = ["INCIDENTS", "Incident", "IncidentError", "delayed", "parse_incident", "told"]

Name = Literal["behind", "source-silent", "duplicate-storm", "clock-skew", "wrong-version"]

INCIDENTS: Final[dict[str, str]] = {
    "behind": "the unit handles nothing for the time, then catches up at twice its pace: dossiers become overdue",
    "source-silent": "nothing of the unit or source is sent; later snapshots bring the figures up to date",
    "duplicate-storm": "every event is sent STRENGTH times (5): the figures do not move",
    "clock-skew": "the source's clock is STRENGTH seconds ahead (3600): event, version and what happened just then",
    "wrong-version": "versions are milliseconds instead of microseconds: snapshots of known entities are ignored",
}
"""What each incident does; STRENGTH with its default."""

DEFAULT_DURATION_S: Final = 86_400
MOST_SKEW_S: Final = 86_000
"""A clock more than a day ahead is refused by the client before anything is sent."""
MOST_COPIES: Final = 1_000

_STRENGTH: Final = {"duplicate-storm": 5, "clock-skew": 3_600}
_SECONDS: Final = {"s": 1, "m": 60, "h": 3_600, "d": 86_400}
_FORM: Final = re.compile(r"([a-z-]+)(?::([^@]+))?@(\d+)([smhd])(?:/(\d+)([smhd]))?(?:\*(\d+))?")
_FACTS: Final = {kind.event: kind.facts for kind in KINDS}
_MS_PER_US: Final = 1_000


class IncidentError(ValueError):
    """An incident is not written as it should be. The text says what is wrong and what is possible."""


class Incident(msgspec.Struct, frozen=True, kw_only=True):
    """One incident. ``start_s`` counts from the start of the run until :meth:`beginning` makes it a moment."""

    name: Name
    whom: str | None
    start_s: int
    duration_s: int
    strength: int = 0

    def beginning(self, start_s: int) -> "Incident":
        """Return it with its start as seconds since 1970."""
        return msgspec.structs.replace(self, start_s=self.start_s + start_s)

    def strikes(self, event: Any, moment_s: int) -> bool:
        """Tell whether an event at a moment is concerned."""
        if not self.start_s <= moment_s < self.start_s + self.duration_s:
            return False
        return self.whom is None or self.whom in {event.data.unit, event.source}


def parse_incident(text: str) -> Incident:
    """Read one incident as it is written on the command line. Raises IncidentError."""
    found = _FORM.fullmatch(text)
    if found is None:
        raise IncidentError(
            f"{text!r} is not NAME[:WHOM]@START[/DURATION][*STRENGTH], e.g. behind:sim.commune-007@2h/3d"
        )
    said, whom, start, unit, duration, unit2, strength = found.groups()
    name: Name | None = next((known for known in get_args(Name) if known == said), None)
    if name is None:
        raise IncidentError(f"{text!r}: no incident is called {said!r}; known: {', '.join(INCIDENTS)}")
    if strength is not None and name not in _STRENGTH:
        raise IncidentError(f"{text!r}: {name} has no strength; only {' and '.join(_STRENGTH)} have")
    power = int(strength) if strength is not None else _STRENGTH.get(name, 0)
    most = {"duplicate-storm": MOST_COPIES, "clock-skew": MOST_SKEW_S}.get(name, 0)
    if power > most or (strength is not None and power < 1):
        raise IncidentError(f"{text!r}: the strength of {name} is from 1 to {most}")
    duration_s = int(duration) * _SECONDS[unit2] if duration else DEFAULT_DURATION_S
    return Incident(name=name, whom=whom, start_s=int(start) * _SECONDS[unit], duration_s=duration_s, strength=power)


def delayed(moment_s: int, unit: str, incidents: tuple[Incident, ...]) -> int:
    """Return when something that would be handled at a moment is handled by a unit that may be behind.

    Nothing happens for the duration D; the work of D and of the D after it is then done in D.
    """
    for incident in incidents:
        if incident.name != "behind" or incident.whom not in {None, unit}:
            continue
        into, length = moment_s - incident.start_s, incident.duration_s
        if 0 <= into < 2 * length:
            moment_s = incident.start_s + length + into // 2
    return moment_s


def told(event: Event, moment_s: int, incidents: tuple[Incident, ...]) -> Iterator[Event]:
    """Yield what is sent instead of an event at a moment: itself, nothing, copies, or a changed one."""
    copies = 1
    for incident in incidents:
        if not incident.strikes(event, moment_s):
            continue
        match incident.name:
            case "source-silent":
                return
            case "duplicate-storm":
                copies *= incident.strength
            case "clock-skew":
                event = _skewed(event, timedelta(seconds=incident.strength))
            case "wrong-version":
                version = event.version // _MS_PER_US
                event = msgspec.structs.replace(event, version=version, id=f"{event.subject}/{version}")
    for _ in range(copies):
        yield event


def _skewed(event: Event, ahead: timedelta) -> Event:
    """Return the event as a source writes it whose clock is ahead: what it noted earlier stays as it was."""
    just_now = {n: event.time + ahead for n in _FACTS[type(event)] if getattr(event.data, n) == event.time}
    time = event.time + ahead
    return msgspec.structs.replace(
        event,
        time=time,
        version=epoch_us(time),
        id=f"{event.subject}/{epoch_us(time)}",
        data=msgspec.structs.replace(event.data, **just_now),
    )
