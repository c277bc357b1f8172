"""How figures look: thresholds, colours and the glyphs' colours, the same on every panel.

Colours: Okabe and Ito, "Color Universal Design" (2008), told apart by colour-blind people. No colour stands
alone: every state has a glyph and a word.
"""

import math
from typing import Final

from grafana_foundation_sdk.builders import dashboard as build
from grafana_foundation_sdk.models import dashboard as model

from contract.indicators import Indicator
from dashboards.grafana.names import Lang
from dashboards.grafana.sql_parts import said
from dashboards.grafana.words import GLYPHS, G
from dashboards.targets import Target

__all__ = ["COLOURS", "NO_VALUE", "SERIES", "colour_modes", "mappings", "neutral", "plain", "rate_properties"]

COLOURS: Final = {"ok": "#009E73", "watch": "#E69F00", "bad": "#D55E00", "none": "#999999"}
SERIES: Final = ("#56B4E9", "#E69F00")
NO_VALUE: Final = "–"
_TEXT: Final = "text"
"""Grafana's name of the colour of ordinary text in the theme."""


def neutral() -> build.FieldColor:
    """Return the colour of what is not judged."""
    return build.FieldColor().mode(model.FieldColorModeId.FIXED).fixed_color(_TEXT)


def plain() -> build.ThresholdsConfig:
    """Return thresholds that judge nothing."""
    return build.ThresholdsConfig().mode(model.ThresholdsMode.ABSOLUTE).steps([model.Threshold(None, _TEXT)])


def mappings(lang: Lang) -> list[model.ValueMapping]:
    """Return what colours a text by its glyph, and grey for what is too old."""
    stale = said(G["stale"], lang).split("{age}", maxsplit=1)[0]
    patterns = [(f"/^{glyph}/", COLOURS[state]) for state, glyph in GLYPHS.items()]
    patterns.append((f"/^{stale}/", COLOURS["none"]))
    return [
        model.RegexMap(model.DashboardRegexMapOptions(pattern, model.ValueMappingResult(color=colour, index=n)))
        for n, (pattern, colour) in enumerate(patterns)
    ]


def rate_properties(indicator: Indicator, target: Target) -> list[model.DynamicConfigValue]:
    """Return how a rate is written and coloured: percent, and the target's thresholds."""
    return [
        model.DynamicConfigValue("unit", "percentunit"),
        model.DynamicConfigValue("decimals", 1),
        model.DynamicConfigValue("color", {"mode": "thresholds"}),
        model.DynamicConfigValue("thresholds", {"mode": "absolute", "steps": _steps(indicator, target)}),
    ]


def colour_modes(colours: dict[str, str]) -> list[tuple[str, list[model.DynamicConfigValue]]]:
    """Return a fixed colour for each series by its name."""
    return [
        (name, [model.DynamicConfigValue("color", {"mode": "fixed", "fixedColor": colour})])
        for name, colour in colours.items()
    ]


def _steps(indicator: Indicator, target: Target) -> list[dict[str, object]]:
    if indicator.higher_is_better:
        steps = [("bad", None), ("watch", target.watch), ("ok", target.value)]
    else:
        # A step begins at its value; a target that is just reached must still be met.
        steps = [("ok", None), ("watch", math.nextafter(target.value, 2)), ("bad", math.nextafter(target.watch, 2))]
    if target.watch == target.value:
        del steps[1]
    return [{"color": COLOURS[colour], "value": value} for colour, value in steps]
