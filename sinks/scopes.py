"""Where the marks of units count, as a relation for SQL."""

from collections.abc import Callable, Sequence
from typing import Any

from contract.units import Segment
from sinks.relation import relation

__all__ = ["scopes_of"]


def scopes_of(units: Sequence[str], segments: Callable[[str], Sequence[Segment]]) -> tuple[str, dict[str, Any]]:
    """Return SQL of a relation (unit, era, scope) with its parameters.

    Eras are cut by every moment at which any of the units changes an ancestor, so that a mark finds its era by
    counting the moments before it, whatever its unit.
    """
    chains = {unit: segments(unit) for unit in units}
    starts = sorted({segment.start_s for chain in chains.values() for segment in chain[1:]})
    rows = [
        (unit, era, f"unit:{code}")
        for unit, chain in chains.items()
        for era, at_s in enumerate([chain[0].start_s, *starts])
        for code in next(s.units for s in reversed(chain) if s.start_s <= at_s)
    ]
    unit, era, scope = zip(*rows, strict=True)
    sql, parameters = relation({"unit": ("String", unit), "era": ("UInt16", era), "scope": ("String", scope)})
    return sql, parameters | {"eras": starts}
