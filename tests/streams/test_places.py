"""Places: numbers for where marks count, and in which period."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from contract.units import START_S, Period, UnitTree
from streams.places import Places

NOW_S = 1_770_003_600
PERIODS: dict[tuple[str, str | None], list[Period]] = {
    ("a", None): [(START_S, ("unit:a", "unit:old")), (NOW_S, ("unit:a", "unit:new", "unit:top"))],
    ("a", "f"): [(START_S, ("unit:a", "unit:old", "field:f")), (NOW_S, ("unit:a", "field:f"))],
    ("b", None): [(START_S, ("unit:b",))],
    ("c", None): [(START_S, ("unit:c", "unit:top"))],
}


def test_a_name_keeps_its_number() -> None:
    """Units and fields are met in any order and again and again; a number points to its name."""
    places = Places(UnitTree([]).periods)

    numbers = [places.place(unit, field) for unit, field in [("a", None), ("a", "f"), ("b", None), ("a", "f")]]

    assert numbers == [0, 1, 2, 1]
    assert places.scopes == ("unit:a", "field:f", "unit:b")
    assert places.scope("unit:b") == 2
    assert places.scope("unit:new") == 3


@given(st.lists(st.tuples(st.sampled_from(list(PERIODS)), st.integers(NOW_S - 5, NOW_S + 5)), min_size=1))
def test_every_mark_finds_the_scopes_of_its_own_time(marks: list[tuple[tuple[str, str | None], int]]) -> None:
    """In columns the same as one by one, whether units have moved or not, also when places come later."""
    places = Places(lambda unit, field: PERIODS[unit, field])
    for first in (1, len(marks)):
        some = marks[:first]
        numbers = np.array([places.place(*place) for place, _ in some], np.int64)

        scopes, which = places.spread(places.periods(numbers, np.array([at_s for _, at_s in some], np.int64)))

        found = [[places.scopes[n] for n in scopes[which == mark].tolist()] for mark in range(len(some))]
        assert found == [
            list([names for start_s, names in PERIODS[place] if start_s <= at_s][-1]) for place, at_s in some
        ]
