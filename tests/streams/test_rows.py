"""Rows and batches between the stream and its store."""

import pytest

from streams.rows import PaneBatch, Rate
from tests.support.panes import Pane, batch_of


def test_a_batch_of_panes_may_be_empty() -> None:
    """Then it is falsy: nothing is to be written."""
    batch = PaneBatch()

    assert not batch
    assert batch_of([Pane(0, "unit:a", "online", 3, 60, 1, 2)])


@pytest.mark.parametrize(("figure", "expected"), [((1, 4), 0.25), ((0, 4), 0.0), ((0, 0), None), ((5, 4), 1.25)])
def test_a_rate_is_unknown_when_nothing_was_counted(figure: tuple[int, int], expected: float | None) -> None:
    """NULL is not 0; a gauge may exceed 1."""
    assert Rate("s", "i", "w", *figure).rate == expected
