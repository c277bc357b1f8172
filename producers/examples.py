"""Made-up events that are valid: for a first try, for tests of a client, for the documentation.

Everything comes from the declaration of the kind, so a new kind has examples without a line of its own. Pure.
"""

import random
from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Any

import msgspec

from contract.days import HOUR_S
from contract.kind import Event, Kind
from contract.marks import epoch_us

__all__ = ["examples"]

STEP = timedelta(hours=5)
"""Between two facts of one example."""
PLAN = timedelta(days=3)
"""How far ahead of the newest fact a planned time lies."""
MOST = 5
"""Largest example of a count."""
AMOUNTS_VND = (15_000, 50_000, 100_000, 250_000)
UNITS = ("H19.01", "H19.02", "H19.05")
WORDS = {"field": ("land", "business", "civil_status"), "procedure": ("1.005129", "1.001612", "2.000815")}
SOURCE = "example/system"

_FIRST_S, _LAST_S = HOUR_S, 24 * HOUR_S


def examples(kind: Kind, count: int, chance: random.Random, now: datetime) -> Iterator[Event]:
    """Yield ``count`` events of a kind, each of another entity, none of them later than ``now``.

    A fact that only some statuses have (such as ``finished_at``) is there with these statuses alone.
    """
    for number in range(1, count + 1):
        time = now - timedelta(seconds=chance.randint(_FIRST_S, _LAST_S))
        version = epoch_us(time)
        subject = f"example-{kind.key}-{number:04d}"
        yield kind.event(
            specversion="1.0",
            source=SOURCE,
            id=f"{subject}/{version}",
            subject=subject,
            time=time,
            version=version,
            data=kind.snapshot(**_values(kind, number, chance, time)),
        )


def _values(kind: Kind, number: int, chance: random.Random, time: datetime) -> dict[str, Any]:
    fields = msgspec.structs.fields(kind.snapshot)
    types = {field.name: _bare(msgspec.inspect.type_info(field.type)) for field in fields}
    status = _value("status", types["status"], number, chance, time)
    facts = _facts(kind, status)
    moments = {name: time - STEP * (len(facts) - n - 1) for n, name in enumerate(facts)}
    values: dict[str, Any] = {}
    for field in fields:
        if field.name == "status":
            values[field.name] = status
        elif field.name in moments:
            values[field.name] = moments[field.name]
        elif field.name not in kind.facts:
            values[field.name] = _value(field.name, types[field.name], number, chance, time)
    return values


def _facts(kind: Kind, status: str) -> tuple[str, ...]:
    """Facts that an entity of this status has: those that a status needs, and those after them, come last."""
    late = set(kind.needs.values())
    needed = kind.needs.get(status)
    ordered = [name for name in kind.facts if name not in late]
    declared = kind.times()
    early = [n for n in ordered if not late or declared.index(n) < min(map(declared.index, late))]
    return (*early, needed) if needed else tuple(early)


def _bare(found: msgspec.inspect.Type) -> msgspec.inspect.Type:
    """Return the type behind limits and behind "or nothing"."""
    if isinstance(found, msgspec.inspect.Metadata):
        return _bare(found.type)
    if isinstance(found, msgspec.inspect.UnionType):
        return _bare(next(t for t in found.types if not isinstance(t, msgspec.inspect.NoneType)))
    return found


def _value(name: str, found: msgspec.inspect.Type, number: int, chance: random.Random, time: datetime) -> Any:
    match found:
        case msgspec.inspect.LiteralType():
            return chance.choice(found.values)
        case msgspec.inspect.BoolType():
            return chance.random() < 0.5  # noqa: PLR2004 - a coin
        case msgspec.inspect.DateTimeType():
            return time + PLAN
        case msgspec.inspect.IntType():
            return chance.choice(AMOUNTS_VND) if name.endswith("_vnd") else chance.randint(0, MOST)
    if name.endswith("unit"):
        return chance.choice(UNITS)
    return chance.choice(WORDS[name]) if name in WORDS else f"example-{name}-{number:04d}"
