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

BANK = "[[sources]] number 1 ('bank?')"
ONESTOP = "[[sources]] number 2 ('onestop/*')"
WRITE = "write a whole number and s, m, h or d, such as 90s, 10m, 4h, 1d"
NO_PAUSE = "no source speaks without a pause"
MOVE = 'move it before the entry with pattern = "*"'
CORRECT = ": correct this key"


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
        ('expected = "90s"', 'expected = "15x"', f"{BANK}: expected: '15x' is no duration: {WRITE}"),
        ('expected = "90s"', 'expected = "0s"', f"{BANK}: expected is 0: {NO_PAUSE}; write at least 1s"),
        ('expected = "90s"', "expected = 90", "Expected `str`, got `int` - at `$.sources[0].expected`" + CORRECT),
        ('hours = "working"', 'hours = "no"', "Invalid enum value 'no' - at `$.sources[1].hours`" + CORRECT),
        ('owner = "bank"', 'owner = ""', "Expected `str` of length >= 1 - at `$.sources[0].owner`" + CORRECT),
        ('owner = "bank"\n', "", "Object missing required field `owner` - at `$.sources[0]`" + CORRECT),
        ('owner = "bank"', 'owners = "bank"', "Object contains unknown field `owners` - at `$.sources[0]`" + CORRECT),
        ('pattern = "*"', 'pattern = "x"', 'the last of [[sources]] must have pattern = "*": add one for all others'),
        ('pattern = "bank?"', 'pattern = "*"', f"{ONESTOP} is never reached: {MOVE}"),
        (
            'pattern = "onestop/*"',
            'pattern = "bank?"',
            "[[sources]] number 2 ('bank?') repeats the pattern of an entry before it: remove one of them",
        ),
        (WHOLE, "", "Object missing required field `sources`" + CORRECT),
        (
            "[[sources]]",
            "[[sources",
            "Expected ']]' at the end of an array declaration (at line 2, column 10)" + CORRECT,
        ),
    ],
)
def test_faults_name_file_key_and_remedy(old: str, new: str, message: str) -> None:
    """Whatever is wrong, the sentence says where and what to do."""
    with pytest.raises(SourcesError) as caught:
        parsed(WHOLE.replace(old, new, 1))

    assert str(caught.value) == f"s.toml: {message}"


def test_durations() -> None:
    """A whole number and one of four units, nothing else."""
    assert [seconds_of(text) for text in ("90s", "10m", "4h", "1d")] == [90, 600, 14_400, 86_400]
    for text in ("", "10", "m", "1.5h", "-1m", "1 m", "١m", "1000000s", "1m\n"):
        with pytest.raises(ValueError, match="is no duration") as caught:
            seconds_of(text)
        assert str(caught.value) == f"{text!r} is no duration: {WRITE}"
