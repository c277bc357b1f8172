"""Targets of the screens: those declared with the indicators unless ``config/targets.toml`` says otherwise."""

import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Literal

import msgspec
from msgspec import Meta

from contract.indicators import Indicator, Target
from contract.registry import INDICATORS
from contract.sources import Sources

__all__ = ["State", "Target", "Targets", "TargetsError", "load_targets", "parse_targets", "state_of"]

State = Literal["ok", "watch", "bad", "none"]


class TargetsError(ValueError):
    """The file of targets cannot be used; the text names file and key and says what to do."""


class Targets(msgspec.Struct, frozen=True, kw_only=True):
    """Everything that an office decides about its screens."""

    indicators: Mapping[str, Target]
    sources: Sources

    def of(self, indicator: str) -> Target:
        """Return the target of an indicator of the registry."""
        return self.indicators[indicator]

    def expected_s(self, source: str) -> int:
        """Return how many seconds may pass between two words of a source."""
        return self.sources.of(source).expected_s

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


class _File(msgspec.Struct, forbid_unknown_fields=True):
    indicators: Mapping[str, Target] = msgspec.field(default_factory=dict)
    minimum_n: Annotated[int, Meta(ge=1)] = 20


def load_targets(path: Path, sources: Sources) -> Targets:
    """Read the file; ``sources`` come from one of their own. Raises TargetsError."""
    try:
        text = path.read_text("utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise TargetsError(f"{path}: the targets cannot be read: {error}") from error
    return parse_targets(text, str(path), sources)


def parse_targets(text: str, origin: str, sources: Sources) -> Targets:
    """Read targets from text; ``origin`` names it in errors. Raises TargetsError."""
    try:
        found = msgspec.convert(tomllib.loads(text), _File)
    except (tomllib.TOMLDecodeError, msgspec.ValidationError) as error:
        raise TargetsError(f"{origin}: {error}: correct this key") from None
    if unknown := sorted(found.indicators.keys() - INDICATORS.keys()):
        raise TargetsError(f"{origin}: indicators.{unknown[0]} is unknown; known: {', '.join(INDICATORS)}")
    for key, target in found.indicators.items():
        if (target.watch > target.value) == INDICATORS[key].higher_is_better and target.watch != target.value:
            side = "at or below" if INDICATORS[key].higher_is_better else "at or above"
            raise TargetsError(f"{origin}: indicators.{key}.watch must be {side} value ({target.value})")
    filled = {
        key: msgspec.structs.replace(target, minimum_n=target.minimum_n or found.minimum_n)
        for key, indicator in INDICATORS.items()
        for target in [found.indicators.get(key, indicator.target)]
    }
    return Targets(indicators=filled, sources=sources)
