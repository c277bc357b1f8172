"""Panels of the one definition as Grafana panels: a form becomes the visualisation that reads best from afar."""

# ruff: noqa: FBT003
# The SDK's builders take their switches by position.

from collections.abc import Iterator
from typing import Any, Final

from grafana_foundation_sdk.builders import barchart, stat, timeseries
from grafana_foundation_sdk.builders import common as build_common
from grafana_foundation_sdk.builders import table as build_table
from grafana_foundation_sdk.cog.builder import Builder
from grafana_foundation_sdk.models import common
from grafana_foundation_sdk.models import dashboard as model

from contract.numbers import duration_text
from contract.registry import INDICATORS
from contract.words import WINDOW_WORDS, WORDS
from dashboards.bars import series_of
from dashboards.grafana.look import NO_VALUE, SERIES, colour_modes, mappings, neutral, plain, rate_properties
from dashboards.grafana.names import DATASOURCE, PLUGIN, Lang
from dashboards.grafana.place import Place
from dashboards.grafana.query import Query
from dashboards.grafana.sql import Statement, statement, trend
from dashboards.grafana.sql_parts import said
from dashboards.grafana.words import G
from dashboards.screens import Content, Form, Grid, Panel

__all__ = ["COLUMN_WIDTH", "ROW_HEIGHT", "panels"]

COLUMN_WIDTH: Final = 2
"""Grafana columns of one column of a screen."""
ROW_HEIGHT: Final = 3
"""Grafana rows of one row of a screen: ten of them fill a screen of 16:9 in a playlist that fits panels."""
_TREND_HEIGHT: Final = 4
"""Grafana rows of the history under a headline, where there is room for it."""


def panels(number: int, panel: Panel, place: Place) -> Iterator[Builder[model.Panel]]:
    """Yield the panels that show one panel of a screen; ``number`` is its place, from 0, and gives their ids."""
    match panel.form:
        case Form.HEADLINE:
            yield from _headline(number, panel, place)
        case Form.BARS:
            yield _bars(number, panel, place)
        case Form.FACTS:
            yield _stat(number, panel, place).orientation(common.VizOrientation.AUTO)
        case Form.AGES if panel.grid.h == 1:
            yield _strip(number, panel, place)
        case _:
            yield _table(number, panel, place)


def _headline(number: int, panel: Panel, place: Place) -> Iterator[Builder[model.Panel]]:
    (key,) = panel.indicators
    properties = rate_properties(INDICATORS[key], place.office.targets.of(key))
    rate = said(G["rate"], place.lang)
    figure = _stat(number, panel, place).override_by_name(rate, properties)
    x, y, w, h = _grid(panel.grid)
    below = _TREND_HEIGHT if h >= 3 * _TREND_HEIGHT else 0
    yield figure.grid_pos(_position(x, y, w, h - below)).orientation(common.VizOrientation.HORIZONTAL)
    if below:
        name = _title(panel, place.lang)
        yield (
            timeseries.Panel()
            .id(_id(number) + 1)
            .title(said(G["trend"], place.lang))
            .description(f"{name}: {said(G['trend'], place.lang)}")
            .datasource(_source())
            .grid_pos(_position(x, y + h - below, w, below))
            .transparent(True)
            .unit("percentunit")
            .decimals(0)
            .no_value(NO_VALUE)
            .legend(build_common.VizLegendOptions().show_legend(False).display_mode(common.LegendDisplayMode.LIST))
            .axis_placement(common.AxisPlacement.HIDDEN)
            .line_width(2)
            .fill_opacity(15)
            .show_points(common.VisibilityMode.NEVER)
            .with_target(_query(trend(panel, place)))
        )


def _stat(number: int, panel: Panel, place: Place) -> stat.Panel:
    """Every column of one row, each with its name."""
    found: stat.Panel = (
        _common(stat.Panel(), number, panel, place)
        .graph_mode(common.BigValueGraphMode.NONE)
        .color_mode(common.BigValueColorMode.VALUE)
        .text_mode(common.BigValueTextMode.VALUE_AND_NAME)
        .justify_mode(common.BigValueJustifyMode.AUTO)
        .reduce_options(build_common.ReduceDataOptions().values(False).calcs(["lastNotNull"]).fields("/.*/"))
        .thresholds(plain())
        .color_scheme(neutral())
    )
    return found


