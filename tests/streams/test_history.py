"""Figures of the past from entries, minute by minute, against the definition of each window."""

from collections import Counter
from datetime import date

from hypothesis import given, settings
from hypothesis import strategies as st

from contract.days import DAY_S, HOUR_S, MINUTE_S, day_start, floor_minute
from contract.indicators import Reading
from contract.windows import RATE_WINDOWS, STATE_WINDOW, Level, floor_to, leaves_at, pieces
from streams.history import Entry, figures
from streams.rows import Rate

Figures = dict[tuple[str, str], tuple[int, int]]

BORDERS_S = [day_start(date(2026, *day)) for day in ((1, 1), (3, 1), (11, 20))]
LENGTHS_S = (0, 900, HOUR_S, DAY_S, 7 * DAY_S, 30 * DAY_S, 365 * DAY_S)
SPAN_MIN = 150
SCOPES = ("unit:A", "unit:B", "field:x")

# Around the beginning of a year, of a month and of a day, and a window's length before each minute of the span.
begins = st.builds(lambda border, n: border + n, st.sampled_from(BORDERS_S), st.integers(-SPAN_MIN * 60, 600))
offsets = st.builds(
    lambda length, n: n - length, st.sampled_from(LENGTHS_S), st.integers(-2 * MINUTE_S, SPAN_MIN * MINUTE_S)
)
marks = st.lists(st.tuples(offsets, st.sampled_from(SCOPES), st.booleans()), max_size=40)


def entries(from_s: int, found: list[tuple[int, str, bool]]) -> list[Entry]:
    """Marks summed by minute, in order."""
    good: Counter[tuple[int, str]] = Counter()
    count: Counter[tuple[int, str]] = Counter()
    for offset, scope, is_good in found:
        key = (floor_minute(from_s + offset), scope)
        good[key] += is_good
        count[key] += 1
    return [Entry(minute, "i", scope, good[minute, scope], count[minute, scope]) for minute, scope in sorted(count)]


def brute(from_s: int, found: list[tuple[int, str, bool]], minute_s: int) -> Figures:
    """Every window of every scope at a minute, from the definition over panes; figures of 0 cases left out."""
    sums: dict[tuple[str, str], list[int]] = {}
    for offset, scope, good in found:
        at_s = from_s + offset
        for window in RATE_WINDOWS:
            for piece in pieces(Reading.RATE, window, minute_s):
                known = piece.level is not Level.TOTAL or at_s < minute_s + MINUTE_S
                if known and piece.start_s <= floor_to(piece.level, at_s) < piece.end_s:
                    side = sums.setdefault((scope, window), [0, 0])
                    side[0] += good
                    side[1] += 1
    return {key: (top, bottom) for key, (top, bottom) in sums.items()}


@settings(deadline=None)
@given(begins, marks)
def test_every_minute_is_what_its_windows_say(from_s: int, found: list[tuple[int, str, bool]]) -> None:
    """Marks enter and leave at the minutes of ``pieces``; between two items nothing changes, and each item does."""
    to_s = from_s + SPAN_MIN * MINUTE_S
    wanted = dict.fromkeys(("i", window) for window in RATE_WINDOWS)

    items = list(figures(entries(from_s, found), wanted, from_s, to_s))

    changes = dict(items)
    now: Figures = {}
    assert len(changes) == len(items)
    assert items[0][0] == floor_minute(from_s)
    for minute_s in range(floor_minute(from_s), to_s + 1, MINUTE_S):
        before = dict(now)
        for rate in changes.get(minute_s, ()):
            now[rate.scope, rate.window] = (rate.numerator, rate.denominator)
        now = {key: figure for key, figure in now.items() if figure != (0, 0)}
        assert now == brute(from_s, found, minute_s)
        assert minute_s == items[0][0] or (now != before) == (minute_s in changes)


@given(begins, offsets, st.sampled_from(RATE_WINDOWS))
def test_a_mark_leaves_once_and_is_held_until_then(from_s: int, offset: int, window: str) -> None:
    """Its last minute in the window is the one before ``leaves_at``."""
    at_s = from_s + offset
    leaves_s = leaves_at(window, at_s)

    def held(minute_s: int) -> bool:
        parts = pieces(Reading.RATE, window, minute_s)
        return any(part.start_s <= floor_to(part.level, at_s) < part.end_s for part in parts)

    if leaves_s is None:
        assert window == "all"
    else:
        assert held(floor_minute(at_s))
        assert held(leaves_s - MINUTE_S)
        assert not held(leaves_s)
        assert not held(leaves_s + DAY_S)


def test_what_is_open_changes_by_steps() -> None:
    """Entries of the window ``now`` are changes of both sides, and nothing leaves by itself."""
    steps = [Entry(0, "o", "s", 0, 2), Entry(60, "o", "s", 1, 0), Entry(180, "o", "s", -1, -2)]

    rv = list(figures(steps, {("o", "now"): None}, 0, 10 * DAY_S))

    assert rv == [
        (0, [Rate("s", "o", STATE_WINDOW, 0, 2)]),
        (60, [Rate("s", "o", STATE_WINDOW, 1, 2)]),
        (180, [Rate("s", "o", STATE_WINDOW, 0, 0)]),
    ]


def test_only_what_is_wanted() -> None:
    """Scopes, windows and indicators nobody asked for are left out, and so is what comes after the end."""
    found = [
        Entry(0, "i", "a", 1, 1),
        Entry(0, "j", "a", 1, 1),
        Entry(60, "i", "b", 1, 1),
        Entry(120, "i", "a", 0, 1),
    ]

    rv = list(figures(found, {("i", "all"): frozenset({"a"})}, 59, 119))

    assert rv == [(0, [Rate("a", "i", "all", 1, 1)])]


def test_without_entries() -> None:
    """There is always a first item."""
    assert list(figures([], {("i", "all"): None}, 61, 600)) == [(60, [])]


def test_what_enters_as_the_same_leaves_is_no_change() -> None:
    """A figure that stays is not told again."""
    found = [Entry(0, "i", "a", 1, 1), Entry(900, "i", "a", 1, 1)]

    rv = list(figures(found, {("i", "15m"): None}, 0, 2000))

    assert [minute_s for minute_s, _ in rv] == [0, 1800]
