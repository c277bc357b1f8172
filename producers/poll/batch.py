"""One batch of rows against what was sent: what is new, what is as before. Pure."""

from collections.abc import Iterable, Mapping
from typing import NamedTuple

import msgspec

from producers.poll.candidate import Candidate
from producers.poll.state import Known, Staged
from producers.poll.version import next_version

__all__ = ["Compared", "Newest", "compare", "staged"]

_encode = msgspec.json.Encoder().encode


class Newest(NamedTuple):
    """One candidate an entity, and how many others there were."""

    candidates: dict[str, Candidate]
    duplicates: int

    @classmethod
    def of(cls, candidates: Iterable[Candidate]) -> "Newest":
        """Keep of each entity the copy with the largest stated version, of equal ones the last."""
        found: dict[str, Candidate] = {}
        duplicates = 0
        for candidate in candidates:
            earlier = found.get(candidate.event.subject)
            duplicates += earlier is not None
            if earlier is None or not older(candidate.stated, earlier.stated):
                found[candidate.event.subject] = candidate
        return cls(found, duplicates)


class Compared(NamedTuple):
    """What a batch means: events to send, entities as before, copies that an earlier batch outdoes or repeats."""

    changed: list[Staged]
    unchanged: list[Candidate]
    duplicates: int


def older(stated: int | None, other: int | None) -> bool:
    """Whether a copy says itself that it is older than another."""
    return stated is not None and other is not None and stated < other


def compare(
    candidates: Mapping[str, Candidate],
    known: Mapping[str, Known],
    earlier: Mapping[str, int | None],
    number: int,
    began_us: int,
    *,
    first_pass: bool,
) -> Compared:
    """Compare one batch of round ``number`` with what was sent.

    ``earlier``: entities that this round has staged already, with their stated versions. An entity that
    an earlier batch has brought is replaced unless this copy says that it is older.
    """
    changed: list[Staged] = []
    unchanged: list[Candidate] = []
    duplicates = 0
    for subject, candidate in candidates.items():
        before = known.get(subject)
        again = subject in earlier or (before is not None and before.seen == number)
        duplicates += again
        if again and older(candidate.stated, earlier.get(subject, before.stated if before else None)):
            continue
        if before is not None and before.digest == candidate.digest:
            unchanged.append(candidate)
            continue
        last = None if before is None else before.version
        version = next_version(candidate.stated, last, began_us, first_pass=first_pass)
        changed.append(staged(candidate, version, number))
    return Compared(changed, unchanged, duplicates)


def staged(candidate: Candidate, version: int, seen: int) -> Staged:
    """Return the event of a candidate as the outbox keeps it."""
    event = candidate.versioned(version)
    return Staged(event.subject, candidate.digest, version, candidate.stated, seen, _encode(event))
