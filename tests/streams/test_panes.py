"""Panes: sums per scope, level and time that are taken over, changed, forgotten."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from contract.days import DAY_S, HOUR_S
from contract.marks import Mark
from contract.units import START_S, UnitTree
from contract.windows import HOURS_KEPT_S, MINUTES_KEPT_S, Level, floor_to, levels_kept
from streams.panes import Panes
from streams.places import Periods, Places
from streams.rows import PaneBatch
from tests.support.panes import Pane, batch_of, kept, single

NOW_S = 1_770_003_600
ONLINE = ("online",)


ALONE = UnitTree([]).periods
"""Every unit counts in its own right."""


def empty(periods: Periods = ALONE) -> Panes:
    """Panes of one indicator."""
    return Panes(ONLINE, Places(periods))


def applied(panes: Panes, marks: list[Mark], sign: int = 1) -> None:
    """Add or withdraw marks of one unit."""
    note = panes.add if sign > 0 else panes.withdraw
    for mark in marks:
        note("u", None, (mark,))
    panes.apply(NOW_S)


def taken(panes: Panes, partition: int) -> list[Pane]:
    """What changed since the last call."""
    batch = PaneBatch()
    panes.take_changed(partition, batch)
    return list(single(batch.blocks))


times = st.integers(NOW_S - 40 * DAY_S, NOW_S + DAY_S)
marks = st.lists(st.builds(Mark, times, st.booleans()), max_size=20)


@given(marks)
def test_panes_are_the_sums_of_their_marks(added: list[Mark]) -> None:
    """Each mark counts once at every level kept, in the pane that holds it."""
    panes = empty()
    expected: dict[tuple[int, int], list[int]] = {}
    for mark in added:
        for level in levels_kept(mark.at_s, NOW_S):
            sums = expected.setdefault((int(level), floor_to(level, mark.at_s)), [0, 0])
            sums[0] += mark.good
            sums[1] += 1

    applied(panes, added)

    assert {(p.level, p.at_s): [p.good, p.counted] for p in kept(panes)} == expected


@given(marks, marks)
def test_withdrawn_marks_leave_nothing(staying: list[Mark], withdrawn: list[Mark]) -> None:
    """Adding and withdrawing gives the same panes as never having added; what went to zero is told once."""
    panes, alone = empty(), empty()
    applied(alone, staying)
    taken(alone, 0)
    applied(panes, staying + withdrawn)
    taken(panes, 0)

    applied(panes, withdrawn, -1)
    told = taken(panes, 0)

    assert sorted(kept(panes)) == sorted(kept(alone))
    assert taken(panes, 0) == []
    assert {p.level for p in told} <= set(map(int, Level))


def test_a_pane_that_became_zero_is_written_as_zero() -> None:
    """The store learns that nothing is left; memory forgets it."""
    panes = empty()
    applied(panes, [Mark(NOW_S, good=True)])
    taken(panes, 3)

    applied(panes, [Mark(NOW_S, good=True)], -1)
    told = taken(panes, 3)

    assert {(p.partition, p.good, p.counted) for p in told} == {(3, 0, 0)}
    assert len(told) == len(Level)
    assert len(panes) == 0


def test_loaded_panes_do_not_count_as_changed() -> None:
    """What a rebuild has just written is not written again."""
    panes = empty()
    loaded = [Pane(0, "unit:u", "online", int(Level.TOTAL), 0, 2, 5)]

    panes.load(*batch_of(loaded).blocks)

    assert taken(panes, 0) == []
    assert kept(panes) == loaded


def test_marks_without_effect_change_nothing() -> None:
    """A mark added and withdrawn within one flush is not written."""
    panes = empty()
    panes.add("u", None, (Mark(NOW_S, good=False),))
    panes.withdraw("u", None, (Mark(NOW_S, good=False),))
    panes.add("u", None, (None,))

    panes.apply(NOW_S)

    assert taken(panes, 0) == []


def test_outdated_minutes_and_hours_are_forgotten() -> None:
    """Long after, only days and the total of an old mark stay; the change is not written."""
    panes = empty()
    applied(panes, [Mark(NOW_S, good=True)])

    panes.drop_outdated(NOW_S + MINUTES_KEPT_S + 2 * HOUR_S)
    without_minutes = {p.level for p in kept(panes)}
    panes.drop_outdated(NOW_S + HOURS_KEPT_S + 2 * HOUR_S)

    assert without_minutes == {Level.TOTAL, Level.DAY, Level.HOUR}
    assert {p.level for p in kept(panes)} == {Level.TOTAL, Level.DAY}
    assert {p.level for p in taken(panes, 0)} == {Level.TOTAL, Level.DAY}


def test_nothing_is_forgotten_within_the_hour() -> None:
    """The search for outdated panes runs at most once an hour."""
    panes = empty()
    panes.drop_outdated(NOW_S)
    applied(panes, [Mark(NOW_S, good=True)])
    old = Pane(0, "unit:u", "online", int(Level.MINUTE), NOW_S - 10 * DAY_S, 1, 1)
    panes.load(*batch_of([old]).blocks)

    panes.drop_outdated(NOW_S + HOUR_S - 1)
    before = old in kept(panes)
    panes.drop_outdated(NOW_S + HOUR_S)

    assert before
    assert old not in kept(panes)


def test_what_changed_several_times_is_told_once_as_it_is_now() -> None:
    """Also what has become zero in between; afterwards nothing is left to tell."""
    panes = empty()
    applied(panes, [Mark(NOW_S, good=True), Mark(NOW_S - DAY_S, good=True)])
    applied(panes, [Mark(NOW_S, good=False)])
    applied(panes, [Mark(NOW_S - DAY_S, good=True)], -1)

    told = taken(panes, 2)

    assert len({(p.level, p.at_s) for p in told}) == len(told)
    assert {p.partition for p in told} == {2}
    assert {(p.level, p.good, p.counted) for p in told if p.counted} == {(int(level), 1, 2) for level in Level}
    assert [p.level for p in told if not p.counted] != []
    assert sorted(kept(panes, 2)) == sorted(p for p in told if p.counted)
    assert taken(panes, 2) == []


@pytest.mark.parametrize("kept_s", [MINUTES_KEPT_S, HOURS_KEPT_S])
@pytest.mark.parametrize("step_s", [-HOUR_S, -1, 0, 1, HOUR_S])
def test_at_the_edge_of_a_level_a_mark_is_where_windows_look_for_it(kept_s: int, step_s: int) -> None:
    """The last second that a level keeps, and the one before."""
    now_s = NOW_S - NOW_S % HOUR_S
    panes, mark = empty(), Mark(now_s - kept_s + step_s, good=True)

    panes.add("u", None, (mark,))
    panes.apply(now_s)

    expected = {(int(level), floor_to(level, mark.at_s)) for level in levels_kept(mark.at_s, now_s)}
    assert {(p.level, p.at_s) for p in kept(panes)} == expected


def test_units_that_share_a_scope_are_summed_in_it() -> None:
    """Each mark counts in all scopes of its own unit, field and time, and in no other."""
    panes = empty(lambda unit, field: [(START_S, (f"unit:{unit}", "unit:p", *([f"field:{field}"] if field else [])))])
    for unit, field, good in (("a", None, True), ("b", "f", False), ("b", None, True)):
        panes.add(unit, field, (Mark(NOW_S, good=good),))

    panes.apply(NOW_S)

    totals = {p.scope: (p.good, p.counted) for p in kept(panes) if p.level == Level.TOTAL}
    assert totals == {"unit:a": (1, 1), "unit:b": (1, 2), "unit:p": (2, 3), "field:f": (0, 1)}
    assert len(panes) == len(kept(panes)) == 4 * len(Level)


def test_a_unit_that_moved_counts_where_it_was() -> None:
    """A mark counts in the province of its own day; a unit that stayed where it is, in its own for ever."""
    moved_s = NOW_S - DAY_S - (NOW_S - DAY_S + 7 * HOUR_S) % DAY_S

    def periods(unit: str, field: str | None) -> list[tuple[int, tuple[str, ...]]]:
        assert field is None
        return [(START_S, ("old",)), (moved_s, ("new",))] if unit == "a" else [(START_S, ("same",))]

    panes = empty(periods)
    for at_s in (NOW_S - 400 * DAY_S, moved_s - 1, moved_s, NOW_S):
        for unit in ("b", "a", "c"):
            panes.add(unit, None, (Mark(at_s, good=True),))

    panes.apply(NOW_S)

    totals = {p.scope: p.counted for p in kept(panes) if p.level == Level.TOTAL}
    assert totals == {"old": 2, "new": 2, "same": 8}


def test_each_indicator_of_an_entity_has_its_own_panes() -> None:
    """Marks stand in the order of the indicators; one that is absent counts nowhere."""
    panes = Panes(("x", "y"), Places(ALONE))
    panes.add("u", None, (Mark(NOW_S, good=True), None))
    panes.add("u", None, (Mark(NOW_S, good=False), Mark(NOW_S, good=True)))
    panes.withdraw("u", None, (None, Mark(NOW_S, good=True)))
    panes.add("v", None, (None, Mark(NOW_S, good=False)))

    panes.apply(NOW_S)

    totals = {(p.scope, p.indicator): (p.good, p.counted) for p in kept(panes) if p.level == Level.TOTAL}
    assert totals == {("unit:u", "x"): (1, 2), ("unit:v", "y"): (0, 1)}


def test_a_pane_that_changed_and_is_then_outdated_is_not_written() -> None:
    """What is still kept of the same flush is."""
    panes = empty()
    applied(panes, [Mark(NOW_S - MINUTES_KEPT_S + HOUR_S, good=True), Mark(NOW_S, good=True)])

    panes.drop_outdated(NOW_S + 3 * HOUR_S)

    minutes = [p.at_s for p in taken(panes, 0) if p.level == Level.MINUTE]
    assert minutes == [NOW_S]
    assert [p.at_s for p in kept(panes) if p.level == Level.MINUTE] == [NOW_S]
