"""The watchdog of one worker: asks Kafka what was committed, and ends the process when that stands still."""

import asyncio
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from typing import Protocol

import aiokafka
import structlog
from aiokafka.errors import KafkaError
from aiokafka.structs import TopicPartition

from nhip.lag import Backlog
from producers.access import PLAINTEXT, KafkaAccess
from producers.administration import require_rights
from producers.errors import KafkaRefusedError, ProducerError
from producers.rights import Right
from streams.patience import Patience
from streams.progress import Look, ProgressWatch, Stall, Standing
from streams.rows import Partition

__all__ = ["Watchdog", "Watched"]

LONGEST_INTERVAL_S = 5.0
LOOKS_IN_A_STALL = 6
PULSE_S = 0.5
PROBE_TIMEOUT_MS = 5_000

log = structlog.get_logger()


class Watched(Protocol):
    """What is watched: the fold. Its answers are read from the watchdog's thread."""

    @property
    def held(self) -> frozenset[Partition]:
        """Partitions that it was given."""
        ...

    @property
    def generation(self) -> int:
        """Of the consumer group."""
        ...

    @property
    def rebuilding(self) -> bool:
        """Whether panes are rebuilt at the moment."""
        ...


class Watchdog:
    """Looks every few seconds from a thread of its own: an event loop that stands still cannot stop it.

    ``name``: the worker's fixed instance or, without one, what it calls itself to Kafka: partitions that Kafka has
    given it count also when it does not know of them. ``stalled`` is called with what is found; it must end the
    process. So must ``failed``, which gets the watchdog's own error, and what Kafka says when it no longer lets this
    process in or when one of ``rights`` is gone: started again, it reads its password anew.
    """

    def __init__(
        self,
        bootstrap: str,
        group: str,
        name: str,
        watched: Watched,
        patience: Patience,
        stall_s: float,
        stalled: Callable[[Stall], None],
        failed: Callable[[BaseException], None],
        access: KafkaAccess = PLAINTEXT,
        rights: Sequence[Right] = (),
    ) -> None:
        self._bootstrap = bootstrap
        self._access = access
        self._rights = rights
        self._group = group
        self._name = name
        self._watched = watched
        self._patience = patience
        self._interval_s = min(LONGEST_INTERVAL_S, stall_s / LOOKS_IN_A_STALL)
        self._progress = ProgressWatch(stall_s, self._interval_s)
        self._stalled = stalled
        self._failed = failed
        self._turns = 0
        self._held: Mapping[Partition, Standing] = {}
        self.kafka_silent = False
        """Whether Kafka did not answer when it was asked last."""

    @property
    def held(self) -> Mapping[Partition, Standing]:
        """The worker's partitions as the newest look found them in Kafka."""
        return self._held

    @property
    def still_s(self) -> float:
        """How long something that should move has not, in seconds."""
        return self._progress.still_s

    async def pulse(self) -> None:
        """Show that the event loop turns; to be run on it, for ever."""
        while True:
            self._turns += 1
            await asyncio.sleep(PULSE_S)

    def start(self) -> None:
        """Begin to look, in a thread that dies with the process."""
        threading.Thread(target=self._guarded, name="watchdog", daemon=True).start()

    def _guarded(self) -> None:
        try:
            self._run()
        except Exception as error:  # noqa: BLE001 - a worker must not go on unwatched
            self._failed(error)

    def _run(self) -> None:
        while True:
            try:
                if self._rights:
                    # Topics that may no longer be seen are no partitions to Kafka's clients: all would look well.
                    require_rights(self._bootstrap, self._rights, self._access)
                with Backlog(self._bootstrap, self._group, self._access) as backlog:
                    while True:
                        held = self._read(backlog)
                        self.kafka_silent = False
                        self._look(held)
                        time.sleep(self._interval_s)
            except KafkaRefusedError:
                raise
            except ProducerError as error:
                self.kafka_silent = True
                log.info("Kafka does not tell what is committed", error=str(error))
                self._look(None)
                time.sleep(self._interval_s)

    def _read(self, backlog: Backlog) -> Mapping[Partition, Standing]:
        given = {p for m in backlog.members() if self._name in (m.instance, m.client) for p in m.partitions}
        mine = self._watched.held | {Partition(*p) for p in given}
        lags = {Partition(lag.topic, lag.partition): Standing(lag.end, lag.committed) for lag in backlog.read()}
        self._held = {partition: standing for partition, standing in lags.items() if partition in mine}
        return self._held

    def _look(self, held: Mapping[Partition, Standing] | None) -> None:
        watched = self._watched
        excused = watched.rebuilding or self._patience.retrying > 0
        stall = self._progress.look(Look(time.monotonic(), self._turns, watched.generation, held, excused))
        if stall is None:
            return
        if stall.partition is not None and stall.standing is not None:
            committed = stall.standing.committed
            if not asyncio.run(_record_waits(self._bootstrap, self._access, stall.partition, committed)):
                self._progress.forgive(stall.partition)
                return
        self._stalled(stall)


async def _record_waits(bootstrap: str, access: KafkaAccess, partition: Partition, committed: int | None) -> bool:
    """Whether a record can be read where the commit stands: a transaction's marker has an offset, but is none.

    False while Kafka does not tell.
    """
    consumer = aiokafka.AIOKafkaConsumer(
        bootstrap_servers=bootstrap,
        client_id="nhip-watchdog",
        enable_auto_commit=False,
        auto_offset_reset="earliest",
        request_timeout_ms=2 * PROBE_TIMEOUT_MS,
        **access.options(),
    )
    place = TopicPartition(*partition)
    try:
        await consumer.start()
        consumer.assign([place])
        if committed is not None:
            consumer.seek(place, committed)
        return bool(await consumer.getmany(place, timeout_ms=PROBE_TIMEOUT_MS, max_records=1))
    except (KafkaError, OSError):
        return False
    finally:
        await consumer.stop()