def _strip(number: int, panel: Panel, place: Place) -> Builder[model.Panel]:
    """One value for each row, side by side: sources in a low panel."""
    fields = f"/^{said(G['state'], place.lang)}$/"
    return (
        _stat(number, panel, place)
        .orientation(common.VizOrientation.VERTICAL)
        .reduce_options(build_common.ReduceDataOptions().values(True).limit(panel.rows + 1).calcs([]).fields(fields))
        .display_name("${__data.fields[0]} · ${__data.fields[1]}")
    )


def _bars(number: int, panel: Panel, place: Place) -> Builder[model.Panel]:
    lang = place.lang
    names = [said(name, lang) for name, _, _ in series_of(panel)]
    found: barchart.Panel = (
        _common(barchart.Panel(), number, panel, place)
        .x_field(said(G["hour"], lang))
        .x_tick_label_spacing(100)
        .show_value(common.VisibilityMode.NEVER)
        .legend(
            build_common.VizLegendOptions()
            .show_legend(True)
            .display_mode(common.LegendDisplayMode.LIST)
            .placement(common.LegendPlacement.BOTTOM)
        )
        .fill_opacity(85)
        .min(0)
    )
    for name, properties in colour_modes(dict(zip(names, SERIES, strict=False))):
        found = found.override_by_name(name, properties)
    return found


def _table(number: int, panel: Panel, place: Place) -> Builder[model.Panel]:
    lang = place.lang
    found: build_table.Panel = (
        _common(build_table.Panel(), number, panel, place)
        .show_header(True)
        .cell_height(common.TableCellHeight.MD)
        .filterable(False)
        .thresholds(plain())
        .color_scheme(neutral())
        .cell_options(common.TableColorTextCellOptions())
    )
    if panel.form in (Form.LEAGUE, Form.RATES):
        (key,) = panel.indicators
        properties = rate_properties(INDICATORS[key], place.office.targets.of(key))
        found = found.override_by_name(said(G["rate"], lang), properties)
    if panel.content is Content.AGEING:
        gauge = common.TableBarGaugeCellOptions(mode=common.BarGaugeDisplayMode.BASIC)
        properties = [
            model.DynamicConfigValue("custom.cellOptions", gauge.to_json()),
            model.DynamicConfigValue("color", {"mode": "fixed", "fixedColor": SERIES[0]}),
            model.DynamicConfigValue("min", 0),
        ]
        found = found.override_by_name(said(WORDS["count"], lang), properties)
    return found


def _common(builder: Any, number: int, panel: Panel, place: Place) -> Any:
    return (
        builder.id(_id(number))
        .title(_title(panel, place.lang))
        .description(_description(panel, place.lang))
        .datasource(_source())
        .grid_pos(_position(*_grid(panel.grid)))
        .no_value(NO_VALUE)
        .mappings(mappings(place.lang))
        .with_target(_query(statement(panel, place)))
    )


def _query(found: Statement) -> Query:
    return Query(found.sql, found.query_type)


def _source() -> common.DataSourceRef:
    return common.DataSourceRef(type_val=PLUGIN, uid=DATASOURCE)


def _id(number: int) -> int:
    return 10 * (number + 1)


def _title(panel: Panel, lang: Lang) -> str:
    name = said(panel.names, lang)
    if panel.window is None or panel.content in (Content.PER_HOUR, Content.AGEING, Content.MOST_OVERDUE):
        return name
    window = said(WINDOW_WORDS[panel.window], lang)
    told = " ".join(name.casefold().split()).endswith(window.casefold())  # also with a space that does not break
    return name if told else f"{name} · {window}"


def _description(panel: Panel, lang: Lang) -> str:
    limit = said(G["limit"], lang).format(age=said(duration_text(panel.limit_s), lang))
    if panel.content is not Content.RATE:
        return f"{said(panel.names, lang)}. {limit}"
    indicator = INDICATORS[panel.indicators[0]]
    return f"{indicator.name_vi if lang == 'vi' else indicator.name_en}. {limit}"


def _grid(grid: Grid) -> tuple[int, int, int, int]:
    return grid.x * COLUMN_WIDTH, grid.y * ROW_HEIGHT, grid.w * COLUMN_WIDTH, grid.h * ROW_HEIGHT


def _position(x: int, y: int, w: int, h: int) -> model.GridPos:
    return model.GridPos(h=h, w=w, x=x, y=y)
