"""Figures out of roll: history, current figures, heartbeat, in this order."""

from collections.abc import Sequence
from itertools import starmap
from typing import Any

import pyarrow as pa

from sinks.client import Client
from sinks.columns import INSTANT
from streams.rows import Heartbeat, Rate

__all__ = ["heartbeat", "rates_now", "write_rates"]


def write_rates(client: Client, rates: Sequence[Rate], beat: Heartbeat) -> None:
    """Insert changed rates into the history and the current figures, then the heartbeat.

    The order is what readers rely on: when a heartbeat is seen, all figures that it vouches for are there.
    """
    if rates:
        scope, indicator, window, numerator, denominator = zip(*rates, strict=True)
        figures = {
            "scope": pa.array(scope, pa.string()),
            "indicator": pa.array(indicator, pa.string()),
            "window": pa.array(window, pa.string()),
            "numerator": pa.array(numerator, pa.int64()),
            "denominator": pa.array(denominator, pa.int64()),
            "rate": pa.array([rate.rate for rate in rates], pa.float64()),
            "written_at": _repeat(beat.written_us, INSTANT, len(rates)),
        }
        as_of = _repeat(beat.as_of_us, INSTANT, len(rates))
        client.insert("rates", pa.table(figures | {"time": as_of}))
        client.insert("rates_now", pa.table(figures | _order(beat, len(rates)) | {"as_of": as_of}))
    client.insert(
        "heartbeat",
        pa.table(
            _order(beat, 1)
            | {"as_of": _repeat(beat.as_of_us, INSTANT, 1), "written_at": _repeat(beat.written_us, INSTANT, 1)}
        ),
    )


def rates_now(client: Client) -> dict[tuple[str, str, str], tuple[int, int]]:
    """Return (scope, indicator, window) → (numerator, denominator) as last written."""
    rows = client.rows(
        """
        SELECT toString(scope), toString(indicator), toString(window), numerator, denominator
        FROM rates_now FINAL"""
    )
    return {(scope, indicator, window): (top, bottom) for scope, indicator, window, top, bottom in rows}


def heartbeat(client: Client) -> Heartbeat | None:
    """Return the newest heartbeat, or None before the first."""
    rows = client.rows(
        """
        SELECT epoch, tick, toUnixTimestamp64Micro(as_of), toUnixTimestamp64Micro(written_at)
        FROM heartbeat FINAL WHERE part = 'roll'"""
    )
    return next(starmap(Heartbeat, rows), None)


def _order(beat: Heartbeat, n: int) -> dict[str, "pa.Array[Any]"]:
    return {"epoch": _repeat(beat.epoch, pa.uint64(), n), "tick": _repeat(beat.tick, pa.uint64(), n)}


def _repeat(value: int, kind: pa.DataType, n: int) -> "pa.Array[Any]":
    return pa.array([value] * n, pa.int64()).cast(kind)
