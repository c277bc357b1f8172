"""ClickHouse's own access control, in the embedded engine: a role for each kind of account."""

from collections.abc import Iterable
from pathlib import Path
from xml.sax.saxutils import escape

from nhip.local.users import StoreUser
from sinks.rights import ANY, GRAFANA_LIMITS, READER_LIMITS, Role, grants, policies

__all__ = ["CONFIG_OPTIONS", "limits", "write_config"]

_CONFIG, _USERS = "engine.xml", "engine-users.xml"
CONFIG_OPTIONS = {"config-file": _CONFIG, "users_config": _USERS}
"""Options of the engine, which opens these files in the folder where it runs."""

# The order of operations must not let a condition see rows that the filter takes away: `throwIf(rate < 0.5)` would
# tell them. So nothing is moved before the filter.
_FILTER_FIRST = {"optimize_move_to_prewhere": "0", "query_plan_enable_optimizations": "0"}

# The engine allows its own process more than a server allows its users.
_AS_A_SERVER = {"allow_introspection_functions": "0"}


def write_config(folder: Path, database: str) -> None:
    """Write what the engine reads at its start.

    All connections of the engine are one user's, who has no right of its own; each takes one role (SET ROLE).
    """
    # Every request may name no database; who may work in all of them makes and drops them.
    use = "GRANT SHOW DATABASES ON default.*"
    more = {Role.WRITER: [f"GRANT SHOW DATABASES{', DROP DATABASE' * (database == ANY)} ON *.*"]}
    roles = "".join(
        f"<{role}><grants>{_queries([*grants(role, database), use, *more.get(role, ())])}</grants></{role}>"
        for role in Role
    )
    users = (
        "<clickhouse><profiles><default/></profiles><quotas><default/></quotas>"
        f"<roles>{roles}</roles><users><default><password></password><networks><ip>::/0</ip></networks>"
        "<profile>default</profile><quota>default</quota>"
        f"<grants>{_queries([f'GRANT {role}' for role in Role])}</grants></default></users></clickhouse>\n"
    )
    for name, text in ((_CONFIG, "<clickhouse/>\n"), (_USERS, users)):
        (folder / name).write_text(text, "utf-8")
        (folder / name).chmod(0o600)


def limits(user: StoreUser, database: str) -> dict[str, str]:
    """Return the engine's settings that the account's statements run under, whatever they ask for."""
    if user.role is Role.WRITER:
        return {}
    bounds = {**(READER_LIMITS if user.role is Role.READER else GRAFANA_LIMITS), **_AS_A_SERVER}
    if not user.units:
        return bounds
    # The engine's row policies are of its one user, so they cannot tell accounts apart; this setting can.
    filters = ", ".join(
        f"'{database}.{table}': {_quoted(condition)}" for table, condition in policies(user.units).items()
    )
    return {**bounds, **_FILTER_FIRST, "additional_table_filters": f"{{{filters}}}"}


def _queries(statements: Iterable[str]) -> str:
    return "".join(f"<query>{escape(text)}</query>" for text in statements)


def _quoted(text: str) -> str:
    return "'" + text.replace("\\", "\\\\").replace("'", "\\'") + "'"
