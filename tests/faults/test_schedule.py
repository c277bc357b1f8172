"""The schedule follows from its seed alone, and covers every kind."""

from collections import Counter

from hypothesis import given
from hypothesis import strategies as st

from tests.faults.schedule import AREA, BROKERS, WORKERS, FaultKind, make_schedule

SEEDS = range(1, 101)


@given(st.integers(min_value=0, max_value=2**31))
def test_a_seed_gives_one_schedule(seed: int) -> None:
    """The same twice, in order, three to five faults, of each area at most one, of parts that there are."""
    schedule = make_schedule(seed)

    assert schedule == make_schedule(seed)
    assert 3 <= len(schedule.faults) <= 5
    assert list(schedule.faults) == sorted(schedule.faults, key=lambda fault: fault.at_s)
    assert max(Counter(AREA[fault.kind] for fault in schedule.faults).values()) == 1
    for fault in schedule.faults:
        worker = fault.kind.name.startswith("WORKER") or fault.kind is FaultKind.CLOCK_JUMP
        assert fault.target in (range(WORKERS) if worker else range(BROKERS + 1))


def test_a_hundred_seeds_have_every_kind() -> None:
    """Each kind at least five times: p50 and worst of fewer say little."""
    met = Counter(fault.kind for seed in SEEDS for fault in make_schedule(seed).faults)

    assert set(met) == set(FaultKind)
    assert min(met.values()) >= 5


def test_the_schedule_can_be_read() -> None:
    """What is printed on failure names seed, time and kind of each fault."""
    schedule = make_schedule(7)

    shown = str(schedule)

    assert shown.startswith("seed 7:")
    assert all(fault.kind.name in shown for fault in schedule.faults)


def test_only_some_kinds() -> None:
    """A short run leaves out what it cannot do."""
    kinds = [FaultKind.WORKER_KILL, FaultKind.POISON]

    met = {fault.kind for seed in SEEDS for fault in make_schedule(seed, kinds).faults}

    assert met == set(kinds)
