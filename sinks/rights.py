"""Who may do what in the store: one list for the roles of the embedded engine and the users of a real server.

python -m sinks.rights > deploy/clickhouse/users.sql
"""

import re
import sys
from collections.abc import Sequence
from enum import StrEnum

__all__ = ["ANY", "GRAFANA_LIMITS", "READER_LIMITS", "Role", "grants", "policies", "user_statements", "users_sql"]

ANY = "*"
"""Instead of a database's name: every database, for tests that make their own."""


class Role(StrEnum):
    """What an account of the store is for."""

    WRITER = "writer"
    """Workers, and commands that change something: everything in their database."""
    READER = "reader"
    """Screens, read API and commands that look: all rows. It changes nothing, but adds acknowledgements and mutes."""
    GRAFANA = "grafana"
    """Whoever sits at Grafana, with any SQL: figures and sums, never bytes of records; by units where wanted."""


_WRITER = "SELECT, INSERT, ALTER, CREATE DATABASE, CREATE TABLE, DROP TABLE, TRUNCATE, OPTIMIZE"
_ACTIONS = "alert_actions"
_GRAFANA = {
    "rates": "",
    "rates_now": "",
    "panes": "",
    "heartbeat": "",
    "epochs": "",
    "sources": "",
    # What fires, who acknowledged it, what is muted. Not who is told: notifications stay closed.
    "alerts": "",
    _ACTIONS: "",
    # Not which scopes changed.
    "progress": "(topic, `partition`, epoch, flush, offset, clock_us, written_at)",
    # Of dossiers the code, the unit and the due date.
    "dossiers": "(id, unit, overdue_at)",
    # Of refused records never their bytes, which may hold anything, but the source that they name.
    "dead_letters": "(topic, `partition`, offset, reason, source, state, time, written_at)",
}

READER_LIMITS = {"max_memory_usage": "3000000000"}
GRAFANA_LIMITS = {
    "readonly": "1",
    "max_execution_time": "15",
    "timeout_overflow_mode": "throw",
    "max_rows_to_read": "100000000",
    "read_overflow_mode": "throw",
    "max_result_rows": "10000",
    "result_overflow_mode": "throw",
    "max_memory_usage": "1000000000",
    "max_threads": "2",
    "max_concurrent_queries_for_user": "40",
}
"""ClickHouse's settings for one role: seconds, rows and bytes of one statement. ``readonly``: none can be changed."""
_CHANGEABLE = {"max_execution_time": "MIN 1 MAX 30 CHANGEABLE_IN_READONLY"}
"""Grafana's plugin sets this one itself."""

_BY_SCOPE = ("rates", "rates_now", "panes", "alerts", _ACTIONS)
_BY_UNIT = ("sources", "dossiers")
_CODE = re.compile(r"[A-Za-z0-9._-]{1,64}")
_HEAD = """\
-- Users of ClickHouse and their rights, made by `python -m sinks.rights`. init.sh puts the hashes of the passwords in
-- place of @…@; safe to run again. More users for Grafana, limited to units: `nhip store-user sql --unit …`."""


def grants(role: Role, database: str) -> tuple[str, ...]:
    """Return the role's rights in a database, or in ANY, as GRANT statements without "TO …"."""
    match role:
        case Role.WRITER:
            return (f"GRANT {_WRITER} ON {database}.*",)
        case Role.READER:
            acts = () if database == ANY else (f"GRANT INSERT ON {database}.{_ACTIONS}",)
            return (f"GRANT SELECT ON {database}.*", *acts)
        case Role.GRAFANA:
            tables = {} if database == ANY else _GRAFANA
            return tuple(f"GRANT SELECT{columns} ON {database}.{table}" for table, columns in tables.items())


def policies(units: Sequence[str]) -> dict[str, str]:
    """Return for each table which rows somebody sees who is limited to these units, as SQL conditions.

    Figures of fields, of whole sources and refused records are of no one unit: none of them. Raises ValueError.
    """
    for code in units:
        if not _CODE.fullmatch(code):
            raise ValueError(f"{code!r} cannot be the code of a unit")
    scopes = ", ".join(f"'unit:{code}'" for code in units)
    codes = ", ".join(f"'{code}'" for code in units)
    return {
        **dict.fromkeys(_BY_SCOPE, f"scope IN ({scopes})"),
        **dict.fromkeys(_BY_UNIT, f"unit IN ({codes})"),
        "dead_letters": "0",
    }


def user_statements(role: Role, name: str, sha256: str, database: str, units: Sequence[str] = ()) -> tuple[str, ...]:
    """Return what makes a user of a real server, safe to run again; ``sha256``: of the password, in hex.

    ``units``: all that the user may see, with those below them; none: everything. Raises ValueError.
    """
    if not re.fullmatch(r"[a-z][a-z0-9_]{0,62}", name):
        raise ValueError(f"{name!r} cannot be a user: small letters, digits and _, a letter first")
    profile = f"nhip_{role}"
    limits = {Role.WRITER: {}, Role.READER: READER_LIMITS, Role.GRAFANA: GRAFANA_LIMITS}[role]
    settings = ",\n".join(_setting(key, value) for key, value in limits.items())
    made = [f"CREATE SETTINGS PROFILE IF NOT EXISTS {profile} SETTINGS\n{settings}"] if limits else []
    under = f" SETTINGS PROFILE '{profile}'" if limits else ""
    how = f"IDENTIFIED WITH sha256_hash BY '{sha256}'"
    made.append(f"CREATE USER IF NOT EXISTS {name} {how}\n    DEFAULT DATABASE {database}{under}")
    made.append(f"ALTER USER {name} {how}")
    made += [f"{grant} TO {name}" for grant in grants(role, database)]
    if role is not Role.GRAFANA:
        # What their statements ask of the tables themselves: names, columns, counts of rows.
        made += [f"GRANT SELECT ON system.{table} TO {name}" for table in ("tables", "columns", "parts")]
        return tuple(made)
    made.append(
        f"CREATE QUOTA IF NOT EXISTS {name}_quota\n"
        f"    FOR INTERVAL 1 MINUTE MAX queries = 6000, MAX execution_time = 240 TO {name}"
    )
    if units:
        made += [
            f"CREATE ROW POLICY OR REPLACE {name}_units ON {database}.{table}\n    USING {condition} TO {name}"
            for table, condition in policies(units).items()
        ]
    return tuple(made)


def _setting(key: str, value: str) -> str:
    shown = value if value.isdecimal() else f"'{value}'"
    return f"    {key} = {shown} {_CHANGEABLE.get(key, '')}".rstrip()


def users_sql(database: str = "nhip") -> str:
    """Return deploy/clickhouse/users.sql: one user of each role, with @…@ for the hashes of their passwords."""
    users = (
        (Role.WRITER, "nhip", "@STORE_PASSWORD_SHA256@"),
        (Role.READER, "nhip_reader", "@READER_PASSWORD_SHA256@"),
        (Role.GRAFANA, "grafana", "@GRAFANA_PASSWORD_SHA256@"),
    )
    parts = [f"{_HEAD}\n\nCREATE DATABASE IF NOT EXISTS {database}"]
    for role, name, sha256 in users:
        first, *others = user_statements(role, name, sha256, database)
        parts += [f"-- {name}\n{first}", *others]
    return "".join(f"{part};\n\n" for part in parts).rstrip("\n") + "\n"


if __name__ == "__main__":
    sys.stdout.write(users_sql())
