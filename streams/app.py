"""The Faust app of one worker: it only wires the transport, the fold loop and what runs beside it."""

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import Any

import faust
import mode
from faust.tables.manager import TableManager

from contract.registry import KINDS
from producers.access import MECHANISM, PLAINTEXT, KafkaAccess
from streams.folder import Folder
from streams.inbox import Batch
from streams.rows import Partition
from streams.transport import Assigned

__all__ = ["AppSettings", "WorkerApp", "create_app"]


@dataclass(frozen=True)
class AppSettings:
    """What Faust is told; the reasons for each value stand where it is used."""

    bootstrap: str
    group: str = "nhip"
    instance: str | None = None
    session_timeout_s: float = 10.0
    fetch_bytes: int = 1024 * 1024
    client_id: str = "nhip-worker"
    access: KafkaAccess = PLAINTEXT


class _NoTables(TableManager):
    """Faust's manager waits a second for tables to be declared before anything is read; here are none."""

    async def on_start(self) -> None:
        await self._update_channels()
        await self.recovery.start()


class WorkerApp(faust.App):
    """A Faust app that the transport can ask where to read from, and that keeps no files."""

    assigned: Assigned

    def _create_directories(self) -> None:
        """Make none: Faust's folders are for tables, and there are no tables."""


def create_app(
    settings: AppSettings,
    folder: Folder,
    loops: Sequence[Callable[[], Awaitable[None]]],
    failed: Callable[[BaseException], None],
) -> WorkerApp:
    """Wire one worker: fold, and the ``loops`` beside it (roll, alarm, delivery, the check).

    ``failed`` is called with the error that ends one of them; it must end the process.
    """
    app = WorkerApp(
        settings.group,
        broker=f"nhip://{settings.bootstrap.replace(',', ';nhip://')}",
        store="memory://",
        key_serializer="raw",
        value_serializer="raw",
        broker_credentials=_credentials(settings.access),
        broker_client_id=settings.client_id,
        agent_supervisor=mode.CrashingSupervisor,  # an agent's error ends the process: nothing was acknowledged
        broker_session_timeout=settings.session_timeout_s,
        broker_heartbeat_interval=settings.session_timeout_s / 4,
        consumer_group_instance_id=settings.instance,  # a restarted worker has its partitions back at once
        consumer_auto_offset_reset="earliest",
        consumer_max_fetch_size=settings.fetch_bytes,
        stream_buffer_maxsize=2,  # batches, not records, on this transport
        stream_wait_empty=False,
        table_standby_replicas=0,
        TableManager=_NoTables,
        topic_disable_leader=True,
        topic_allow_declare=False,
        web_enabled=False,
        worker_redirect_stdouts=False,
    )
    app.assigned = folder.assign
    topics = app.topic(*[kind.topic for kind in KINDS], value_serializer="raw", key_serializer="raw")

    @app.agent(topics, concurrency=1)
    async def fold(stream: Any) -> None:
        async for event in stream.noack().events():
            message = event.message
            partition = Partition(message.topic, message.partition)
            await folder.put(Batch(partition, message.generation_id, message.value))

    for loop in (folder.run, *loops):
        app.task(_or_fail(loop, failed))
    return app


def _credentials(access: KafkaAccess) -> faust.auth.Credentials | None:
    """Return the access as Faust wants it; its texts show the user, never the password."""
    if not access.tls:
        return None
    if access.user is None:
        return faust.SSLCredentials(access.context())
    return faust.SASLCredentials(
        username=access.user, password=access.password, ssl_context=access.context(), mechanism=MECHANISM
    )


def _or_fail(loop: Callable[[], Awaitable[None]], failed: Callable[[BaseException], None]) -> Callable[[], Any]:
    async def run() -> None:
        try:
            await loop()
        except Exception as error:  # noqa: BLE001 - whatever it is, the process must not go on without its loop
            failed(error)

    return run
