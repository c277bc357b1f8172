"""What delivery needs of the store: notices that were not delivered yet, and what became of each attempt."""

from collections.abc import Collection
from enum import Enum
from typing import Protocol

import msgspec

from streams.alerts import Notice

__all__ = ["FINAL", "ChannelResult", "Delivery", "DeliveryState", "Outbox", "Pending"]

_FINAL_STEP = 1_000_000
"""Above the steps of every attempt: some 150 fit into the time after which delivery gives up."""


class DeliveryState(Enum):
    """Where one notice stands."""

    DECIDED = "decided"
    """Stored, and nobody has begun to send it."""
    SENDING = "sending"
    """An attempt has begun; until ``next_us`` nobody else begins one."""
    RETRYING = "retrying"
    """The last attempt failed on some channel; the next one begins at ``next_us``."""
    SENT = "sent"
    """Every channel took it."""
    FAILED = "failed"
    """Given up, or there is no channel."""
    FOLDED = "folded"
    """Told by an ``overflow`` notice instead."""


FINAL = (DeliveryState.FAILED, DeliveryState.FOLDED, DeliveryState.SENT)
"""States after which nothing is sent any more; a later one wins over an earlier one."""


class ChannelResult(msgspec.Struct, frozen=True):
    """What one channel said in one attempt: ``channel`` is its label, never its address; no error: it took it."""

    channel: str
    error: str = ""


class Delivery(msgspec.Struct, frozen=True, kw_only=True):
    """State of a notice after an attempt. Times are microseconds since 1970 by the wall clock.

    ``delivered`` names the channels that took it in any attempt so far, ``results`` what the channels of this
    attempt said, ``error`` the same for people, ``folded_into`` the notice that tells it instead.
    """

    state: DeliveryState
    attempts: int = 0
    first_us: int
    at_us: int
    next_us: int | None = None
    error: str = ""
    delivered: tuple[str, ...] = ()
    results: tuple[ChannelResult, ...] = ()
    folded_into: str = ""

    @property
    def step(self) -> int:
        """Order of the states of one notice: the larger wins, whenever and by whom it was written."""
        if self.state in FINAL:
            return _FINAL_STEP + FINAL.index(self.state)
        if self.state is DeliveryState.DECIDED:
            return 0
        return 2 * self.attempts - (self.state is DeliveryState.SENDING)


class Pending(msgspec.Struct, frozen=True):
    """A notice that is not delivered, and what was last recorded of it: None before the first attempt."""

    notice: Notice
    delivery: Delivery | None = None


class Outbox(Protocol):
    """The table of notices as delivery uses it. All methods block and raise StoreUnavailableError."""

    def undelivered(self) -> list[Pending]:
        """All notices whose newest state is not final, oldest first."""
        ...

    def record(self, notice: Notice, delivery: Delivery) -> None:
        """Append one state; the largest ``step`` of a notice is its newest. Every attempt stays readable."""
        ...

    def fold(self, held: Collection[Notice], overflow: Notice, delivery: Delivery) -> None:
        """Write the decided overflow notice and ``delivery`` (FOLDED) of every held one: all in one insert."""
        ...

    def sent_since(self, recipient: str, since_us: int) -> int:
        """How many notices to the recipient became SENT at or after a moment of the wall clock."""
        ...
