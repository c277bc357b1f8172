"""A file that is sent again under a changed mapping: noticed by what is stored, and sent so that it replaces that.

Two snapshots of one version are a fault of their source, and by chance one of them counts. A second replay under
another mapping would make such a pair of every entity that it tells otherwise.
"""

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Protocol

import msgspec

from contract.decode import encoded
from contract.kind import Event, Kind
from contract.registry import KIND_OF_EVENT
from streams.intake import content_hash
from streams.rows import Stored

__all__ = ["ContradictedError", "Rows", "contradicted", "ensure_agreed", "outranking"]

PAGE = 10_000
"""Entities that are looked up at once."""
REVISIONS_US = 1_000
"""So much younger than the file's, a stored snapshot is taken for the file's own, sent under another mapping. Each
such sending adds a microsecond; changes of one entity in its source are further apart."""


class ContradictedError(Exception):
    """What is stored of a file's entities is not what its events say; says how many, and what to do."""


class Rows(Protocol):
    """What is read of the store."""

    def look_up(self, kind: Kind, ids: Sequence[str]) -> dict[str, Stored]:
        """Newest stored row of each id that has one."""
        ...


def contradicted(rows: Rows, events: Sequence[Event], show: Callable[[int, int], None]) -> dict[str, int]:
    """Return the entities of which the file's newest snapshot is stored with another content: subject → its version.

    An entity that is not stored, or has changed since, contradicts nothing. ``show`` gets (entities compared, all).
    """
    newest = _newest(events)
    ids: dict[Kind, list[str]] = defaultdict(list)
    for subject, event in newest.items():
        ids[KIND_OF_EVENT[type(event)]].append(subject)
    found: dict[str, int] = {}
    done = 0
    for kind, subjects in ids.items():
        for begin in range(0, len(subjects), PAGE):
            page = subjects[begin : begin + PAGE]
            for subject, stored in rows.look_up(kind, page).items():
                event = newest[subject]
                if 0 <= stored.version - event.version <= REVISIONS_US:
                    _, told = encoded(_at(event, stored.version))
                    if content_hash(told) != stored.content:
                        found[subject] = stored.version
            done += len(page)
            show(done, len(newest))
    return found


def ensure_agreed(found: Mapping[str, int], events: Sequence[Event], file: str) -> None:
    """Raise ContradictedError when something was found."""
    if found:
        entities = len({event.subject for event in events})
        raise ContradictedError(
            f"{file}: {len(found)} of its {entities} entities are stored with the same version and another content, "
            f"such as {min(found)}: mapping or file have changed since it was sent, and figures of both would be "
            "mixed. Nothing was sent. Say --remapped to replace what is stored"
        )


def outranking(events: Sequence[Event], found: Mapping[str, int]) -> list[Event]:
    """Return the events, the newest of each contradicted entity with a version above the stored one."""
    newest = _newest(event for event in events if event.subject in found)
    last = {id(event) for event in newest.values()}
    return [_at(event, found[event.subject] + 1) if id(event) in last else event for event in events]


def _newest(events: Iterable[Event]) -> dict[str, Event]:
    newest: dict[str, Event] = {}
    for event in events:
        if event.subject not in newest or event.version >= newest[event.subject].version:
            newest[event.subject] = event
    return newest


def _at(event: Event, version: int) -> Event:
    """Return the event as a replay makes it with that version."""
    return msgspec.structs.replace(event, version=version, id=f"{event.subject}/{version}")
