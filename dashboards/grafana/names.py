"""Names that must never change: Grafana finds what it already has by them."""

from typing import Final, Literal

__all__ = [
    "DATASOURCE",
    "FOLDER",
    "FOLDER_TITLE",
    "LANGS",
    "MIN_GRAFANA",
    "PLUGIN",
    "PLUGIN_VERSION",
    "REFRESH_S",
    "RULE_GROUP",
    "TIMEZONE",
    "UNIT_VARIABLE",
    "Lang",
    "dashboard_uid",
]

Lang = Literal["vi", "en"]
LANGS: Final[tuple[Lang, ...]] = ("vi", "en")

PLUGIN: Final = "grafana-clickhouse-datasource"
PLUGIN_VERSION: Final = "4.20.0"
"""Written into every query; without it the plugin takes a query for one of its version 3."""
DATASOURCE: Final = "nhip-clickhouse"
"""Uid of the data source; panels and alerts depend on it."""
FOLDER: Final = "nhip"
FOLDER_TITLE: Final = "Nhịp dịch vụ công"
RULE_GROUP: Final = "nhip-pipeline"
MIN_GRAFANA: Final = 12
TIMEZONE: Final = "Asia/Ho_Chi_Minh"
REFRESH_S: Final = 10
"""How often a dashboard asks again. Grafana's own least value is 5 s; all walls share one pool of connections."""
UNIT_VARIABLE: Final = "unit"
"""The one template variable: which unit the unit screen shows."""


def dashboard_uid(screen: str, lang: Lang) -> str:
    """Uid of a screen's dashboard in one language."""
    return f"nhip-{screen}-{lang}"
