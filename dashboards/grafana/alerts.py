"""Alert rules on the pipeline itself; alerts on the rates are nhip's own.

Every statement gives exactly one row whatever the store holds, so "no data" means that the store itself does
not answer. They use no time filter: what they ask about is now, and the browser's macros do not exist here.
"""

# ruff: noqa: S608
# The statements are this program's own.

import json
from dataclasses import dataclass
from typing import Any, Final, Literal

from grafana_foundation_sdk.builders import alerting, expr
from grafana_foundation_sdk.models.alerting import RelativeTimeRange
from grafana_foundation_sdk.models.common import DataSourceRef

from contract.words import Text
from dashboards.grafana.boards import encode
from dashboards.grafana.names import DATASOURCE, FOLDER, RULE_GROUP, dashboard_uid
from dashboards.grafana.query import Query
from dashboards.grafana.sql_parts import BEAT

__all__ = ["RULES", "Rule", "rule_group"]

_EXPRESSION: Final = "__expr__"
_INTERVAL_S: Final = 60
_RANGE_S: Final = 600
_NO_DATA: Literal["Alerting"] = "Alerting"


@dataclass(frozen=True, slots=True)
class Rule:
    """Fires when ``sql``'s one value is above ``above`` for so long."""

    key: str
    title: Text
    summary: Text
    sql: str
    above: float
    hold: str
    severity: Literal["critical", "warning"]


RULES: Final = (
    Rule(
        "no-rates",
        Text("Không có số liệu mới", "No new figures"),
        Text(
            "Hơn 2 phút không có số liệu mới: kiểm tra các worker và ClickHouse (nhip status).",
            "No new figures for more than 2 minutes: look at the workers and ClickHouse (nhip status).",
        ),
        f"SELECT now() AS moment, toFloat64(dateDiff('second', max(written_at), now64(6))) AS value FROM {BEAT}",
        120,
        "0s",
        "critical",
    ),
    Rule(
        "lag",
        Text("Xử lý chậm", "Processing is late"),
        Text(
            "Bản tin mới nhất đang được xử lý đã cũ hơn 5 phút: worker quá tải, hoặc nguồn gửi muộn (nhip status).",
            "The newest event being processed is over 5 minutes old: workers are behind, or sources send late.",
        ),
        # For each topic that moved in the last two minutes: how far its newest event lies behind the wall clock.
        "SELECT now() AS moment, toFloat64(greatest(0, max(behind_s))) AS value FROM\n"
        "(\n"
        "    SELECT topic, dateDiff('second', fromUnixTimestamp64Micro(max(clock_us)), now64(6)) AS behind_s\n"
        "    FROM progress WHERE written_at > now64(3) - INTERVAL 2 MINUTE GROUP BY topic\n"
        ")",
        300,
        "5m",
        "warning",
    ),
    Rule(
        "dead-letters",
        Text("Bản tin bị từ chối", "Dead letters"),
        Text(
            "Có bản tin bị từ chối trong 15 phút qua: xem nhip dead-letters list.",
            "Records were refused in the last 15 minutes: see nhip dead-letters list.",
        ),
        "SELECT now() AS moment, toFloat64(count()) AS value FROM dead_letters FINAL\n"
        "WHERE state = 'refused' AND written_at > now64(3) - INTERVAL 15 MINUTE",
        0,
        "0s",
        "warning",
    ),
    Rule(
        "partitions",
        Text("Phân vùng chưa sẵn sàng", "Partitions not ready"),
        Text(
            "Có phân vùng Kafka chưa dựng xong số liệu trong 5 phút: xem nhật ký của worker.",
            "A partition of Kafka has had no complete figures for 5 minutes: see the workers' logs.",
        ),
        "SELECT now() AS moment, toFloat64(countIf(claimed > done)) AS value FROM\n"
        "(\n"
        "    SELECT max(epoch) AS claimed, maxIf(epoch, state = 'complete') AS done\n"
        "    FROM epochs GROUP BY topic, `partition`\n"
        ")",
        0,
        "5m",
        "critical",
    ),
)


def rule_group() -> dict[str, Any]:
    """Return the group as Grafana's HTTP API takes it; the form of provisioning files differs."""
    group = alerting.RuleGroup(RULE_GROUP).folder_uid(FOLDER).interval(_INTERVAL_S)
    for rule in RULES:
        group = group.with_rule(_rule(rule))
    found: dict[str, Any] = json.loads(encode(group.build()))
    for made in found["rules"]:
        # The server knows the organisation by the token; a 0 would name one that does not exist.
        made.pop("orgID", None)
    return found


def _rule(rule: Rule) -> alerting.Rule:
    source = DataSourceRef(_EXPRESSION, _EXPRESSION)
    span = RelativeTimeRange(_RANGE_S, 0)
    above = expr.ExprTypeThresholdConditionsEvaluator().type("gt").params([rule.above])
    return (
        alerting.Rule(f"{rule.title.vi} · {rule.title.en}")
        .uid(f"nhip-{rule.key}")
        .folder_uid(FOLDER)
        .rule_group(RULE_GROUP)
        .condition("C")
        .for_val(rule.hold)
        .no_data_state(_NO_DATA)
        .exec_err_state("Alerting")
        .labels({"severity": rule.severity, "team": "nhip"})
        .annotations(
            {
                "summary": f"{rule.summary.vi} {rule.summary.en}",
                "__dashboardUid__": dashboard_uid("sources", "vi"),
                "__panelId__": "30",
            }
        )
        .with_query(
            alerting.Query("A")
            .datasource_uid(DATASOURCE)
            .relative_time_range(span)
            .model(Query(rule.sql, "timeseries"))
        )
        .with_query(
            alerting.Query("B")
            .datasource_uid(_EXPRESSION)
            .relative_time_range(span)
            .model(expr.TypeReduce().expression("A").reducer("last").ref_id("B").datasource(source))
        )
        .with_query(
            alerting.Query("C")
            .datasource_uid(_EXPRESSION)
            .relative_time_range(span)
            .model(
                expr.TypeThreshold()
                .expression("B")
                .ref_id("C")
                .datasource(source)
                .conditions([expr.ExprTypeThresholdConditions().evaluator(above)])
            )
        )
    )
