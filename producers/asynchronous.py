"""The client for asyncio: the same producer, awaited until the event is safe."""

import asyncio
from collections.abc import Sequence
from typing import Any, Self

from contract.kind import Event
from producers.client import Producer
from producers.errors import ProducerError
from producers.receipt import Receipt
from producers.spool import Record
from producers.statistics import Statistics

__all__ = ["AsyncProducer", "deliver"]


class AsyncProducer:
    """``async with AsyncProducer("host:9092", spool="events.db") as producer: await producer.send(event)``.

    Takes the arguments of Producer. send() returns when the events are safe, in Kafka or in the spool, so many
    may be under way at once (``asyncio.gather``); those of one call keep their order.
    """

    def __init__(self, bootstrap: str | Sequence[str], **options: Any) -> None:
        self._make = lambda: Producer(bootstrap, **options)
        self._producer: Producer | None = None

    async def send(self, *events: Event) -> None:
        """Check, send and wait until Kafka or the spool has all of them. Raises like Producer.send and flush."""
        producer = self._opened()
        await deliver(producer, producer.records(events))

    def statistics(self) -> Statistics:
        """Return what was sent, acknowledged, refused and spooled so far."""
        return self._opened().statistics()

    async def close(self) -> int:
        """Close; return how many events stay in the spool. Raises DeliveryError."""
        return await asyncio.to_thread(self._opened().close)

    async def __aenter__(self) -> Self:
        self._producer = await asyncio.to_thread(self._make)
        return self

    async def __aexit__(self, kind: object, error: BaseException | None, trace: object) -> None:
        try:
            await self.close()
        except ProducerError as closing:
            if error is None:
                raise
            error.add_note(f"while closing the producer: {closing}")

    def _opened(self) -> Producer:
        if self._producer is None:
            raise ProducerError("the producer is not open: use it in `async with AsyncProducer(…) as producer:`")
        return self._producer


async def deliver(producer: Producer, records: Sequence[Record], wait_s: float | None = None) -> None:
    """Hand records over without holding up the loop, and wait until all are safe. Raises like Producer.put."""
    if not records:
        return
    loop = asyncio.get_running_loop()
    safe: asyncio.Future[None] = loop.create_future()

    def tell(error: BaseException | None) -> None:
        if safe.done():
            return
        if error is None:
            safe.set_result(None)
        else:
            safe.set_exception(error)

    def pass_on(error: BaseException | None) -> None:
        loop.call_soon_threadsafe(tell, error)

    receipt = Receipt(len(records), pass_on)
    await asyncio.to_thread(producer.put, records, receipt, wait_s)
    await safe
