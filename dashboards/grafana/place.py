"""Whose dashboards: the units, the targets and the province that an office has set."""

from collections.abc import Mapping
from dataclasses import dataclass

from contract.units import UnitTree
from dashboards.grafana.names import UNIT_VARIABLE, Lang
from dashboards.grafana.sql_parts import quoted
from dashboards.screens import ScopeKind
from dashboards.targets import Targets

__all__ = ["COMMUNE_KINDS", "Office", "Place"]

COMMUNE_KINDS = frozenset({"commune", "ward", "special_zone"})
"""Kinds of units that are compared as communes; all others below a province are departments."""


@dataclass(frozen=True, slots=True)
class Office:
    """What the dashboards are made for. ``province`` is the code of the unit that is shown first."""

    tree: UnitTree
    targets: Targets
    province: str

    def members(self, scope: ScopeKind) -> tuple[str, ...]:
        """Return the codes of the units of a league."""
        below = self.tree.subtree(self.province)[1:]
        communes = tuple(code for code in below if self._kind(code) in COMMUNE_KINDS)
        if scope is ScopeKind.COMMUNES:
            return communes
        return tuple(code for code in below if code not in set(communes))

    def units(self) -> tuple[str, ...]:
        """Return the province and everything below it."""
        return self.tree.subtree(self.province) or (self.province,)

    def _kind(self, code: str) -> str:
        unit = self.tree.get(code)
        return "" if unit is None else unit.kind


@dataclass(frozen=True, slots=True)
class Place:
    """An office in one language."""

    office: Office
    lang: Lang

    def names(self) -> Mapping[str, str]:
        """Return the names of all units of the office, by code."""
        return {code: self.office.tree.name(code, self.lang) for code in self.office.units()}

    def unit(self) -> str:
        """Return the expression of the unit that the unit screen shows."""
        return f"${{{UNIT_VARIABLE}:singlequote}}"

    def scope(self, kind: ScopeKind) -> str:
        """Return the expression of one scope: the province, or the unit chosen."""
        if kind is ScopeKind.UNIT:
            return f"concat('unit:', {self.unit()})"
        return quoted(f"unit:{self.office.province}")
