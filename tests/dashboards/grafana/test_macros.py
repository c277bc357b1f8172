"""The port of the backend's macros, on the real engine where they mean something."""

# ruff: noqa: S608
# The statements are made here, of literals.

import pytest

from dashboards.grafana.macros import BACKEND_MACROS, MacroError, TimeRange, expand, foreign
from sinks.client import connect
from tests.conftest import Database

SPAN = TimeRange(1_767_225_600, 1_767_312_000, 86_400)


@pytest.mark.parametrize(
    ("sql", "wanted"),
    [
        ("$__timeFilter(t)", "t >= toDateTime(1767225600) AND t <= toDateTime(1767312000)"),
        ("$__timeFrom( t )", "t >= toDateTime(1767225600)"),
        ("$__timeTo(t)", "t <= toDateTime(1767312000)"),
        ("$__fromTime, $__toTime", "toDateTime(1767225600), toDateTime(1767312000)"),
        ("$__timeInterval(t)", "toStartOfInterval(toDateTime(t), INTERVAL 86400 second)"),
        ("$__timeGroup(t,5m)", "toStartOfInterval(toDateTime(t), INTERVAL 300 second)"),
        ("$__interval_s/$__interval_ms", "86400/86400000"),
        ("a $ b, '$', 'x$'", "a $ b, '$', 'x$'"),
    ],
)
def test_expansion(sql: str, wanted: str) -> None:
    """As the plugin's Go source writes it."""
    assert expand(sql, SPAN) == wanted


@pytest.mark.parametrize(
    "sql", ["$__lttb(t)", "$__timeFilter()", "$__timeGroup(t, often)", "$unit", "${unit:raw}", "[[u]]"]
)
def test_what_the_backend_does_not_know_is_refused(sql: str) -> None:
    """Nothing is left unexpanded and sent."""
    with pytest.raises(MacroError):
        expand(sql, SPAN)


def test_variables_and_what_only_the_browser_knows() -> None:
    """Variables are replaced where they are given, and listed otherwise."""
    assert expand("${unit:singlequote} $unit [[unit]]", SPAN, {"unit": "'a'"}) == "'a' 'a' 'a'"
    assert foreign("$__adHocFilters('t') $x ${y:csv} [[z]] $__timeFilter(a)") == [
        "$__adHocFilters('t')",
        "$x",
        "${y:csv}",
        "[[z]]",
    ]


def test_every_macro_runs_on_the_engine(database: Database) -> None:
    """And a step of a day begins at midnight of UTC, which is why no panel may use it for local days."""
    client = connect(host=database.host, port=database.port, database=database.name, **database.login)
    client.command("CREATE TABLE t (ts DateTime('UTC')) ENGINE = MergeTree ORDER BY ts")
    client.command("INSERT INTO t VALUES (1767225600)")
    arguments = {"timeGroup": "(ts, 1d)", "timeFrom": "(ts)", "timeTo": "(ts)", "timeFilter": "(ts)"}
    for name in sorted(BACKEND_MACROS):
        plain = name.startswith(("from", "to", "interval"))
        call = f"$__{name}{'' if plain else arguments.get(name, '(ts)')}"
        assert len(client.rows(expand(f"SELECT {call} FROM t", SPAN))) == 1, name
    ((same,),) = client.rows(expand("SELECT toUnixTimestamp($__timeInterval(ts)) FROM t", SPAN))
    assert same == 1_767_225_600
    client.close()
