"""The fingerprint changes when something would be counted otherwise, and only then."""

from typing import Any

import msgspec
import pytest

from contract.fingerprint import digest, digests, fingerprint, grid, joined
from contract.indicators import Indicator, Reading
from contract.kind import Kind
from contract.marks import Mark
from contract.registry import KINDS, kind

PLACES = [(k, i) for k in KINDS for i in k.marked]


def replaced(kind: Kind, indicator: Indicator, **changes: Any) -> tuple[Kind]:
    """The kind alone, with one indicator changed."""
    changed = msgspec.structs.replace(indicator, **changes)
    indicators = tuple(changed if i is indicator else i for i in kind.indicators)
    return (msgspec.structs.replace(kind, indicators=indicators),)


def test_it_is_a_short_constant_for_each_kind() -> None:
    """32 hexadecimal characters a kind, the same each time."""
    first, second = fingerprint(KINDS), fingerprint(KINDS)

    found = digests(first)

    assert first == second == joined(found)
    assert list(found) == [k.key for k in KINDS]
    assert all(len(value) == 32 and int(value, 16) >= 0 for value in found.values())
    assert digests("116ed51742fdf83e0ff9c8069d7a1efe") == {}


def test_a_kind_more_changes_none_of_the_others() -> None:
    """Without the last kind, the rest of the line is the same."""
    rv = fingerprint(KINDS[:-1])

    assert digests(fingerprint(KINDS)).items() >= digests(rv).items()


def test_the_single_digest_of_the_first_three_kinds_is_still_known() -> None:
    """What a database holds from the time of one digest for all: these three kinds count as they did then."""
    rv = digest([kind("dossier"), kind("payment"), kind("meeting")])

    assert rv == "116ed51742fdf83e0ff9c8069d7a1efe"


class Watched:
    """A snapshot that notes which of its fields are read."""

    def __init__(self, snapshot: Any, seen: set[str]) -> None:
        self._snapshot, self._seen = snapshot, seen

    def __getattr__(self, name: str) -> Any:
        self._seen.add(name)
        return getattr(self._snapshot, name)


@pytest.mark.parametrize("kind", KINDS, ids=lambda k: k.key)
def test_what_a_mark_function_reads_is_varied(kind: Kind) -> None:
    """An optional field that decides and is not declared in ``reads`` would change marks unseen."""
    seen: set[str] = set()
    snapshots = list(grid(kind))

    for indicator in kind.marked:
        assert indicator.mark is not None
        for snapshot in snapshots:
            indicator.mark(Watched(snapshot, seen))

    constant = {name for name in seen if len({getattr(s, name) for s in snapshots}) == 1}
    assert constant == set()


@pytest.mark.parametrize(("kind", "indicator"), PLACES, ids=lambda p: p.key)
@pytest.mark.parametrize("change", ["good", "second", "none"])
def test_it_changes_with_what_a_function_answers(kind: Kind, indicator: Indicator, change: str) -> None:
    """Another numerator, another moment or a missing mark is another fingerprint."""
    original = indicator.mark
    assert original is not None

    def other(snapshot: Any) -> Mark | None:
        mark = original(snapshot)
        if mark is None or change == "none":
            return None
        return Mark(mark.at_s, not mark.good) if change == "good" else Mark(mark.at_s + 1, mark.good)

    rv = fingerprint(replaced(kind, indicator, mark=other))

    assert rv != fingerprint([kind])


@pytest.mark.parametrize(("kind", "indicator"), PLACES, ids=lambda p: p.key)
def test_it_does_not_change_with_words(kind: Kind, indicator: Indicator) -> None:
    """The same answers from a rewritten function, with other names and a docstring, are the same fingerprint."""
    original = indicator.mark
    assert original is not None

    def rewritten(snapshot: Any) -> Mark | None:
        """Say something else and answer the same."""
        return original(snapshot)

    rv = fingerprint(replaced(kind, indicator, mark=rewritten, name_vi="Khác", counts="otherwise", source="-"))

    assert rv == fingerprint([kind])


@pytest.mark.parametrize(("kind", "indicator"), PLACES, ids=lambda p: p.key)
def test_it_changes_with_key_and_reading(kind: Kind, indicator: Indicator) -> None:
    """Marks under another name, or read otherwise, are other figures."""
    reading = Reading.OVERDUE if indicator.reading is Reading.RATE else Reading.RATE

    renamed = fingerprint(replaced(kind, indicator, key="other"))
    reread = fingerprint(replaced(kind, indicator, reading=reading))

    assert len({fingerprint([kind]), renamed, reread}) == 3


@pytest.mark.parametrize("kind", KINDS, ids=lambda k: k.key)
def test_the_grid_gives_every_answer_of_every_function(kind: Kind) -> None:
    """On the grid each function answers nothing, and good and bad marks where it has both."""
    snapshots = list(grid(kind))

    for indicator in kind.marked:
        assert indicator.mark is not None
        answers = {None if (m := indicator.mark(s)) is None else m.good for s in snapshots}
        expected = {None, False} if indicator.reading is Reading.OVERDUE else {None, False, True}
        assert answers == expected
