"""A store of alerts on a Sunday morning, with a source that speaks in office hours and others that always do."""

from functools import cache

from contract.calendar import WorkCalendar
from contract.sources import parse_sources
from sinks.alert_store import ClickHouseAlertStore
from sinks.client import Client
from sinks.migrate import migrate

__all__ = ["NOW_US", "US", "sunday_store"]

US = 1_000_000
NOW_US = 1_795_312_800_000_001
"""22 November 2026, 09:00 in Viet Nam, a Sunday."""
SOURCES = """
[[sources]]
pattern = "onestop*"
expected = "30m"
hours = "working"
owner = "onestop"
[[sources]]
pattern = "*"
expected = "15m"
owner = "engineers"
"""


@cache
def days() -> WorkCalendar:
    """The working days of the year."""
    return WorkCalendar.build({}, first_year=2026, last_year=2026)


def sunday_store(client: Client) -> ClickHouseAlertStore:
    """A store of alerts with all tables."""
    migrate(client)
    return ClickHouseAlertStore(client, parse_sources(SOURCES, "s.toml", days()), lambda: NOW_US)
