"""The wall clock of the stream."""

import time

from streams.clock import US_PER_S, wall_clock_us


def test_the_wall_clock_counts_microseconds() -> None:
    """Between two looks at the system's own."""
    before = time.time()

    rv = wall_clock_us()

    assert isinstance(rv, int)
    assert before - 1e-3 <= rv / US_PER_S <= time.time() + 1e-3
