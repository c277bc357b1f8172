"""Progress: what counts as a stall, and what does not."""

from hypothesis import given
from hypothesis import strategies as st

from contract.dossier import DOSSIER
from streams.progress import Look, ProgressWatch, Stall, Standing
from streams.rows import Partition

HERE, THERE = Partition(DOSSIER.topic, 0), Partition(DOSSIER.topic, 1)
BEHIND = {HERE: Standing(50, 10)}


def watch(*looks: Look, stall_s: float = 60.0) -> list[Stall | None]:
    """What a watch with looks every 5 seconds says to each."""
    progress = ProgressWatch(stall_s, 5.0)
    return [progress.look(look) for look in looks]


def every_5_s(count: int, **changes: object) -> list[Look]:
    """Looks at a worker whose loop turns and whose records wait."""
    return [
        Look(**{"at_s": 5.0 * n, "turns": n + 1, "generation": 1, "held": BEHIND, **changes})  # type: ignore[arg-type]
        for n in range(count)
    ]


def test_waiting_records_without_a_commit_are_a_stall() -> None:
    """After stall_s, not before; the sentence says how many wait where."""
    rv = watch(*every_5_s(13))

    assert rv[:12] == [None] * 12
    assert rv[12] == Stall(60.0, HERE, BEHIND[HERE])
    assert str(rv[12]) == f"40 records of {DOSSIER.topic}[0] wait, and nothing was committed for 60 s"


def test_one_partition_that_stands_still_is_a_stall_though_others_move() -> None:
    """A partition that is no longer fetched must not hide behind the busy ones."""
    looks = [
        look._replace(held={HERE: Standing(50, 10), THERE: Standing(9_000, n)})
        for n, look in enumerate(every_5_s(13))
    ]

    rv = watch(*looks)

    assert rv[12] == Stall(60.0, HERE, Standing(50, 10))


def test_a_partition_never_committed_can_stall_too() -> None:
    """Kafka has no commit of it yet."""
    rv = watch(*every_5_s(13, held={HERE: Standing(3, None)}))

    assert rv[12] == Stall(60.0, HERE, Standing(3, None))


def test_no_records_no_stall() -> None:
    """An idle worker, and one that was given nothing, may stand for ever."""
    assert watch(*every_5_s(50, held={HERE: Standing(10, 10)})) == [None] * 50
    assert watch(*every_5_s(50, held={})) == [None] * 50


def test_excused_time_does_not_count() -> None:
    """While the store is away or panes are rebuilt; afterwards the count goes on."""
    looks = every_5_s(40)

    rv = watch(*(look._replace(excused=n < 28) for n, look in enumerate(looks)))

    assert rv[:39] == [None] * 39
    assert rv[39] == Stall(60.0, HERE, BEHIND[HERE])


def test_kafka_that_does_not_tell_is_no_stall() -> None:
    """Without its answer nobody knows what waits."""
    assert watch(*every_5_s(50, held=None)) == [None] * 50


def test_a_new_assignment_begins_anew() -> None:
    """In a storm of rebalances nobody can commit; to end the process would make one more."""
    looks = [look._replace(generation=n // 6) for n, look in enumerate(every_5_s(50))]

    assert watch(*looks) == [None] * 50


def test_a_process_that_was_stopped_for_an_hour_is_given_time() -> None:
    """Woken up, it has lived through two looks' time at most."""
    before, after = every_5_s(2), every_5_s(13)

    rv = watch(*before, *(look._replace(at_s=look.at_s + 3600) for look in after))

    assert rv[:11] == [None] * 11
    assert rv[11] == Stall(60.0, HERE, BEHIND[HERE])


def test_an_event_loop_that_stands_still_is_a_stall_without_records() -> None:
    """It holds its partitions all the same, since another thread tells Kafka that it lives."""
    rv = watch(*every_5_s(13, turns=7, held=None))

    assert rv[11] is None
    assert str(rv[12]) == "the event loop has not turned for 60 s"
    assert watch(*every_5_s(13, turns=0, held={})) == [None] * 13


def test_what_is_forgiven_begins_anew() -> None:
    """A transaction's marker at the end looks like a record that waits."""
    progress = ProgressWatch(60.0, 5.0)
    looks = every_5_s(30)
    for look in looks[:12]:
        progress.look(look)
    assert progress.still_s == 55.0

    progress.forgive(HERE)

    assert progress.look(looks[12]) is None
    assert progress.still_s == 0.0


@given(st.lists(st.tuples(st.floats(0, 100), st.integers(0, 3), st.booleans()), max_size=60))
def test_it_never_counts_more_than_the_time_that_passed(steps: list[tuple[float, int, bool]]) -> None:
    """Whatever the looks: not longer than since the last commit, and never less than nothing."""
    progress = ProgressWatch(1e9, 5.0)
    at_s = moved_s = 0.0
    last: int | None = None
    for n, (step_s, committed, excused) in enumerate(steps):
        at_s += step_s
        if committed != last:
            last, moved_s = committed, at_s
        progress.look(Look(at_s, n, 1, {HERE: Standing(9, committed)}, excused))

        assert 0.0 <= progress.still_s <= at_s - moved_s + 1e-6
