"""Windows as sums of slots, without a store."""

from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from contract.days import DAY_S
from contract.registry import INDICATORS
from contract.windows import HOURS_KEPT_S, Level, floor_to, pieces, windows_of
from sinks.window_sums import WindowSums
from streams.rows import Rate

NOW_S = 1_770_003_661
MARKED = sorted({indicator.marks for indicator in INDICATORS.values()})
Key = tuple[str, str, int, int]
"""Scope, marks, level, start."""


@st.composite
def panes(draw: st.DrawFn) -> dict[Key, tuple[int, int]]:
    """Good and count by pane, around the borders of windows and far from them."""
    near = st.sampled_from([0, 60, 900, 3600, DAY_S, 7 * DAY_S, 30 * DAY_S, HOURS_KEPT_S, 400 * DAY_S])
    at = st.builds(lambda ago, more: NOW_S - ago + more, near, st.integers(-DAY_S, DAY_S))
    level = st.sampled_from(list(Level))
    key = st.builds(
        lambda scope, marks, level, at: (scope, marks, int(level), floor_to(level, at)),
        st.sampled_from(["unit:a", "field:b"]),
        st.sampled_from(MARKED),
        level,
        at,
    )
    return draw(st.dictionaries(key, st.tuples(st.integers(0, 9), st.integers(10, 99)), max_size=30))


def added_up(windows: WindowSums, found: dict[Key, tuple[int, int]]) -> list[list[object]]:
    """Do what the store does: one row for each scope, marks, level and slot."""
    sums: Counter[tuple[object, ...]] = Counter()
    for (scope, marks, level, at), sides in found.items():
        slot = sum(border <= at for border in windows.cuts[level])
        for side, value in enumerate(sides):
            sums[scope, marks, level, slot, side] += value
    rows = [(*key, sums[(*key, 0)], sums[(*key, 1)]) for key in dict.fromkeys(key[:4] for key in sums)]
    return [list(column) for column in zip(*rows, strict=True)]


def in_words(found: dict[Key, tuple[int, int]]) -> set[Rate]:
    """Every window of every scope, pane by pane."""
    rates = set()
    for scope in {key[0] for key in found}:
        for indicator in INDICATORS.values():
            for window in windows_of(indicator.reading):
                sides = [0, 0]
                for (of, marks, level, at), (good, count) in found.items():
                    if (of, marks) != (scope, indicator.marks):
                        continue
                    for piece in pieces(indicator.reading, window, NOW_S):
                        if piece.level == level and piece.start_s <= at < piece.end_s:
                            for side, name in enumerate((piece.numerator, piece.denominator)):
                                sides[side] += {"good": good, "count": count, None: 0}[name]
                rates.add(Rate(scope, indicator.key, window, *sides))
    return rates


@given(panes())
def test_windows_are_the_panes_of_their_pieces(found: dict[Key, tuple[int, int]]) -> None:
    """Of whatever panes, each window holds what lies in its pieces, once."""
    windows = WindowSums.at(NOW_S, INDICATORS.values())

    rates = windows.rates(added_up(windows, found))

    assert len(rates) == len(set(rates))
    assert set(rates) == in_words(found)


@pytest.mark.parametrize("key", ["online", "overdue"])
def test_windows_of_one_indicator(key: str) -> None:
    """Who asks for one gets its windows alone; where nothing was counted they are 0 of 0."""
    windows = WindowSums.at(NOW_S, [INDICATORS[key]])

    rates = windows.rates([["unit:a"], ["paperless_meeting"], [0], [0], [1], [2]])

    assert [rate.window for rate in rates] == list(windows_of(INDICATORS[key].reading))
    assert {rate[3:] for rate in rates} == {(0, 0)}
