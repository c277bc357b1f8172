"""Numbers as text in both languages."""

import pytest

from contract.numbers import count_text, duration_text, percent_text
from contract.text import same


def test_counts_and_shares_in_both_languages() -> None:
    """Points and commas change places; an unknown share is a dash."""
    assert count_text(1_234_567) == ("1.234.567", "1,234,567")
    assert percent_text(0.953) == ("95,3 %", "95.3 %")
    assert percent_text(0.9538, 2) == ("95,38 %", "95.38 %")
    assert percent_text(1, 0) == ("100 %", "100 %")
    assert percent_text(None) == ("–", "–")


def test_a_code_is_the_same_in_both_languages() -> None:
    """What needs no translation is written once."""
    assert same("H19.12") == ("H19.12", "H19.12")


@pytest.mark.parametrize(
    ("seconds", "vi", "en"),
    [
        (-5, "0 giây", "0 s"),
        (59.9, "59 giây", "59 s"),
        (60, "1 phút", "1 min"),
        (119, "1 phút", "1 min"),
        (120, "2 phút", "2 min"),
        (3_599, "59 phút", "59 min"),
        (3_600, "1 giờ", "1 h"),
        (86_400, "24 giờ", "24 h"),
        (172_799, "47 giờ", "47 h"),
        (172_800, "2 ngày", "2 d"),
        (259_199, "2 ngày", "2 d"),
    ],
)
def test_durations_take_the_largest_whole_unit(seconds: float, vi: str, en: str) -> None:
    """A duration is read at a glance."""
    assert duration_text(seconds) == (vi, en)
