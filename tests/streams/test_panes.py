"""Panes: sums per scope, level and time that are taken over, changed, forgotten."""

from hypothesis import given
from hypothesis import strategies as st

from contract.days import DAY_S, HOUR_S
from contract.marks import Mark
from contract.windows import HOURS_KEPT_S, MINUTES_KEPT_S, Level, floor_to, levels_kept
from streams.panes import Deltas, Panes, add_marks
from streams.rows import Pane, PaneBatch

NOW_S = 1_770_003_600
ONLINE = ("online",)


def one_scope(unit: str, field: str | None, at_s: int) -> tuple[str, ...]:  # noqa: ARG001 - the port has them
    """Count everything in the unit alone."""
    return (f"unit:{unit}",)


def applied(panes: Panes, marks: list[Mark], sign: int = 1) -> None:
    """Add or withdraw marks of one unit."""
    deltas: Deltas = {}
    for mark in marks:
        add_marks(deltas, ONLINE, "u", None, (mark,), sign, NOW_S, (None,))
    panes.apply(deltas, one_scope, NOW_S)


def taken(panes: Panes, partition: int) -> list[Pane]:
    """What changed since the last call."""
    batch = PaneBatch()
    panes.take_changed(partition, batch)
    return list(batch)


times = st.integers(NOW_S - 40 * DAY_S, NOW_S + DAY_S)
marks = st.lists(st.builds(Mark, times, st.booleans()), max_size=20)


@given(marks)
def test_panes_are_the_sums_of_their_marks(added: list[Mark]) -> None:
    """Each mark counts once at every level kept, in the pane that holds it."""
    panes = Panes()
    expected: dict[tuple[int, int], list[int]] = {}
    for mark in added:
        for level in levels_kept(mark.at_s, NOW_S):
            sums = expected.setdefault((int(level), floor_to(level, mark.at_s)), [0, 0])
            sums[0] += mark.good
            sums[1] += 1

    applied(panes, added)

    assert {(p.level, p.at_s): [p.good, p.counted] for p in panes.rows(0)} == expected


@given(marks, marks)
def test_withdrawn_marks_leave_nothing(kept: list[Mark], withdrawn: list[Mark]) -> None:
    """Adding and withdrawing gives the same panes as never having added; what went to zero is told once."""
    panes, alone = Panes(), Panes()
    applied(alone, kept)
    taken(alone, 0)
    applied(panes, kept + withdrawn)
    taken(panes, 0)

    applied(panes, withdrawn, -1)
    told = taken(panes, 0)

    assert sorted(panes.rows(0)) == sorted(alone.rows(0))
    assert taken(panes, 0) == []
    assert {p.level for p in told} <= set(map(int, Level))


def test_a_pane_that_became_zero_is_written_as_zero() -> None:
    """The store learns that nothing is left; memory forgets it."""
    panes = Panes()
    applied(panes, [Mark(NOW_S, good=True)])
    taken(panes, 3)

    applied(panes, [Mark(NOW_S, good=True)], -1)
    told = taken(panes, 3)

    assert {(p.partition, p.good, p.counted) for p in told} == {(3, 0, 0)}
    assert len(told) == len(Level)
    assert len(panes) == 0


def test_loaded_panes_do_not_count_as_changed() -> None:
    """What a rebuild has just written is not written again."""
    panes = Panes()
    loaded = [Pane(0, "unit:u", "online", int(Level.TOTAL), 0, 2, 5)]

    panes.load(loaded)

    assert taken(panes, 0) == []
    assert panes.rows(0) == loaded


def test_marks_without_effect_change_nothing() -> None:
    """A mark added and withdrawn within one flush is not written."""
    panes, deltas = Panes(), Deltas()
    add_marks(deltas, ONLINE, "u", None, (Mark(NOW_S, good=False),), 1, NOW_S, (None,))
    add_marks(deltas, ONLINE, "u", None, (Mark(NOW_S, good=False),), -1, NOW_S, (None,))
    add_marks(deltas, ONLINE, "u", None, (None,), 1, NOW_S, (None,))

    panes.apply(deltas, one_scope, NOW_S)

    assert taken(panes, 0) == []


def test_outdated_minutes_and_hours_are_forgotten() -> None:
    """Long after, only days and the total of an old mark stay; the change is not written."""
    panes = Panes()
    applied(panes, [Mark(NOW_S, good=True)])

    panes.drop_outdated(NOW_S + MINUTES_KEPT_S + 2 * HOUR_S)
    without_minutes = {p.level for p in panes.rows(0)}
    panes.drop_outdated(NOW_S + HOURS_KEPT_S + 2 * HOUR_S)

    assert without_minutes == {Level.TOTAL, Level.DAY, Level.HOUR}
    assert {p.level for p in panes.rows(0)} == {Level.TOTAL, Level.DAY}
    assert {p.level for p in taken(panes, 0)} == {Level.TOTAL, Level.DAY}


def test_nothing_is_forgotten_within_the_hour() -> None:
    """The search for outdated panes runs at most once an hour."""
    panes = Panes()
    panes.drop_outdated(NOW_S)
    applied(panes, [Mark(NOW_S, good=True)])
    old = Pane(0, "unit:u", "online", int(Level.MINUTE), NOW_S - 10 * DAY_S, 1, 1)
    panes.load([old])

    panes.drop_outdated(NOW_S + HOUR_S - 1)
    before = old in panes.rows(0)
    panes.drop_outdated(NOW_S + HOUR_S)

    assert before
    assert old not in panes.rows(0)
