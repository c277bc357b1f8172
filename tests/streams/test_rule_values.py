"""Values of the rules' file: what each reader takes, and the very sentence with which it refuses."""

import re
from collections.abc import Callable
from typing import Any

import pytest

from contract.text import Text
from streams import rule_values as values
from streams.rule import DayTimes

Read = Callable[[object], Any]

COLOURS = values.one_of(("red", "green"))
NAMES = values.names({"b", "a"})
YEAR_S = 366 * 86_400
KNOWN = "{indicator}, {n}, {numerator}, {rate}, {since}, {threshold}, {unit}, {usual}, {window}"
LANGUAGES = "it needs both languages and nothing else: write { vi = '…', en = '…' }"
UNSEEN = "vi holds a line break or an invisible character: write it on one line"


def both(vi: object, en: object = "e") -> dict[str, object]:
    """A text in both languages."""
    return {"vi": vi, "en": en}


@pytest.mark.parametrize(
    ("read", "raw", "expected"),
    [
        (values.rule_id, "a", "a"),
        (values.rule_id, "0-_z", "0-_z"),
        (values.rule_id, "a" * 64, "a" * 64),
        (COLOURS, "green", "green"),
        (values.flag, True, True),
        (values.flag, False, False),
        (values.count, 1, 1),
        (values.count, 20, 20),
        (values.number, 0.5, 0.5),
        (values.number, -3, -3.0),
        (values.duration, "90s", 90),
        (values.duration, "10m", 600),
        (values.duration, "4h", 14_400),
        (values.duration, "366d", YEAR_S),
        (values.minute_of_day, "00:00", 0),
        (values.minute_of_day, "08:05", 485),
        (values.minute_of_day, "19:59", 1_199),
        (values.minute_of_day, "23:59", 1_439),
        (values.day_times, "21:00-07:30", DayTimes(1_260, 450)),
        (values.day_times, " 12:00 - 24:00 ", DayTimes(720, 1_440)),
        (values.day_times, "00:00-00:01", DayTimes(0, 1)),
        (NAMES, ["b", "a", "b"], ("b", "a")),
        (values.or_none(values.count), "none", None),
        (values.or_none(values.count), 3, 3),
        (values.title, both(" {unit} chậm "), Text("{unit} chậm", "e")),
        (values.title, both("{{x}}"), Text("{{x}}", "e")),
        (values.title, both("a" * 150), Text("a" * 150, "e")),
        (values.title, both("e\u0302\u0323"), Text("\u1ec7", "e")),
        (values.text, both("a\nb", "c\nd"), Text("a\nb", "c\nd")),
        (values.text, both("a" * 1_000), Text("a" * 1_000, "e")),
        (values.text, both("{n} {since}"), Text("{n} {since}", "e")),
    ],
)
def test_what_is_written_well_is_taken(read: Read, raw: object, expected: object) -> None:
    """Units are seconds and minutes of the day; words are trimmed and NFC; names lose their repeats."""
    rv = read(raw)

    assert rv == expected
    assert type(rv) is type(expected)


@pytest.mark.parametrize(
    ("read", "raw", "sentence"),
    [
        *(
            (values.rule_id, raw, f"{raw!r} is no id: write 1 to 64 small letters, digits, - and _")
            for raw in ("", "-a", "_a", "A", "a b", "é", "a" * 65, "a\n", 7, None)
        ),
        (COLOURS, "blue", "'blue' is unknown: write one of red, green"),
        (COLOURS, ["red"], "['red'] is unknown: write one of red, green"),
        *(
            (values.flag, raw, f"{raw!r} is neither true nor false: write one of them without quotes")
            for raw in (1, "true")
        ),
        *(
            (values.count, raw, f"{raw!r} is no count: write a whole number from 1")
            for raw in (0, -1, 1.5, True, "3")
        ),
        *(
            (values.number, raw, f"{raw!r} is no number: write one without quotes, such as 0.95")
            for raw in (True, "0.5", float("inf"), float("-inf"), None)
        ),
        (values.duration, 600, "600 is no duration: write it in quotes with s, m, h or d, such as '10m'"),
        (values.duration, "367d", "'367d' is longer than a year: write less"),
        *(
            (values.minute_of_day, raw, f"{raw!r} is no time of day: write it as '08:00', '00:00' to '23:59'")
            for raw in ("8:00", "24:00", "12:60", "08:00 ", "٠٨:٠٠", 800)
        ),
        (values.day_times, "21:00", "'21:00' is no span of the day: write it as '21:00-07:00'"),
        (values.day_times, 21, "21 is no span of the day: write it as '21:00-07:00'"),
        (values.day_times, "21-07:00", "'21' is no time of day: write it as '08:00', '00:00' to '23:59'"),
        (values.day_times, "1:00-2:00-3:00", "'1:00' is no time of day: write it as '08:00', '00:00' to '23:59'"),
        (values.day_times, "24:00-07:00", "'24:00' is no time of day: write it as '08:00', '00:00' to '23:59'"),
        *(
            (values.day_times, raw, f"{raw!r} is no part of the day: let it end at another time than it begins")
            for raw in ("07:00-07:00", "00:00-24:00", "00:00-00:00")
        ),
        *(
            (NAMES, raw, f"{raw!r} is no list of groups: write it as ['unit', 'operators']")
            for raw in ([], "a", ["a", 1], None)
        ),
        (NAMES, ["a", "c"], "'c' is unknown: write one of a, b, or add the group"),
        *((values.title, raw, LANGUAGES) for raw in ("late", {"vi": "a"}, {"vi": "a", "en": "b", "fr": "c"}, None)),
        (values.title, both(""), "vi is empty: write some words in quotes"),
        (values.title, both("a", " \n"), "en is empty: write some words in quotes"),
        (values.title, both("a", 3), "en is empty: write some words in quotes"),
        (values.title, both("a" * 151), "vi has 151 characters: write at most 150"),
        (values.text, both("a", "b" * 1_001), "en has 1001 characters: write at most 1000"),
        *((values.title, both(f"a{sign}b"), UNSEEN) for sign in "\n\r\t\u200b\u2028\u2029\u202e"),
        *((values.text, both(f"a{sign}b"), UNSEEN) for sign in "\r\t\u200b\u2028\u2029\u202e"),
        (values.title, both("{"), "vi has a single brace: write {unit} for a placeholder, {{ for a brace"),
        (values.text, both("a", "}"), "en has a single brace: write {unit} for a placeholder, {{ for a brace"),
        *(
            (
                values.text,
                both(f"{{unit}} {{{gap}}}"),
                f"vi has the unknown placeholder {{{gap}}}: write one of {KNOWN}",
            )
            for gap in ("name", "", "0", "unit.x", "unit!r", "rate:9", "rate!s:9")
        ),
    ],
)
def test_what_is_written_wrong_is_refused_with_the_remedy(read: Read, raw: object, sentence: str) -> None:
    """The operator reads what was found and what to write instead."""
    with pytest.raises(ValueError, match=f"^{re.escape(sentence)}$"):
        read(raw)
