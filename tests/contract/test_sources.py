"""What is expected of sources, and faults of the file named with file, key and remedy."""

from datetime import date
from functools import cache
from pathlib import Path

import pytest

from contract.calendar import WorkCalendar
from contract.days import DAY_S, HOUR_S, day_start
from contract.duration import seconds_of
from contract.sources import Sources, SourcesError, parse_sources

SHIPPED = Path(__file__).parents[2] / "config" / "sources.toml"
FRIDAY_EVENING_S = day_start(date(2026, 11, 20)) + 17 * HOUR_S
MONDAY_MORNING_S = day_start(date(2026, 11, 23)) + 8 * HOUR_S
WHOLE = """
[[sources]]
pattern = "bank?"
expected = "90s"
owner = "bank"
[[sources]]
pattern = "onestop/*"
expected = "10m"
hours = "working"
owner = "onestop"
[[sources]]
pattern = "*"
expected = "4h"
owner = "operators"
"""


@cache
def days() -> WorkCalendar:
    """The working days of the years that the tests name."""
    return WorkCalendar.build({}, first_year=2026, last_year=2026)


def parsed(text: str) -> Sources:
    """The sources of a text."""
    return parse_sources(text, "s.toml", days())


@pytest.mark.parametrize(
    ("source", "expected_s", "hours", "owner"),
    [
        ("bank1", 90, "always", "bank"),
        ("bank", 4 * HOUR_S, "always", "operators"),
        ("bank12", 4 * HOUR_S, "always", "operators"),
        ("onestop/H10.1\n", 600, "working", "onestop"),
        ("Onestop/H10", 4 * HOUR_S, "always", "operators"),
    ],
)
def test_the_first_pattern_that_fits_the_whole_name_decides(
    source: str, expected_s: int, hours: str, owner: str
) -> None:
    """Stars and question marks are patterns, all else is literal; large and small letters differ."""
    rv = parsed(WHOLE).of(source)

    assert (rv.expected_s, rv.hours, rv.owner) == (expected_s, hours, owner)


def test_silence_counts_office_hours_where_the_source_says_so() -> None:
    """From Friday evening to Monday morning: half an hour of work, or sixty-three hours."""
    found = parsed(WHOLE)

    rv = [found.silent_s(source, FRIDAY_EVENING_S, MONDAY_MORNING_S) for source in ("onestop/1", "bank1")]

    assert rv == [HOUR_S // 2, 2 * DAY_S + 15 * HOUR_S]
    assert found.silent_s("bank1", MONDAY_MORNING_S, FRIDAY_EVENING_S) == 0


def test_signs_of_regular_expressions_are_literal() -> None:
    """A dot, a bracket or a plus in a pattern stands for itself."""
    found = parsed(WHOLE.replace('"bank?"', '"a.b[c]+"'))

    assert [found.of(name).owner for name in ("a.b[c]+", "axb[c]+", "a.bc")] == ["bank", "operators", "operators"]


def test_the_shipped_file_is_sound() -> None:
    """It has a last entry for all sources."""
    assert parse_sources(SHIPPED.read_text("utf-8"), "sources.toml", days()).paces[-1].pattern == "*"


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ('expected = "90s"', 'expected = "15x"', r"number 1 \('bank\?'\): expected: '15x' is no duration: write"),
        ('expected = "90s"', 'expected = "0s"', r"number 1 .*expected is 0"),
        ('expected = "90s"', "expected = 90", r"s\.toml: .*sources.*correct this key"),
        ('hours = "working"', 'hours = "sometimes"', r"s\.toml: .*hours"),
        ('owner = "bank"', 'owner = ""', r"s\.toml: .*owner"),
        ('owner = "bank"\n', "", r"s\.toml: .*missing required field `owner`"),
        ('owner = "bank"', 'owners = "bank"', r"s\.toml: .*unknown field `owners`"),
        ('pattern = "*"', 'pattern = "x"', r'last of \[\[sources\]\] must have pattern = "\*"'),
        ('pattern = "bank?"', 'pattern = "*"', r"number 2 .*is never reached: move it"),
        ('pattern = "onestop/*"', 'pattern = "bank?"', r"number 2 .*repeats the pattern"),
        (WHOLE, "", r"s\.toml: .*sources"),
        ("[[sources]]", "[[sources", r"s\.toml: .*correct this key"),
    ],
)
def test_faults_name_file_key_and_remedy(old: str, new: str, message: str) -> None:
    """Whatever is wrong, the sentence says where and what to do."""
    with pytest.raises(SourcesError, match=message):
        parsed(WHOLE.replace(old, new, 1))


def test_durations() -> None:
    """A whole number and one of four units, nothing else."""
    assert [seconds_of(text) for text in ("90s", "10m", "4h", "1d")] == [90, 600, 14_400, 86_400]
    for text in ("", "10", "m", "1.5h", "-1m", "1 m", "١m", "1000000s", "1m\n"):
        with pytest.raises(ValueError, match="is no duration: write"):
            seconds_of(text)
