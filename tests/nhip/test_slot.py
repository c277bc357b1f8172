"""Starting again what died: when, how often, what is said, and what health tells meanwhile. No process is started."""

import pytest

from nhip.local import LocalServiceError
from nhip.slot import LONGEST_PAUSE_S, YOUNG_S, Slot
from nhip.up_health import UpHealth

STEP_S = 0.5


class Part:
    """A part that lives and dies as a test says, in a slot that is looked at twice a second."""

    def __init__(self, name: str = "the store") -> None:
        self.at_s = 1_000.0
        self.alive = True
        self.faulty: str | None = None
        self.started_s: list[float] = []
        self.said: list[str] = []
        self.slot = Slot(
            name,
            ended=lambda: not self.alive,
            start=self._start,
            trace=lambda: "Its log is in /data/store",
            say=self.said.append,
            clock=lambda: self.at_s,
        )

    def _start(self) -> None:
        self.started_s.append(self.at_s)
        if self.faulty is not None:
            raise LocalServiceError(self.faulty)
        self.alive = True

    def pass_s(self, seconds: float) -> None:
        """Let time pass."""
        for _ in range(round(seconds / STEP_S)):
            self.slot.look()
            self.at_s += STEP_S


def test_nothing_is_done_while_it_runs() -> None:
    """It is not started a second time, and nothing is said."""
    part = Part()

    part.pass_s(100)

    assert (part.started_s, part.said, part.slot.up, part.slot.restarts) == ([], [], True, 0)


def test_a_death_is_said_in_a_line_and_mended_after_a_second() -> None:
    """One line when it ends, with where its log is, one when it runs again."""
    part = Part()
    part.pass_s(YOUNG_S)
    part.alive = False

    part.pass_s(0.5)
    meanwhile = (part.slot.up, UpHealth([part.slot]).ready())
    part.pass_s(2)

    assert meanwhile == (False, "not running, started again soon: the store")
    assert part.started_s == [1_000 + YOUNG_S + 1]
    assert part.said == [
        "the store has ended; starting it again in 1 s. Its log is in /data/store",
        "the store is started again",
    ]
    assert (part.slot.up, part.slot.restarts) == (True, 1)


def test_who_dies_young_waits_longer_each_time() -> None:
    """1, 2, 4, 8 seconds, then always the longest pause; one that has lived begins anew."""
    part = Part()
    pauses = []
    for _ in range(7):
        part.alive = False
        died_s = part.at_s
        part.pass_s(LONGEST_PAUSE_S + 1)
        pauses.append(part.started_s[-1] - died_s)
        part.slot._started_s = part.at_s  # it has only just been started, however long the loop above waited
    part.pass_s(YOUNG_S)
    part.alive = False
    died_s = part.at_s
    part.pass_s(2)

    assert pauses == [1, 2, 4, 8, LONGEST_PAUSE_S, LONGEST_PAUSE_S, LONGEST_PAUSE_S]
    assert part.started_s[-1] - died_s == 1
    assert part.slot.restarts == 8


def test_what_cannot_be_started_is_tried_for_ever_and_never_ends_the_rest() -> None:
    """Each failure is one line with its reason alone; when the cause is gone it runs."""
    part = Part()
    part.alive, part.faulty = False, "ClickHouse ended while starting; the end of its log /x:\nline\nline"

    part.pass_s(60)
    tried = len(part.started_s)
    part.faulty = "port 8123 is in use by another program"
    part.pass_s(20)
    part.faulty = None
    part.pass_s(20)

    assert 5 <= tried <= 7
    failures = [line for line in part.said if "could not be started again" in line]
    assert failures[0] == "the store could not be started again: ClickHouse ended while starting; next try in 2 s"
    assert "port 8123 is in use by another program; next try in 15 s" in failures[-1]
    assert part.said[-1] == "the store is started again"
    assert (part.slot.up, part.slot.restarts) == (True, 1)


def test_other_faults_are_not_hidden() -> None:
    """A fault of the program itself ends it."""
    part = Part()
    part.alive = False
    part.slot._start = lambda: (_ for _ in ()).throw(IndexError)

    with pytest.raises(IndexError):
        part.pass_s(5)


def test_health_names_all_that_are_away() -> None:
    """And counts each part's restarts."""
    kafka, store, worker = Part("Kafka"), Part(), Part("worker 0")
    health = UpHealth([kafka.slot, store.slot, worker.slot])
    kafka.alive = worker.alive = False
    fine = health.ready()
    for part in (kafka, store, worker):
        part.pass_s(0.5)
    away = health.ready()
    worker.pass_s(2)

    assert fine is None
    assert away == "not running, started again soon: Kafka, worker 0"
    assert [(s.name, s.labels[0], s.value) for s in health.samples()] == [
        ("nhip_part_up", "Kafka", False),
        ("nhip_part_restarts_total", "Kafka", 0),
        ("nhip_part_up", "the store", True),
        ("nhip_part_restarts_total", "the store", 0),
        ("nhip_part_up", "worker 0", True),
        ("nhip_part_restarts_total", "worker 0", 1),
    ]
