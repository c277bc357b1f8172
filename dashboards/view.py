"""What every panel is drawn from: the newest data, the units, the targets, and the place that is shown."""

from dataclasses import dataclass
from typing import Any

from contract.days import local_date
from contract.registry import KINDS
from contract.units import UnitTree
from contract.words import WORDS, Text, same
from dashboards.data import Data, ScopeDetail
from dashboards.screens import Panel, ScopeKind
from dashboards.targets import State, Targets
from sinks.reads import SourceAge
from streams.clock import US_PER_S

__all__ = ["COMMUNE_KINDS", "DEPARTMENT_KINDS", "Place", "View", "text"]

COMMUNE_KINDS = ("commune", "ward", "special_zone")
DEPARTMENT_KINDS = ("department", "agency")

_TOPIC_OF = {indicator.key: kind.topic for kind in KINDS for indicator in kind.indicators}
_NO_DETAIL = ScopeDetail()


def text(found: Text) -> dict[str, str]:
    """Return a text as the screens' documents hold it."""
    return {"vi": found.vi, "en": found.en}


class Place:
    """The units of a province and their two leagues; worked out once, not for every picture."""

    def __init__(self, tree: UnitTree, province: str) -> None:
        self.tree = tree
        self.province = province
        below = tree.subtree(province)
        self.units = frozenset(below) or frozenset({province})
        kinds = {code: unit.kind for code in below if code != province and (unit := tree.get(code)) is not None}
        self.departments = tuple(code for code, kind in kinds.items() if kind in DEPARTMENT_KINDS)
        self.communes = tuple(code for code, kind in kinds.items() if kind in COMMUNE_KINDS)

    def below(self, code: str) -> frozenset[str]:
        """Return a unit and all units under it; a unit that is not in the table stands for itself."""
        return frozenset(self.tree.subtree(code)) or frozenset({code})

    def name(self, code: str) -> Text:
        """Return a unit's name in both languages."""
        return Text(self.tree.name(code, "vi"), self.tree.name(code, "en"))


@dataclass(frozen=True, slots=True)
class View:
    """One moment of one place. ``now_us`` is the wall clock; ``unit`` the unit whose screen it is, if it is one."""

    data: Data
    place: Place
    targets: Targets
    now_us: int
    unit: str | None = None

    @property
    def code(self) -> str:
        """The unit that the whole screen is about."""
        return self.unit or self.place.province

    @property
    def units(self) -> frozenset[str]:
        """That unit and all below it."""
        return self.place.units if self.unit is None else self.place.below(self.unit)

    def scope(self, panel: Panel) -> str:
        """Return the scope of a panel that tells of one unit."""
        return f"unit:{self.unit if panel.scope is ScopeKind.UNIT and self.unit else self.place.province}"

    def detail(self, panel: Panel) -> ScopeDetail:
        """Return what was read of the panel's scope; empty before it was."""
        return self.data.details.get(self.scope(panel), _NO_DETAIL)

    def name(self, code: str) -> Text:
        """Return a unit's name; one that is not in the table says so."""
        if self.place.tree.known(code):
            return self.place.name(code)
        mark = WORDS["unknown_unit"]
        return Text(f"{code} ({mark.vi})", f"{code} ({mark.en})") if code else same("–")

    def heard(self, indicators: tuple[str, ...]) -> SourceAge | None:
        """Return the newest word of any source on these indicators for the units shown; None if there was none."""
        topics = {_TOPIC_OF[key] for key in indicators}
        units = self.units
        rows = [row for row in self.data.sources if row.topic in topics and row.unit in units]
        return max(rows, key=lambda row: row.seen_us, default=None)

    def measured_us(self, panel: Panel) -> int | None:
        """Return when what the panel shows was last known to be true; None before any figure.

        That is the heartbeat, which vouches for all figures; but a figure whose sources have been silent for
        twice as long as they should is as old as their last word.
        """
        beat = self.data.beat
        if beat is None:
            return None
        newest = self.heard(panel.indicators) if panel.indicators else None
        if newest is not None and self.source_state(newest.source, newest.seen_us) == "bad":
            return min(beat.written_us, newest.seen_us)
        return beat.written_us

    def age_s(self, moment_us: int) -> int:
        """Return how long ago a moment was, whole seconds; a clock that is ahead counts as now."""
        return max(0, self.now_us - moment_us) // US_PER_S

    def source_state(self, source: str, seen_us: int) -> State:
        """Judge a source by its silence: to be watched beyond what is expected, missed beyond twice that.

        Of a source that speaks in office hours alone, only these count.
        """
        sources, expected_s = self.targets.sources, self.targets.expected_s(source)
        silent_s = sources.silent_s(source, seen_us // US_PER_S, self.now_us // US_PER_S)
        if silent_s <= expected_s:
            return "ok"
        return "watch" if silent_s <= 2 * expected_s else "bad"

    def day(self) -> str:
        """Return the local day of the data, ISO."""
        return local_date(self.data.now_s).isoformat()


Document = dict[str, Any]
