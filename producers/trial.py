"""What a mapping makes of a file, before anything is sent: its events, and what would be refused and why."""

import re
from collections.abc import Iterable
from typing import NamedTuple

import msgspec

from contract.decode import EventError, Horizon, checked
from contract.kind import Event
from producers.layouts import Outcome

__all__ = ["RefusalGroup", "Trial", "try_out"]

_VARYING = re.compile(r"'[^']*'|\"[^\"]*\"|\b\d+\b")
_LONGEST = 140


class RefusalGroup(msgspec.Struct, frozen=True):
    """Rows refused for one reason: how many, and the first of them."""

    column: str | None
    reason: str
    count: int
    first: str


class Trial(NamedTuple):
    """``events`` are those that the stream would take, in order; ``groups`` the rest, the most frequent first."""

    events: list[Event]
    groups: list[RefusalGroup]

    @property
    def refused(self) -> int:
        """How many rows and events are refused."""
        return sum(group.count for group in self.groups)


def try_out(outcome: Outcome, horizon: Horizon) -> Trial:
    """Check what a mapping made by the rules of the stream, and group what is refused by column and reason."""
    events: list[Event] = []
    refused = [(r.column, r.reason, str(r)) for r in outcome.refusals]
    for event in outcome.events:
        try:
            events.append(checked(event, horizon)[1])
        except EventError as error:
            refused.append((error.path, str(error), f"{event.subject} at {event.time.isoformat()}: {error}"))
    return Trial(events, _grouped(refused))


def _grouped(refused: Iterable[tuple[str | None, str, str]]) -> list[RefusalGroup]:
    counts: dict[tuple[str | None, str], tuple[int, str]] = {}
    for column, reason, text in refused:
        # One word that is in no map and another are one fault: what varies is left out.
        key = (column, _VARYING.sub("…", reason)[:_LONGEST])
        count, first = counts.get(key, (0, text))
        counts[key] = (count + 1, first)
    groups = [RefusalGroup(column, reason, *found) for (column, reason), found in counts.items()]
    return sorted(groups, key=lambda group: -group.count)
