"""Targets of the screens, read from ``config/targets.toml``, and what a rate means against them."""

import tomllib
from collections.abc import Mapping
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Annotated, Literal

import msgspec
from msgspec import Meta

from contract.indicators import Indicator
from contract.registry import INDICATORS

__all__ = ["SourcePace", "State", "Target", "Targets", "TargetsError", "load_targets", "parse_targets", "state_of"]

State = Literal["ok", "watch", "bad", "none"]
Share = Annotated[float, Meta(ge=0, le=1)]


class TargetsError(ValueError):
    """The file of targets cannot be used; the text names file and key and says what to do."""


class Target(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """Target of one indicator as shares; with fewer cases than ``minimum_n`` a figure is not judged."""

    value: Share
    watch: Share
    source: str
    minimum_n: Annotated[int, Meta(ge=1)] = 0


class SourcePace(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """How often the sources whose name fits the pattern speak, in seconds."""

    pattern: str
    expected_s: Annotated[int, Meta(ge=1)]


class Targets(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """Everything that an office decides about its screens."""

    indicators: Mapping[str, Target]
    sources: tuple[SourcePace, ...]
    minimum_n: Annotated[int, Meta(ge=1)] = 20

    def of(self, indicator: str) -> Target:
        """Return the target of an indicator of the registry."""
        return self.indicators[indicator]

    def expected_s(self, source: str) -> int:
        """Return how many seconds may pass between two words of a source."""
        return next(pace.expected_s for pace in self.sources if fnmatchcase(source, pace.pattern))

    def state(self, indicator: str, numerator: int, denominator: int) -> State:
        """Return what a figure of this indicator means."""
        return state_of(INDICATORS[indicator], self.of(indicator), numerator, denominator)


def state_of(indicator: Indicator, target: Target, numerator: int, denominator: int) -> State:
    """Judge a figure: met, to be watched, missed, or none when too little was counted to say."""
    if denominator < target.minimum_n or denominator == 0:
        return "none"
    rate = numerator / denominator
    better = rate >= target.value if indicator.higher_is_better else rate <= target.value
    if better:
        return "ok"
    near = rate >= target.watch if indicator.higher_is_better else rate <= target.watch
    return "watch" if near else "bad"


def load_targets(path: Path) -> Targets:
    """Read the file. Raises TargetsError."""
    try:
        text = path.read_text("utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise TargetsError(f"{path}: the targets cannot be read: {error}") from error
    return parse_targets(text, str(path))


def parse_targets(text: str, origin: str) -> Targets:
    """Read targets from text; ``origin`` names it in errors. Raises TargetsError."""
    try:
        found = msgspec.convert(tomllib.loads(text), Targets)
    except (tomllib.TOMLDecodeError, msgspec.ValidationError) as error:
        raise TargetsError(f"{origin}: {error}: correct this key") from None
    if unknown := sorted(found.indicators.keys() - INDICATORS.keys()):
        raise TargetsError(f"{origin}: indicators.{unknown[0]} is unknown; known: {', '.join(INDICATORS)}")
    if missing := [key for key in INDICATORS if key not in found.indicators]:
        raise TargetsError(f"{origin}: indicators.{missing[0]} is missing: add its value, watch and source")
    for key, target in found.indicators.items():
        if (target.watch > target.value) == INDICATORS[key].higher_is_better and target.watch != target.value:
            side = "at or below" if INDICATORS[key].higher_is_better else "at or above"
            raise TargetsError(f"{origin}: indicators.{key}.watch must be {side} value ({target.value})")
    if not any(pace.pattern == "*" for pace in found.sources):
        raise TargetsError(f'{origin}: sources has no entry with pattern = "*": add one as the last, for all others')
    filled = {
        key: msgspec.structs.replace(target, minimum_n=target.minimum_n or found.minimum_n)
        for key, target in found.indicators.items()
    }
    return msgspec.structs.replace(found, indicators=filled)
