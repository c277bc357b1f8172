"""One table of the rules' file: what it gives, and where and how its faults are noted."""

import pytest

from streams.rule_table import Fault, Table
from streams.rule_values import count

LINES = {("rule", 0, ""): 4, ("rule", 0, "n"): 6, ("defaults", 0, ""): 1, ("", 0, "rule"): 9}


def table(*, place: tuple[str, int] = ("rule", 0), **found: object) -> tuple[Table, list[Fault]]:
    """A table with these keys, and the list of its faults."""
    faults: list[Fault] = []
    return Table(found, place, LINES, faults), faults


@pytest.mark.parametrize(
    ("place", "key", "line"),
    [
        pytest.param(("rule", 0), "n", 6, id="the line of the key"),
        pytest.param(("rule", 0), "other", 4, id="a key that is left out: the head"),
        pytest.param(("rule", 0), "", 4, id="the head"),
        pytest.param(("rule", 7), "n", 9, id="a table written on one line: the key that holds it"),
        pytest.param(("defaults", 0), "n", 1, id="another table's head"),
        pytest.param(("elsewhere", 0), "n", 0, id="the whole file"),
    ],
)
def test_a_fault_stands_in_the_nearest_line(place: tuple[str, int], key: str, line: int) -> None:
    """The key's own, else the table's head, else that of the key that holds the table."""
    made, _ = table(place=place)

    assert made.line(key) == line


@pytest.mark.parametrize(
    ("place", "found", "key", "text"),
    [
        (("rule", 0), {"id": "a"}, "n", "rule 'a': n: wrong"),
        (("rule", 0), {"id": "a"}, "", "rule 'a': wrong"),
        (("rule", 0), {}, "n", "rule 1: n: wrong"),
        (("rule", 2), {}, "n", "rule 3: n: wrong"),
        (("rule", 0), {"id": 5}, "n", "rule 5: n: wrong"),
        (("defaults", 0), {"id": "a"}, "n", "defaults: n: wrong"),
    ],
)
def test_a_fault_names_its_table(place: tuple[str, int], found: dict[str, object], key: str, text: str) -> None:
    """A rule by its id, without one by its number from 1."""
    made, faults = table(place=place, **found)

    made.fault(key, "wrong")

    assert [fault.text for fault in faults] == [text]
    assert faults[0].line == made.line(key)


def test_a_value_is_taken_or_replaced() -> None:
    """What is left out is not noted, what is wrong is; both give what stands for a missing value."""
    made, faults = table(n=3, m=0)

    taken = made.take("n", count, 20), made.take("left_out", count, 20), made.take("m", count, 20)

    assert taken == (3, 20, 20)
    assert faults == [Fault(4, "rule 1: m: 0 is no count: write a whole number from 1")]
    assert ("n" in made, "left_out" in made) == (True, False)


def test_a_value_that_is_needed_is_asked_for() -> None:
    """At the head of the table when it is left out, in its line when it is wrong."""
    made, faults = table(n=0, m=3)

    needed = made.need("m", count), made.need("left_out", count), made.need("n", count)

    assert needed == (3, None, None)
    assert faults == [
        Fault(4, "rule 1: left_out is missing: add it"),
        Fault(6, "rule 1: n: 0 is no count: write a whole number from 1"),
    ]


def test_keys_that_nothing_reads_or_that_have_no_effect_are_noted() -> None:
    """Each with what to do about it; known and absent keys are fine."""
    made, faults = table(n=3, x=1, y=2)

    made.only({"n", "b", "y"})
    made.without(("y", "absent"), "in a digest")

    assert [fault.text for fault in faults] == [
        "rule 1: x: the key is unknown: write one of b, n, y, or remove it",
        "rule 1: y: it has no effect in a digest: remove it",
    ]
