"""Targets: what a rate means, and faults of the file named with file and key."""

import pytest

from contract.registry import INDICATORS
from dashboards.targets import TargetsError, parse_targets
from tests.support.screens import targets

WHOLE = "\n".join(
    [
        "minimum_n = 20",
        *(f'[indicators.{key}]\nvalue = 0.5\nwatch = 0.5\nsource = "test"' for key in INDICATORS),
        '[[sources]]\npattern = "bank*"\nexpected_s = 60',
        '[[sources]]\npattern = "*"\nexpected_s = 900',
    ]
)


@pytest.mark.parametrize(
    ("indicator", "numerator", "denominator", "state"),
    [
        ("on_time", 95, 100, "ok"),
        ("on_time", 94, 100, "watch"),
        ("on_time", 90, 100, "watch"),
        ("on_time", 89, 100, "bad"),
        ("on_time", 19, 19, "none"),
        ("on_time", 0, 0, "none"),
        ("overdue", 5, 1000, "ok"),
        ("overdue", 6, 1000, "watch"),
        ("overdue", 378, 10_000, "watch"),
        ("overdue", 379, 10_000, "bad"),
        ("overdue", 0, 20, "ok"),
        ("paperless_meeting", 4, 5, "ok"),
    ],
)
def test_state_follows_target_watch_and_minimum(indicator: str, numerator: int, denominator: int, state: str) -> None:
    """The shipped thresholds judge both directions, their borders included."""
    assert targets().state(indicator, numerator, denominator) == state


def test_first_pattern_that_fits_decides_the_pace() -> None:
    """A source's pace is that of the first entry for it."""
    found = parse_targets(WHOLE, "t.toml")

    assert (found.expected_s("bank/1"), found.expected_s("onestop")) == (60, 900)


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("value = 0.5", "value = 95", r"t\.toml: .*<= 1.*indicators"),
        ('source = "test"', 'sauce = "test"', r"t\.toml: .*indicators"),
        ("[indicators.online]", "[indicators.offline]", r"t\.toml: indicators\.offline is unknown; known: online"),
        ('pattern = "*"', 'pattern = "x"', r't\.toml: sources has no entry with pattern = "\*"'),
        ("minimum_n = 20", "minimum_n = ", r"t\.toml: .*correct this key"),
        (
            "[indicators.on_time]\nvalue = 0.5\nwatch = 0.5",
            "[indicators.on_time]\nvalue = 0.5\nwatch = 0.6",
            r"t\.toml: indicators\.on_time\.watch must be at or below value",
        ),
    ],
)
def test_faults_name_file_and_key(old: str, new: str, message: str) -> None:
    """Whatever is wrong, the sentence says where."""
    text = WHOLE.replace(old, new, 1)

    with pytest.raises(TargetsError, match=message):
        parse_targets(text, "t.toml")


def test_a_missing_indicator_is_named() -> None:
    """Every indicator needs a target."""
    text = WHOLE.replace('[indicators.due_soon]\nvalue = 0.5\nwatch = 0.5\nsource = "test"', "")

    with pytest.raises(TargetsError, match=r"indicators\.due_soon is missing"):
        parse_targets(text, "t.toml")
