"""Windows against their direct definition: every mark counts in exactly the windows whose range holds it."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from contract.days import DAY_S, HOUR_S, MINUTE_S, local_day_start, local_month_start, local_year_start
from contract.indicators import Reading
from contract.windows import (
    RATE_WINDOWS,
    WINDOW_NAMES_VI,
    WINDOWS,
    Level,
    floor_to,
    leaves_at,
    levels_kept,
    pieces,
    windows_of,
)

TIMES = st.integers(1_500_000_000, 2_500_000_000)
AROUND = st.one_of(
    st.integers(-2 * DAY_S, 2 * DAY_S),
    st.integers(-32 * DAY_S, 0),
    st.integers(-400 * DAY_S, 400 * DAY_S),
    st.sampled_from([-DAY_S, -HOUR_S, -900, -60, -1, 0, 1, 59, 60, DAY_S - 1, DAY_S, -7 * DAY_S, -30 * DAY_S]),
)


def range_of(window: str, now_s: int) -> tuple[int, int]:
    """First second in a window of rates and first second after it."""
    minute = now_s // 60 * 60
    end, hour_end = minute + 60, now_s // 3600 * 3600 + 3600
    return {
        "15m": (end - 15 * MINUTE_S, end),
        "1h": (end - HOUR_S, end),
        "24h": (end - DAY_S, end),
        "7d": (hour_end - 7 * DAY_S, end),
        "30d": (hour_end - 30 * DAY_S, end),
        "today": (local_day_start(now_s), end),
        "month": (local_month_start(now_s), end),
        "year": (local_year_start(now_s), end),
        "all": (-(2**60), 2**60),
    }[window]


def counted(reading: Reading, window: str, at_s: int, seen_s: int, now_s: int) -> tuple[int, int]:
    """How often a mark folded at ``seen_s`` counts in (numerator, denominator) at ``now_s``; it is good."""
    found = [0, 0]
    for level in levels_kept(at_s, seen_s):
        start = floor_to(level, at_s)
        for piece in pieces(reading, window, now_s):
            if piece.level is level and piece.start_s <= start < piece.end_s:
                found[0] += piece.numerator is not None
                found[1] += piece.denominator is not None
    return found[0], found[1]


@pytest.mark.parametrize("window", RATE_WINDOWS)
@given(now_s=TIMES, away_s=AROUND, later_s=st.integers(0, 40 * DAY_S))
def test_a_mark_counts_once_where_the_range_holds_it(window: str, now_s: int, away_s: int, later_s: int) -> None:
    """Pieces neither overlap nor leave gaps, also for a mark that was folded long before."""
    at_s, seen_s = now_s + away_s, now_s - later_s
    first, end = range_of(window, now_s)

    rv = counted(Reading.RATE, window, at_s, seen_s, now_s)

    assert rv == ((1, 1) if first <= at_s < end else (0, 0))


@pytest.mark.parametrize("window", [window for window in RATE_WINDOWS if window != "all"])
@given(at_s=TIMES)
def test_a_mark_leaves_a_window_once(window: str, at_s: int) -> None:
    """It is held from its own minute to the one before it leaves, and never again."""
    rv = leaves_at(window, at_s)

    assert rv is not None
    assert rv % MINUTE_S == 0
    for now_s, held in ((at_s, True), (rv - 1, True), (rv, False), (rv + 400 * DAY_S, False)):
        first, end = range_of(window, now_s)
        assert (first <= at_s < end) is held


def test_what_counts_for_ever_never_leaves() -> None:
    """The window of all time loses nothing."""
    assert leaves_at("all", 0) is None


@pytest.mark.parametrize(
    ("age_s", "kept"),
    [
        (-DAY_S, 4),
        (25 * HOUR_S, 4),
        (25 * HOUR_S + 1, 3),
        (31 * DAY_S, 3),
        (31 * DAY_S + 1, 2),
    ],
)
def test_levels_are_kept_an_hour_and_a_day_longer_than_needed(age_s: int, kept: int) -> None:
    """Minutes for 25 hours, hours for 31 days: workers' clocks differ."""
    rv = levels_kept(1_770_000_000 - age_s, 1_770_000_000)

    assert rv == tuple(Level)[:kept]


@given(now_s=TIMES, away_s=AROUND, later_s=st.integers(0, 40 * DAY_S))
def test_overdue_counts_due_minutes_before_the_current_one(now_s: int, away_s: int, later_s: int) -> None:
    """The numerator holds what was due before this minute, the denominator everything."""
    due_s, seen_s = now_s + away_s, now_s - later_s

    rv = counted(Reading.OVERDUE, "now", due_s, seen_s, now_s)

    assert rv == (due_s < now_s // 60 * 60, 1)


@given(now_s=TIMES, away_s=AROUND, later_s=st.integers(0, 40 * DAY_S))
def test_due_soon_counts_the_next_day_by_the_minute(now_s: int, away_s: int, later_s: int) -> None:
    """The numerator holds what is due from this minute to 1,439 minutes after it."""
    due_s, seen_s = now_s + away_s, now_s - later_s
    minute = now_s // 60 * 60

    rv = counted(Reading.DUE_SOON, "now", due_s, seen_s, now_s)

    assert rv == (minute <= due_s < minute + DAY_S, 1)


@pytest.mark.parametrize("reading", Reading)
@given(now_s=TIMES)
def test_pieces_change_only_with_the_minute(reading: Reading, now_s: int) -> None:
    """Any second of a minute gives the same pieces."""
    minute = now_s // 60 * 60

    for window in windows_of(reading):
        assert pieces(reading, window, now_s) == pieces(reading, window, minute)


@pytest.mark.parametrize("window", RATE_WINDOWS)
@given(now_s=TIMES)
def test_pieces_begin_and_end_with_whole_panes(window: str, now_s: int) -> None:
    """No pane lies half in a piece: both bounds are starts of panes of its level."""
    found = [p for p in pieces(Reading.RATE, window, now_s) if p.level is not Level.TOTAL]

    assert all(floor_to(p.level, bound) == bound for p in found for bound in (p.start_s, p.end_s))


@given(st.integers(-(2**40), 2**40))
def test_the_floors_of_the_levels(at_s: int) -> None:
    """A total has one pane; the others hold their second and nest."""
    total, day, hour, minute = (floor_to(level, at_s) for level in Level)

    assert total == 0
    assert day <= hour <= minute <= at_s < minute + MINUTE_S
    assert at_s < hour + HOUR_S
    assert at_s < day + DAY_S


def test_windows_of_each_reading() -> None:
    """What is open has the one window now; a rate has all others."""
    rates, overdue, due_soon = (windows_of(r) for r in (Reading.RATE, Reading.OVERDUE, Reading.DUE_SOON))

    assert rates == RATE_WINDOWS
    assert overdue == due_soon == ("now",)
    assert set(WINDOWS) == {*rates, "now"}


def test_every_window_has_a_vietnamese_name() -> None:
    """Screens name each window, each by another name."""
    names = list(WINDOW_NAMES_VI.values())

    assert tuple(WINDOW_NAMES_VI) == WINDOWS
    assert len(set(names)) == len(names)
