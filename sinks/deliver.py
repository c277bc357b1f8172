"""Delivery: sends what the outbox holds, at most once for each recorded success, and records every attempt."""

import asyncio
import contextlib
from collections import Counter, defaultdict
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor

import structlog

from contract.text import Text
from sinks.attempts import Said, begin, end, never
from sinks.channels import Channel
from sinks.messages import Message
from sinks.notify import NotSentError
from sinks.outbox import FINAL, Delivery, DeliveryState, Outbox, Pending
from sinks.rationing import overflow_notice, ration
from sinks.recipients import Recipient
from streams.alerts import Notice
from streams.clock import US_PER_S, Now
from streams.patience import Patience

__all__ = ["Compose", "Deliverer", "Send", "only_channel"]

AT_ONCE = 4
"""Messages under way at once, each in a thread: one slow service does not hold up the others."""
POLL_S = 10.0
"""The outbox is looked at so often without being woken: for what another process left or wrote."""
CLOCKS_DIFFER_S = 60.0
"""What was recorded further ahead than this was recorded by a clock that was wrong: its wait tells nothing."""
REMEMBERED = 10_000
"""Newest states that this process recorded: far more than are ever undelivered at once."""
_HOUR_US = 3_600 * US_PER_S
_NO_CHANNEL = "no channel: enter one in recipients.toml (by the event clock: the setting alerts_channel)"
_UNKNOWN = "no such recipient: add it to recipients.toml, or take it out of groups and rules"

Compose = Callable[[Notice, Recipient, int], Message]
"""(notice, its recipient, now in microseconds) → what is sent."""
Send = Callable[[Message, Channel, int], None]
"""(message, channel, now in microseconds): blocks; raises NotSentError."""

log = structlog.get_logger()


def only_channel(channel: Channel | None) -> Callable[[str], Recipient]:
    """Return recipients that all have this one channel, or none: for runs by the event clock."""
    return lambda name: Recipient(name, (channel,) if channel else (), per_hour=1_000_000)


