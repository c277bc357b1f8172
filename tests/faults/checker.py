"""The checker: accepted events against snapshots, marks, figures, dead letters and alerts. Pure, over values.

Each function returns what is wrong, in sentences; nothing wrong is an empty list. In the manner of Jepsen: an
outcome that nobody knows is settled by what is stored, and from there on everything must agree with it.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping
from typing import NamedTuple

from tests.faults.tally import Figures
from tests.faults.truth import Claim, Key, Mark, Said

__all__ = ["Call", "Letter", "Place", "Row", "check_alerts", "check_entities", "check_figures", "check_letters"]

Place = tuple[str, int, int]
"""Topic, partition, offset."""


class Row(NamedTuple):
    """One entity as the store has it."""

    version: int
    unit: str
    field: str | None
    marks: tuple[Mark, ...]


class Letter(NamedTuple):
    """One refused record."""

    place: Place
    reason: str


class Call(NamedTuple):
    """One message as the web hook received it; ``state`` is ``fired`` or ``recovered``."""

    id: str
    unit: str
    state: str


def check_entities(
    claims: Mapping[Key, Claim], stored: Mapping[Key, Row], in_kafka: Mapping[Key, int]
) -> tuple[list[str], dict[Key, Said]]:
    """Compare every entity; return what is wrong, and the snapshot on which each has settled.

    ``in_kafka``: the newest version that Kafka holds of an entity, of the records of this seed.
    """
    faults: list[str] = []
    settled: dict[Key, Said] = {}
    for key, claim in claims.items():
        row, kafka = stored.get(key), in_kafka.get(key, -1)
        accepted = -1 if claim.accepted is None else claim.accepted.version
        if row is None:
            if accepted >= 0 or kafka >= 0:
                faults.append(f"lost: {_named(key)}, accepted {accepted}, in Kafka {kafka}, not stored")
            continue
        said = claim.possible.get(row.version)
        if row.version < max(accepted, kafka):
            faults.append(f"lost: {_named(key)} stands at {row.version}, accepted {accepted}, in Kafka {kafka}")
        elif said is None:
            faults.append(f"invented: {_named(key)} stands at {row.version}, which nobody said")
        else:
            if (row.unit, row.field, sorted(row.marks)) != (said.unit, said.field, sorted(said.marks)):
                faults.append(f"marks: {_named(key)} has {row}, said was {said}")
            settled[key] = said
    faults += [f"invented: {_named(key)} is stored, nobody spoke of it" for key in stored.keys() - claims.keys()]
    return faults, settled


def check_figures(truth: Figures, shown: Figures, what: str) -> list[str]:
    """Compare figures, scope by scope; ``what`` names where they are shown."""
    faults = []
    for key in sorted(truth.keys() | shown.keys()):
        right, found = truth.get(key, (0, 0)), shown.get(key, (0, 0))
        if right != found:
            word = "counted twice" if found[1] > right[1] else "not counted" if found[1] < right[1] else "wrong"
            faults.append(
                f"{word}: {what} of {' '.join(key)} say {found[0]}/{found[1]}, true is {right[0]}/{right[1]}"
            )
    return faults


def check_letters(accepted: Mapping[str, str], in_kafka: Mapping[Place, str], letters: Iterable[Letter]) -> list[str]:
    """Compare dead letters with the poison that was sent.

    ``accepted``: name of each poison record that Kafka has acknowledged and the reason it must be refused with;
    ``in_kafka``: place of each poison record in Kafka and its name.
    """
    found = {letter.place: letter.reason for letter in letters}
    faults = [
        f"lost: poison {name} was acknowledged, Kafka has it not" for name in accepted.keys() - in_kafka.values()
    ]
    for place, name in in_kafka.items():
        wanted = name.rsplit("-", 1)[-1]
        if place not in found:
            faults.append(f"poison {name} at {place} is no dead letter")
        elif found[place] != wanted:
            faults.append(f"poison {name} at {place} was refused as {found[place]}, not {wanted}")
    faults += [f"a good record at {place} was refused as {found[place]}" for place in found.keys() - in_kafka.keys()]
    return faults


def check_alerts(expected: Mapping[str, tuple[str, ...]], calls: Iterable[Call]) -> list[str]:
    """Compare messages with the changes of state that there were, by unit.

    A message may come twice with one id, when who sent it died before it was noted. Two ids for one change are
    two messages, and none is a lost alert.
    """
    ids: defaultdict[tuple[str, str], set[str]] = defaultdict(set)
    for call in calls:
        ids[call.unit, call.state].add(call.id)
    faults = []
    for unit, states in expected.items():
        faults += [f"alert lost: {unit} {state}, nobody was told" for state in states if not ids[unit, state]]
    for (unit, state), known in ids.items():
        wanted = expected.get(unit, ()).count(state)
        if len(known) > wanted:
            faults.append(f"alert told twice: {unit} {state} has {len(known)} ids, there was {wanted} such change")
    return faults


def _named(key: Key) -> str:
    return f"{key[0]} {key[1]}"
