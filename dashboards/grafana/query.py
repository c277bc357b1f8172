"""A query of grafana-clickhouse-datasource 4 for grafana-foundation-sdk, which has none of its own."""

from typing import Any, Final, Literal, Self

from grafana_foundation_sdk.cog import builder as cogbuilder
from grafana_foundation_sdk.cog import runtime as cogruntime
from grafana_foundation_sdk.cog import variants as cogvariants

from dashboards.grafana.names import DATASOURCE, PLUGIN, PLUGIN_VERSION, TIMEZONE

__all__ = ["FORMATS", "ClickHouseQuery", "Query", "QueryType", "variant_config"]

QueryType = Literal["table", "timeseries"]
FORMATS: Final[dict[str, int]] = {"timeseries": 0, "table": 1}
"""Format numbers of the plugin's backend; a time series needs a time column and ORDER BY it."""


class ClickHouseQuery(cogvariants.Dataquery):
    """The query as it stands in a panel or an alert rule. ``raw_sql`` is the only text that the backend runs."""

    def __init__(
        self,
        raw_sql: str,
        query_type: QueryType = "table",
        ref_id: str = "A",
        datasource_uid: str = DATASOURCE,
        plugin_version: str = PLUGIN_VERSION,
    ) -> None:
        self.raw_sql = raw_sql
        self.query_type: QueryType = query_type
        self.ref_id = ref_id
        self.datasource_uid = datasource_uid
        self.plugin_version = plugin_version

    def to_json(self) -> dict[str, object]:
        """Return the query as Grafana stores it."""
        return {
            "datasource": {"type": PLUGIN, "uid": self.datasource_uid},
            "editorType": "sql",
            "format": FORMATS[self.query_type],
            "meta": {"timezone": TIMEZONE},
            "pluginVersion": self.plugin_version,
            "queryType": self.query_type,
            "rawSql": self.raw_sql,
            "refId": self.ref_id,
        }

    @classmethod
    def from_json(cls, data: dict[str, Any]) -> Self:
        """Read what ``to_json`` wrote."""
        return cls(data["rawSql"], data["queryType"], data["refId"], data["datasource"]["uid"], data["pluginVersion"])


class Query(cogbuilder.Builder[ClickHouseQuery]):
    """Builder of a query, as the SDK's panels and rules want one."""

    def __init__(self, sql: str, query_type: QueryType = "table", ref_id: str = "A") -> None:
        self._internal = ClickHouseQuery(sql, query_type, ref_id)

    def build(self) -> ClickHouseQuery:
        """Return the query."""
        return self._internal


def variant_config() -> cogruntime.DataqueryConfig:
    """Tell the SDK how to read such a query back; needed for round trips alone."""
    return cogruntime.DataqueryConfig(identifier=PLUGIN, from_json_hook=ClickHouseQuery.from_json)