class Deliverer:
    """Sends the notices of the outbox on the worker that owns the alerts.

    An attempt is recorded before it begins (SENDING, for ``attempts.LEASE_S`` nobody else begins one) and when it
    ends. So a message goes twice only when a process dies between the two, and then with the same id.
    ``is_owner`` is asked before each attempt and each channel, also from threads. ``now`` is the wall clock,
    ``jitter`` gives 0 to 1. Calls to the store are repeated by ``patience``; what outlasts it ends :meth:`run`.
    """

    def __init__(
        self,
        outbox: Outbox,
        recipient: Callable[[str], Recipient | None],
        compose: Compose,
        send: Send,
        *,
        unit_name: Callable[[str], Text],
        is_owner: Callable[[], bool],
        now: Now,
        jitter: Callable[[], float],
        patience: Patience,
    ) -> None:
        self._outbox = outbox
        self._recipient = recipient
        self._compose = compose
        self._send = send
        self._unit_name = unit_name
        self._is_owner = is_owner
        self._now = now
        self._jitter = jitter
        self._patience = patience
        self._threads = ThreadPoolExecutor(AT_ONCE, thread_name_prefix="notify")
        self._free = asyncio.Semaphore(AT_ONCE)
        self._woken = asyncio.Event()
        self._stopping = False
        self._under_way: dict[str, tuple[str, asyncio.Task[None]]] = {}
        self._recorded: dict[str, Delivery] = {}
        self.sent = 0
        """Messages that every channel of their recipient has taken."""
        self.failed = 0
        """Attempts after which a channel had not."""

    def wake(self) -> None:
        """Look at the outbox at once: notices were written. To be called on the event loop."""
        self._woken.set()

    async def run(self) -> None:
        """Deliver until cancelled. Raises StoreUnavailableError when the store stays away."""
        try:
            while True:
                self._woken.clear()
                wait_s = await self.turn()
                with contextlib.suppress(TimeoutError):
                    await asyncio.wait_for(self._woken.wait(), wait_s)
        finally:
            # A message that is being sent is sent: its success must be recorded, or it would be sent again. What has
            # not begun is left to the successor.
            self._stopping = True
            try:
                await self.settle()
            finally:
                self._threads.shutdown()

    async def settle(self) -> None:
        """Wait until no message is under way. Raises what a delivery raised."""
        while self._under_way:
            tasks = [task for _, task in self._under_way.values()]
            await asyncio.wait(tasks)
            for task in tasks:
                task.result()

    async def turn(self) -> float:
        """Begin to send all that is due; return after how many seconds to look again."""
        for _, task in list(self._under_way.values()):
            if task.done():
                await task
        if not self._is_owner():
            return POLL_S
        pending = await self._patience.call(self._outbox.undelivered)
        now_us = self._now()
        due: dict[str, list[Pending]] = defaultdict(list)
        later_us = now_us + round(POLL_S * US_PER_S)
        for one in map(self._newest, pending):
            if one.notice.id in self._under_way or (one.delivery and one.delivery.state in FINAL):
                continue
            next_us = one.delivery.next_us if one.delivery else None
            ahead_us = one.delivery.at_us - now_us if one.delivery else 0
            if next_us is None or next_us <= now_us or ahead_us > CLOCKS_DIFFER_S * US_PER_S:
                due[one.notice.recipient].append(one)
            else:
                later_us = min(later_us, next_us)
        for name, waiting in due.items():
            await self._serve(name, waiting, now_us)
        return (later_us - now_us) / US_PER_S

    async def _serve(self, name: str, waiting: Sequence[Pending], now_us: int) -> None:
        recipient = self._recipient(name)
        if recipient is None or not recipient.channels:
            reason = _UNKNOWN if recipient is None else _NO_CHANNEL
            for one in waiting:
                log.warning("message not sent", id=one.notice.id, recipient=name, error=reason)
                await self._record(one.notice, never(one, reason, now_us))
            return
        # In this order: one that ends in between is counted twice, not never.
        under_way = Counter(of for of, _ in self._under_way.values())[name]
        sent = await self._patience.call(self._outbox.sent_since, name, now_us - _HOUR_US)
        send, fold = ration(waiting, recipient.per_hour - sent - under_way)
        for one in send:
            self._begin(one, recipient)
        if fold:
            self._begin(await self._fold([one.notice for one in fold], now_us), recipient)

    async def _fold(self, held: Sequence[Notice], now_us: int) -> Pending:
        overflow = overflow_notice(held, max(notice.at_us for notice in held), self._unit_name)
        folded = Delivery(state=DeliveryState.FOLDED, first_us=now_us, at_us=now_us, folded_into=overflow.id)
        log.info("messages over the limit told by one", recipient=overflow.recipient, id=overflow.id, count=len(held))
        await self._patience.call(self._outbox.fold, held, overflow, folded)
        for notice in held:
            self._remember(notice, folded)
        return Pending(overflow)

    async def _record(self, notice: Notice, delivery: Delivery) -> None:
        await self._patience.call(self._outbox.record, notice, delivery)
        self._remember(notice, delivery)

    def _remember(self, notice: Notice, delivery: Delivery) -> None:
        self._recorded.pop(notice.id, None)
        self._recorded[notice.id] = delivery
        if len(self._recorded) > REMEMBERED:
            del self._recorded[next(iter(self._recorded))]

    def _newest(self, one: Pending) -> Pending:
        """Correct an answer of the store that was begun, or given by a lagging replica, before our last record."""
        own = self._recorded.get(one.notice.id)
        if own is None or (one.delivery is not None and one.delivery.step >= own.step):
            return one
        return Pending(one.notice, own)

    def _begin(self, one: Pending, recipient: Recipient) -> None:
        task = asyncio.create_task(self._deliver(one, recipient), name=f"deliver {one.notice.id}")
        self._under_way[one.notice.id] = (recipient.name, task)
        task.add_done_callback(lambda done: self._ended(one.notice.id, done))

    def _ended(self, key: str, task: asyncio.Task[None]) -> None:
        # A failed task stays until the next turn, which raises its error.
        if task.cancelled() or task.exception() is None:
            self._under_way.pop(key, None)
        self._woken.set()

    async def _deliver(self, one: Pending, recipient: Recipient) -> None:
        async with self._free:
            if self._stopping or not self._is_owner():
                return
            notice, now_us = one.notice, self._now()
            try:
                message = self._compose(notice, recipient, now_us)
            except Exception as error:  # noqa: BLE001 - one faulty message must not stop the others
                reason = f"the message could not be written ({type(error).__name__})"
                log.warning("message not sent", id=notice.id, recipient=recipient.name, error=reason)
                await self._record(notice, never(one, reason, now_us))
                return
            begun = begin(one.delivery, now_us)
            await self._record(notice, begun)
            channels = [channel for channel in recipient.channels if channel.label not in begun.delivered]
            loop = asyncio.get_running_loop()
            said = await loop.run_in_executor(self._threads, self._send_all, message, channels)
            ended = end(begun, said, self._now(), self._jitter)
            await self._record(notice, ended)
            done = ended.state is DeliveryState.SENT
            self.sent += done
            self.failed += not done
            log.info(
                "message",
                id=notice.id,
                recipient=recipient.name,
                state=ended.state.value,
                attempts=ended.attempts,
                error=ended.error,
            )

    def _send_all(self, message: Message, channels: Sequence[Channel]) -> list[Said]:
        said = []
        for channel in channels:
            if not self._is_owner():
                said.append(Said(channel.label, "another worker has taken over"))
                continue
            try:
                self._send(message, channel, self._now())
            except NotSentError as error:
                said.append(Said(channel.label, str(error), error.final))
            except Exception as error:  # noqa: BLE001 - one faulty channel must not stop the others
                # Only the kind: the text of a stranger's error may name the address.
                said.append(Said(channel.label, f"sending failed with {type(error).__name__}"))
            else:
                said.append(Said(channel.label))
        return said
