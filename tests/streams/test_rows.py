"""Rows and batches between the stream and its store."""

import pytest

from streams.rows import Pane, PaneBatch, Rate

PANES = [
    Pane(0, "unit:a", "online", 3, 60, 1, 2),
    Pane(0, "unit:a", "online", 0, 0, 5, 9),
    Pane(4, "unit:b", "overdue", 3, 120, 0, 1),
    Pane(0, "unit:b", "online", 3, 60, 7, 7),
    Pane(0, "unit:a", "overdue", 3, 60, 0, 3),
]


def test_a_batch_of_panes_gives_them_back() -> None:
    """Each as it was, whatever their partition, scope, indicator and level."""
    batch = PaneBatch.of(PANES)

    assert sorted(batch) == sorted(PANES)
    assert len(batch) == len(PANES)
    assert all(type(value) in (int, str) for pane in batch for value in pane)


def test_a_batch_may_be_empty() -> None:
    """Then it is falsy: nothing is to be written."""
    batch = PaneBatch()

    assert list(batch) == []
    assert not batch


@pytest.mark.parametrize(("figure", "expected"), [((1, 4), 0.25), ((0, 4), 0.0), ((0, 0), None), ((5, 4), 1.25)])
def test_a_rate_is_unknown_when_nothing_was_counted(figure: tuple[int, int], expected: float | None) -> None:
    """NULL is not 0; a gauge may exceed 1."""
    assert Rate("s", "i", "w", *figure).rate == expected
