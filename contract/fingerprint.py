"""A fingerprint of what the indicators count, taken from their answers and not from their text.

Every mark function answers a fixed grid of snapshots; the digest of the answers changes when, and only when,
something would be counted otherwise. Rows carry its number, so that old marks are never mixed with new code.
Each kind has a digest of its own: a new kind changes none of the others.
"""

import hashlib
import itertools
from collections.abc import Iterable, Iterator, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

import msgspec

from contract.indicators import Indicator
from contract.kind import Kind

__all__ = ["digest", "digests", "fingerprint", "grid", "joined"]

_START = datetime(2026, 1, 31, 16, 59, 59, 999_999, tzinfo=UTC)  # one microsecond before a local month ends
_MOMENTS = (None, _START, _START + timedelta(microseconds=1), _START + timedelta(days=1))
_TIMES_VARIED = 3
_NUMBERS = (0, 1)


def fingerprint(kinds: Iterable[Kind]) -> str:
    """Return the digests of the kinds in one line: ``dossier:… payment:…``; :func:`digests` reads it."""
    return joined({kind.key: digest([kind]) for kind in kinds})


def joined(found: Mapping[str, str]) -> str:
    """Write digests by kind's key as one line."""
    return " ".join(f"{key}:{value}" for key, value in found.items())


def digests(text: str) -> dict[str, str]:
    """Read a fingerprint: kind's key → its digest. Empty for the single digest that older versions wrote."""
    pairs = (part.partition(":") for part in text.split())
    return {key: found for key, colon, found in pairs if colon}


def digest(kinds: Iterable[Kind]) -> str:
    """Hex digest (32 characters) of all answers of all mark functions of these kinds on the grid."""
    made = hashlib.blake2b(digest_size=16)
    for kind in kinds:
        for indicator in kind.indicators:
            made.update(f"{kind.key}/{indicator.key}/{indicator.marks}/{indicator.reading.value}".encode())
            for answer in _answers(kind, indicator):
                made.update(answer)
    return made.hexdigest()


def _answers(kind: Kind, indicator: Indicator) -> Iterator[bytes]:
    if indicator.mark is None:
        return
    for snapshot in grid(kind):
        mark = indicator.mark(snapshot)
        yield b"-" if mark is None else b"%d%d" % (mark.at_s, mark.good)


def grid(kind: Kind) -> Iterator[Any]:
    """Snapshots of a kind: every combination of what it needs and reads with a few times and amounts."""
    choices: dict[str, tuple[object, ...]] = {}
    varied = [name for name in kind.times() if name in kind.facts or name == "due_at"][-_TIMES_VARIED:]
    for field in msgspec.structs.fields(kind.snapshot):
        required = field.default is msgspec.NODEFAULT
        values = _values(msgspec.inspect.type_info(field.type))
        if field.name in kind.times():
            choices[field.name] = _moments(varied=field.name in varied, required=required)
        elif required or field.name in kind.reads:
            choices[field.name] = values if required else (None, *values)
    # The first fact (when it was received) varies too; the rest of the times would only multiply.
    first = kind.facts[0]
    choices[first] = _moments(varied=True, required=False)
    for combination in itertools.product(*choices.values()):
        yield kind.snapshot(**dict(zip(choices, combination, strict=True)))


def _moments(*, varied: bool, required: bool) -> tuple[datetime | None, ...]:
    if required:
        return _MOMENTS[1:2]
    return _MOMENTS if varied else _MOMENTS[:2]


def _values(found: msgspec.inspect.Type) -> tuple[object, ...]:
    if isinstance(found, msgspec.inspect.Metadata):
        return _values(found.type)
    if isinstance(found, msgspec.inspect.UnionType):
        return tuple(v for t in found.types for v in _values(t))
    if isinstance(found, msgspec.inspect.LiteralType):
        return tuple(found.values)
    if isinstance(found, msgspec.inspect.BoolType):
        return (False, True)
    return _NUMBERS if isinstance(found, msgspec.inspect.IntType) else ("x",)
