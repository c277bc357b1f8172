"""Arrival: how far the stream is behind, against records that each know when they came."""

from typing import NamedTuple

from hypothesis import given
from hypothesis import strategies as st

from streams.arrival import LOOKS_KEPT, Arrival, Range
from streams.clock import US_PER_S
from streams.rows import Partition

A, B = Partition("t", 0), Partition("t", 1)


class Step(NamedTuple):
    """What happens within a moment: records come, some are stored, somebody looks."""

    seconds: int
    come: tuple[int, int]
    stored: tuple[int, int]
    look: bool


steps = st.lists(
    st.builds(
        Step,
        st.integers(0, 20),
        st.tuples(st.integers(0, 3), st.integers(0, 3)),
        st.tuples(st.integers(0, 5), st.integers(0, 5)),
        st.booleans(),
    ),
    max_size=60,
)


@given(steps, st.integers(0, 3))
def test_it_is_never_said_to_be_less_behind_than_it_is(found: list[Step], before: int) -> None:
    """No record that is not stored has waited longer than is said, once anything is known; also after a pause."""
    arrival = Arrival(0)
    came: dict[Partition, list[int]] = {A: [-1_000] * before, B: []}
    stored = {A: 0, B: 0}
    now_s = last_s = 0
    for step in found:
        now_s += step.seconds
        for p, come, store in zip((A, B), step.come, step.stored, strict=True):
            came[p] += [now_s] * come
            stored[p] = min(len(came[p]), stored[p] + store)
            last_s = now_s if come else last_s
        if step.look:
            arrival.look(now_s * US_PER_S, {p: Range(0, len(times)) for p, times in came.items()})
        flushed = {p: n - 1 for p, n in stored.items() if n}

        rv = arrival.standing(now_s * US_PER_S, flushed)

        waiting = [came[p][n] for p, n in stored.items() if n < len(came[p])]
        assert not rv.known or rv.behind_s >= now_s - min(waiting, default=now_s)
        assert rv.rest_s <= now_s - last_s or not step.look


@given(st.integers(2, 4 * LOOKS_KEPT))
def test_looks_that_are_forgotten_make_it_no_less(looks: int) -> None:
    """However long nothing is stored, it is behind since the last look that was; then not at all."""
    arrival = Arrival(0)
    for n in range(looks):
        arrival.look(n * US_PER_S, {A: Range(0, 1 + n)})

    behind = arrival.standing(looks * US_PER_S, {A: 0})
    caught_up = arrival.standing(looks * US_PER_S, {A: looks - 1})

    assert behind.behind_s == looks
    assert caught_up.behind_s == 1


def test_before_a_look_is_reached_nothing_is_known() -> None:
    """A start with a backlog is not taken for being up to date."""
    arrival = Arrival(0)
    arrival.look(0, {A: Range(0, 100), B: Range(0, 0)})

    started = arrival.standing(US_PER_S, {})
    reached = arrival.standing(30 * US_PER_S, {A: 99})

    assert not started.known
    assert reached.known
    assert reached.behind_s == 30


def test_what_retention_has_removed_is_not_waited_for() -> None:
    """A partition that holds no records asks for nothing, wherever its end is."""
    arrival = Arrival(0)
    arrival.look(5 * US_PER_S, {A: Range(70, 70)})

    rv = arrival.standing(6 * US_PER_S, {})

    assert rv.known
    assert rv.behind_s == 1


def test_it_rests_when_nothing_comes_and_all_is_stored() -> None:
    """The rest begins with the look that found the ends as they are; a record, stored or not, ends it."""
    arrival = Arrival(0)
    rests = []
    for second, end, flushed in ((0, 5, 2), (1, 9, 2), (2, 9, 8), (4, 9, 8), (5, 10, 8), (6, 10, 9), (7, 10, 9)):
        arrival.look(second * US_PER_S, {A: Range(0, end)})
        rests.append(arrival.standing(second * US_PER_S, {A: flushed}).rest_s)

    assert rests == [0, 0, 1, 3, 0, 1, 2]
