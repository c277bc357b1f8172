"""Waiting until everything is counted: neither too early nor, when it never comes, for ever."""

from collections.abc import Mapping
from typing import cast

import pytest

from nhip.drain import DrainError, wait_until_counted
from nhip.lag import Backlog, PartitionLag
from streams.clock import US_PER_S, ClockMode
from streams.rows import Changes, EpochKey, Heartbeat, Rate

OLD_S, NEW_S = 1_000, 5_000
"""The clock before the last events, and after them."""
KEY = ("unit:u", "online", "all")


class Store:
    """What roll has published at each look, and panes that hold everything; the last look stays."""

    def __init__(self, *looks: tuple[int, int]) -> None:
        self._looks = list(looks)
        self.asked = 0

    def heartbeat(self) -> Heartbeat:
        """As of the look's time."""
        self.asked += 1
        as_of_s, _ = self._looks[0]
        return Heartbeat(1, self.asked, as_of_s * US_PER_S, 0)

    def changes(self, since: Mapping[EpochKey, int]) -> Changes:  # noqa: ARG002 - the port has it
        """The clock of all that was flushed."""
        return Changes({}, NEW_S * US_PER_S, frozenset())

    def sum_panes(self, now_s: int, scopes: frozenset[str] | None) -> list[Rate]:  # noqa: ARG002 - the port has them
        """Three marks."""
        return [Rate(*KEY, 1, 3)]

    def rates_now(self) -> dict[tuple[str, str, str], tuple[int, int]]:
        """What is published at this look; then comes the next."""
        counted = self._looks[0][1]
        if len(self._looks) > 1:
            self._looks.pop(0)
        return {KEY: (1, counted)}


class Behind:
    """How many records are not stored yet, at each look; the last stays."""

    def __init__(self, *behind: int) -> None:
        self._behind = list(behind)

    def read(self) -> list[PartitionLag]:
        """One partition of ten records."""
        behind = self._behind.pop(0) if len(self._behind) > 1 else self._behind[0]
        return [PartitionLag("t", 0, 10, 10 - behind)]


def wait(store: Store, behind: Behind, mode: ClockMode, timeout_s: float = 60.0) -> list[tuple[int, int]]:
    """Wait; what was said of the progress."""
    said: list[tuple[int, int]] = []
    wait_until_counted(
        cast(Backlog, behind), store, mode, timeout_s, lambda *progress: said.append(progress), lambda: None
    )
    return said


def test_it_waits_for_commits_then_for_the_published_figures() -> None:
    """Rates of panes that roll has not summed yet are not told as the last ones."""
    store = Store((NEW_S, 2), (NEW_S, 3))

    said = wait(store, Behind(4, 0), ClockMode.EVENT)

    assert said == [(6, 10), (10, 10), (10, 10)]
    assert store.asked == 2


def test_right_sums_as_of_a_time_before_the_last_events_are_not_the_last() -> None:
    """Their windows end too early: roll may see panes before it is told of the flush that they belong to."""
    early, wall = Store((OLD_S, 3)), Store((OLD_S, 3))

    with pytest.raises(DrainError):
        wait(early, Behind(0), ClockMode.EVENT, timeout_s=0.0)

    assert wait(wall, Behind(0), ClockMode.WALL) == [(10, 10)]  # there every time is right that roll has taken


def test_what_never_comes_is_told() -> None:
    """With how many are missing, and where to look."""
    with pytest.raises(DrainError, match=r"4 of 10 records are not counted after 0 s: look at the worker's log"):
        wait(Store((NEW_S, 3)), Behind(4), ClockMode.EVENT, timeout_s=0.0)
