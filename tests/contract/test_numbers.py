"""Numbers as text in both languages."""

import pytest

from contract.numbers import count_text, duration_text, percent_text


def test_counts_and_shares_in_both_languages() -> None:
    """Points and commas change places; an unknown share is a dash."""
    assert count_text(1_234_567) == ("1.234.567", "1,234,567")
    assert percent_text(0.953) == ("95,3 %", "95.3 %")
    assert percent_text(None) == ("–", "–")


@pytest.mark.parametrize(
    ("seconds", "vi"),
    [
        (-5, "0 giây"),
        (59, "59 giây"),
        (60, "1 phút"),
        (3_599, "59 phút"),
        (3_600, "1 giờ"),
        (172_799, "47 giờ"),
        (172_800, "2 ngày"),
    ],
)
def test_durations_take_the_largest_whole_unit(seconds: int, vi: str) -> None:
    """A duration is read at a glance."""
    assert duration_text(seconds).vi == vi
