"""The Faust app of one worker: it only wires the transport, the fold loop and roll."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any

import faust
import mode

from contract.registry import KINDS
from streams.folder import Batch, Folder
from streams.roll import Roll
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


class WorkerApp(faust.App):
    """A Faust app that the transport can ask where to read from, and that keeps no files."""

    assigned: Assigned

    def _create_directories(self) -> None:
        """Make none: Faust's folders are for tables, and there are no tables."""


def create_app(
    settings: AppSettings, folder: Folder, roll: Roll, failed: Callable[[BaseException], None]
) -> WorkerApp:
    """Wire one worker. ``failed`` is called with the error that ends fold or roll; it must end the process."""
    app = WorkerApp(
        settings.group,
        broker=f"nhip://{settings.bootstrap.replace(',', ';nhip://')}",
        store="memory://",
        key_serializer="raw",
        value_serializer="raw",
        agent_supervisor=mode.CrashingSupervisor,  # an agent's error ends the process: nothing was acknowledged
        broker_session_timeout=settings.session_timeout_s,
        broker_heartbeat_interval=settings.session_timeout_s / 4,
        consumer_group_instance_id=settings.instance,  # a restarted worker has its partitions back at once
        consumer_auto_offset_reset="earliest",
        consumer_max_fetch_size=settings.fetch_bytes,
        stream_buffer_maxsize=2,  # batches, not records, on this transport
        stream_wait_empty=False,
        table_standby_replicas=0,
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

    @app.task  # type: ignore[untyped-decorator]  # Faust leaves it untyped
    async def fold_loop() -> None:
        await _or_fail(folder.run, failed)

    @app.task  # type: ignore[untyped-decorator]
    async def roll_loop() -> None:
        await _or_fail(roll.run, failed)

    return app


async def _or_fail(run: Callable[[], Awaitable[None]], failed: Callable[[BaseException], None]) -> None:
    try:
        await run()
    except Exception as error:  # noqa: BLE001 - whatever it is, the process must not go on without its loop
        failed(error)
