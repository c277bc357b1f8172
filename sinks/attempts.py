"""What an attempt to deliver leads to: sent, another one later, or given up. Pure."""

from collections.abc import Callable, Sequence
from typing import NamedTuple

from sinks.outbox import ChannelResult, Delivery, DeliveryState, Pending
from streams.clock import US_PER_S

__all__ = ["GIVE_UP_S", "LEASE_S", "Said", "begin", "end", "never", "wait_s"]

GIVE_UP_S = 86_400
"""After a day the message is no news; it stands in the table as failed."""
LEASE_S = 30.0
"""So long nobody else begins an attempt that was recorded as begun: longer than one channel takes at most."""

_FIRST_WAIT_S = 5.0
_LONGEST_WAIT_S = 600.0
_JITTER = 0.2


class Said(NamedTuple):
    """What a channel said; no error: it took the message. ``final``: it will never take it."""

    channel: str
    error: str = ""
    final: bool = False


def wait_s(attempts: int, jitter: float) -> float:
    """Return the seconds to wait after so many failed attempts: 5, 10, 20 … 600, ±20 % by ``jitter`` (0 to 1)."""
    doubled = _FIRST_WAIT_S * 2.0 ** min(attempts - 1, 20)
    return min(_LONGEST_WAIT_S, doubled) * (1 + _JITTER * (2 * jitter - 1))


def begin(before: Delivery | None, now_us: int) -> Delivery:
    """Return the state in which an attempt begins, recorded before anything is sent."""
    return Delivery(
        state=DeliveryState.SENDING,
        attempts=before.attempts + 1 if before else 1,
        first_us=before.first_us if before else now_us,
        at_us=now_us,
        next_us=now_us + round(LEASE_S * US_PER_S),
        error=before.error if before else "",
        delivered=before.delivered if before else (),
    )


def end(begun: Delivery, said: Sequence[Said], now_us: int, jitter: Callable[[], float]) -> Delivery:
    """Return the state after an attempt on all channels that had not taken the message before."""
    failed = [one for one in said if one.error]
    state, next_us = DeliveryState.SENT, None
    if failed:
        over = all(one.final for one in failed) or now_us - begun.first_us >= GIVE_UP_S * US_PER_S
        state = DeliveryState.FAILED if over else DeliveryState.RETRYING
        next_us = None if over else now_us + round(wait_s(begun.attempts, jitter()) * US_PER_S)
    return Delivery(
        state=state,
        attempts=begun.attempts,
        first_us=begun.first_us,
        at_us=now_us,
        next_us=next_us,
        error="; ".join(f"{one.channel}: {one.error}" for one in failed),
        delivered=(*begun.delivered, *(one.channel for one in said if not one.error)),
        results=tuple(ChannelResult(one.channel, one.error) for one in said),
    )


def never(one: Pending, reason: str, now_us: int) -> Delivery:
    """Return the state of a message that cannot be sent at all, and why."""
    before = one.delivery
    return Delivery(
        state=DeliveryState.FAILED,
        attempts=before.attempts if before else 0,
        first_us=before.first_us if before else now_us,
        at_us=now_us,
        error=reason,
        delivered=before.delivered if before else (),
    )
