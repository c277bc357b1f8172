"""Scope patterns: which scopes a rule watches."""

from collections.abc import Iterable
from fnmatch import fnmatchcase
from typing import Final

from contract.units import UnitTree

__all__ = ["FORMS", "matches", "names_something"]

FORMS: Final = ("unit", "level", "field", "source", "system")
"""What a pattern begins with: ``level:commune`` are the units of that kind, the others stand in the scope itself."""

STREAM: Final = "stream"
"""The only part of the system that has a gauge."""


def matches(pattern: str, scope: str, tree: UnitTree) -> bool:
    """Whether a scope is watched; a unit's kind is that of its newest row, an unknown one has none."""
    form, _, wanted = pattern.partition(":")
    kind, _, name = scope.partition(":")
    if form == "level":
        unit = tree.get(name) if kind == "unit" else None
        return unit is not None and unit.kind == wanted
    return form == kind and fnmatchcase(name, wanted)


def names_something(pattern: str, tree: UnitTree) -> bool:
    """Whether a pattern can ever match: of fields and sources there is no list, so theirs always can."""
    form, _, wanted = pattern.partition(":")
    match form:
        case "unit" | "level":
            return any(matches(pattern, f"unit:{code}", tree) for code in _codes(tree))
        case "system":
            return fnmatchcase(STREAM, wanted)
        case _:
            return bool(wanted)


def _codes(tree: UnitTree) -> Iterable[str]:
    return (code for root in tree.children(None) for code in tree.subtree(root))
