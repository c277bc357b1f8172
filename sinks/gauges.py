"""Figures of sources beside those of the indicators: how long each is silent, and what of it was refused."""

from contract.days import HOUR_S
from contract.sources import Sources
from sinks.client import Client
from streams.clock import US_PER_S
from streams.gauges import GAUGES
from streams.rows import Rate

__all__ = ["UNKNOWN_SOURCE", "source_gauges"]

UNKNOWN_SOURCE = "?"
"""Refused records whose bytes name no source that was ever counted: whoever sends them could write anything there."""

_SILENCE = ("silence", GAUGES["silence"].window)
_REFUSED = ("dead_letters", GAUGES["dead_letters"].window)


def source_gauges(client: Client, sources: Sources, now_us: int) -> list[Rate]:
    """Return ``silence`` and ``dead_letters`` of every source at a moment of the wall clock.

    ``silence``: seconds since it was last heard, in the hours that count, of the seconds that are expected.
    ``dead_letters``: records of the last hour that are refused and not dealt with, of 1.
    """
    now_s = now_us // US_PER_S
    heard = client.rows(
        """
        SELECT toString(source), max(toUnixTimestamp64Micro(seen_at)) AS seen FROM sources
        GROUP BY source ORDER BY source"""
    )
    silence = [
        Rate(
            f"source:{source}",
            *_SILENCE,
            sources.silent_s(source, seen_us // US_PER_S, now_s),
            sources.of(source).expected_s,
        )
        for source, seen_us in heard
    ]
    refused = _refused(client, now_us, {source for source, _ in heard})
    return silence + [Rate(f"source:{source}", *_REFUSED, n, 1) for source, n in refused.items()]


def _refused(client: Client, now_us: int, known: set[str]) -> dict[str, int]:
    """Count by source; every known one is there. A record that was dealt with has another row of the same time."""
    counts = dict.fromkeys((*sorted(known), UNKNOWN_SOURCE), 0)
    rows = client.rows(
        """
        SELECT said, count() FROM
        (
            SELECT any(JSONExtractString(value, 'source')) AS said FROM dead_letters
            PREWHERE time > fromUnixTimestamp64Micro({since:Int64}) AND time <= fromUnixTimestamp64Micro({now:Int64})
            GROUP BY topic, `partition`, offset HAVING max(step) = 0
        ) GROUP BY said ORDER BY count() DESC, said LIMIT 1000""",
        {"since": now_us - HOUR_S * US_PER_S, "now": now_us},
    )
    for said, n in rows:
        counts[said if said in known else UNKNOWN_SOURCE] += int(n)
    return counts
