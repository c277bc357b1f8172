"""Rows of two units in every table that Grafana may read, for tests of who sees which."""

from contextlib import closing

from nhip.local import LocalClickHouse
from sinks.client import Client, connect
from sinks.migrate import migrate

__all__ = ["MINE", "OTHER", "TABLES", "filled"]

MINE, OTHER = "c1", "c2"
TABLES = {"rates": "scope", "rates_now": "scope", "panes": "scope", "alerts": "scope", "alert_actions": "scope",
          "sources": "unit", "dossiers": "unit"}  # fmt: skip
"""Each table and the column that tells whose a row is."""


def _fill(client: Client) -> None:
    """Make the tables, with one row of either unit in each, one of a field, and one refused record."""
    migrate(client)
    for number, code in enumerate((MINE, OTHER)):
        scope = f"unit:{code}"
        client.command(
            "INSERT INTO rates (scope, indicator, window, time, numerator, denominator, rate, written_at) "
            "VALUES ({s:String}, 'on_time', '30d', now(), 1, 2, 0.5, now())",
            {"s": scope},
        )
        client.command(
            "INSERT INTO rates_now (scope, indicator, window, numerator, denominator, rate) "
            "VALUES ({s:String}, 'on_time', '30d', 1, 2, 0.5)",
            {"s": scope},
        )
        client.command("INSERT INTO panes (scope, indicator, count) VALUES ({s:String}, 'on_time', 2)", {"s": scope})
        client.command("INSERT INTO alerts (id, scope) VALUES ({s:String}, {s:String})", {"s": scope})
        client.command("INSERT INTO alert_actions (rule, scope) VALUES ('r', {s:String})", {"s": scope})
        client.command("INSERT INTO sources (source, unit) VALUES ('onestop', {c:String})", {"c": code})
        client.command(
            "INSERT INTO dossiers (id, unit, offset) VALUES ({i:String}, {c:String}, {n:Int64})",
            {"i": f"dossier-of-{code}", "c": code, "n": number},
        )
    client.command("INSERT INTO rates_now (scope, indicator, window) VALUES ('field:land', 'on_time', '30d')")
    client.command("INSERT INTO dead_letters (topic, reason, value) VALUES ('t', 'json', 'bytes-of-a-record')")


def filled(server: LocalClickHouse) -> None:
    """Make the server's database: a row of either unit in each table, one of a field, and one refused record."""
    with closing(connect(host=server.host, port=server.port, **server.login)) as first:
        first.command("CREATE DATABASE nhip")
    with closing(connect(host=server.host, port=server.port, database="nhip", **server.login)) as client:
        _fill(client)
