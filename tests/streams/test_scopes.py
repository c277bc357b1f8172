"""Scope patterns."""

import pytest

from streams.scopes import matches, names_something
from tests.support.rules import TREE


@pytest.mark.parametrize(
    ("pattern", "scope", "expected"),
    [
        ("unit:*", "unit:c0", True),
        ("unit:*", "unit:unknown", True),
        ("unit:*", "field:land", False),
        ("unit:c1*", "unit:c11", True),
        ("unit:c1", "unit:c11", False),
        ("level:commune", "unit:c0", True),
        ("level:commune", "unit:p", False),
        ("level:commune", "unit:unknown", False),
        ("level:commune", "field:commune", False),
        ("level:commune", "field:c0", False),
        ("field:land", "field:land", True),
        ("source:onestop/*", "source:onestop/H19.12", True),
        ("source:urn:*", "source:urn:x", True),
        ("source:urn:x", "source:urn", False),
        ("system:stream", "system:stream", True),
    ],
)
def test_patterns_match_whole_names(pattern: str, scope: str, *, expected: bool) -> None:
    """Also units that no list has, which count in their own right; only those of a kind need a list."""
    assert matches(pattern, scope, TREE) is expected


def test_a_pattern_that_can_never_match_is_known() -> None:
    """Units, kinds and the system are listed; of fields and sources any may come."""
    fitting = ("unit:c*", "level:province", "field:any", "source:x", "system:*")
    idle = ("unit:x", "unit:c0:x", "level:ward", "system:disk", "field:")

    assert all(names_something(pattern, TREE) for pattern in fitting)
    assert not any(names_something(pattern, TREE) for pattern in idle)
