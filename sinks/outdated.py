"""Cleaning up in the background: what no reader will ask for again."""

# ruff: noqa: S608
# Tables and columns in SQL come from the registry and this program; every value is a parameter.

from contract.days import HOUR_S, MINUTE_S
from contract.windows import HOURS_KEPT_S, MINUTES_KEPT_S, Level
from sinks.client import Client
from sinks.epochs import CURRENT

__all__ = ["drop_outdated"]

_OLD = f"""
    (topic, `partition`, epoch) IN
    (
        SELECT w.topic, w.`partition`, w.epoch
        FROM (SELECT DISTINCT topic, `partition`, epoch FROM {{table}}) AS w
        INNER JOIN ({CURRENT}) AS c ON c.topic = w.topic AND c.`partition` = w.`partition`
        WHERE w.epoch < c.epoch
    )"""


def drop_outdated(client: Client, now_s: int) -> None:
    """Remove panes of old epochs, minutes and hours no longer kept at ``now_s``, and progress that is history.

    Of the progress remain, whatever their epoch, the rows with the largest offset and the newest clock of each
    partition (reading starts there after a restart), and the newest flushes of the current epoch.
    """
    client.command(
        f"""
        DELETE FROM panes WHERE {_OLD.format(table="panes")}
            OR (level = {int(Level.MINUTE)} AND at < {{minutes:Int64}})
            OR (level = {int(Level.HOUR)} AND at < {{hours:Int64}})""",
        {"minutes": now_s - MINUTES_KEPT_S - MINUTE_S, "hours": now_s - HOURS_KEPT_S - HOUR_S},
    )
    client.command(
        f"""
        DELETE FROM progress WHERE ({_OLD.format(table="progress")} OR written_at < now() - INTERVAL 1 HOUR)
            AND (topic, `partition`, offset) NOT IN
                (SELECT topic, `partition`, max(offset) FROM progress GROUP BY topic, `partition`)
            AND (topic, `partition`, clock_us) NOT IN
                (SELECT topic, `partition`, max(clock_us) FROM progress GROUP BY topic, `partition`)
            AND (topic, `partition`, epoch, flush) NOT IN
                (SELECT topic, `partition`, epoch, max(flush) FROM progress GROUP BY topic, `partition`, epoch)"""
    )
