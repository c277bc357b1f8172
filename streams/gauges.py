"""Gauges: figures about sources and the stream itself that rules may watch beside the indicators.

A gauge is numerator / denominator like a rate, but no share: it may exceed 1, higher is always worse, and no
minimum of cases applies to it.
"""

from typing import Final

import msgspec

from contract.text import Text

__all__ = ["GAUGES", "Gauge"]


class Gauge(msgspec.Struct, frozen=True, kw_only=True):
    """One gauge; ``scope`` is what its scopes begin with, ``window`` the only one it has."""

    key: str
    scope: str
    window: str
    name: Text
    counts: str


GAUGES: Final[dict[str, Gauge]] = {
    gauge.key: gauge
    for gauge in (
        Gauge(
            key="silence",
            scope="source",
            window="now",
            name=Text("Nguồn không gửi dữ liệu", "Source silent"),
            counts="seconds since the source last spoke / seconds that may pass (config/sources.toml)",
        ),
        Gauge(
            key="dead_letters",
            scope="source",
            window="1h",
            name=Text("Bản tin bị từ chối", "Dead letters"),
            counts="records of the source refused in the last hour / 1",
        ),
        Gauge(
            key="behind",
            scope="system",
            window="now",
            name=Text("Luồng xử lý bị trễ", "Stream behind"),
            counts="seconds that the stream is behind its input / 1",
        ),
    )
}
"""All gauges, by key."""
