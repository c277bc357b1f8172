"""All parts on this machine: Kafka, the store and the workers, started in order and kept alive."""

import socket
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Self

import msgspec

from nhip.kafka_access import EMBEDDED, embedded_environment
from nhip.local import LocalClickHouse, LocalKafka
from nhip.local.ports import free_ports
from nhip.local.process import ServiceProcess
from nhip.settings import Settings
from nhip.slot import Slot
from nhip.store import prepare_store
from producers.topics import ensure_topics

__all__ = ["System", "SystemPlan"]

WALL_START_S = 30.0


@dataclass(frozen=True)
class SystemPlan:
    """What to start. Ports are chosen free unless given.

    ``wall``: serve the screens too; ``wall_anywhere``: at a free port when the setting's is taken.
    """

    data: Path
    workers: int = 1
    brokers: int = 1
    kafka_port: int | None = None
    store_port: int | None = None
    wall: bool = False
    wall_anywhere: bool = False


class System:
    """Kafka, store and workers under one data folder; a context manager.

    ``say`` receives what a person wants to know.

    Raises nhip.local.LocalServiceError when a part cannot start.
    """

    def __init__(self, plan: SystemPlan, settings: Settings, say: Callable[[str], None]) -> None:
        self._plan = plan
        self._say = say
        self.settings = settings
        self.kafka = LocalKafka(plan.data / "kafka", brokers=plan.brokers, port=plan.kafka_port, log=say)
        self.store = LocalClickHouse(plan.data / "store", port=plan.store_port, database=settings.store_database)
        self.slots: list[Slot] = []
        """Every part that runs, what others need first."""
        self._workers: list[ServiceProcess] = []
        self._wall: ServiceProcess | None = None

    def start(self) -> None:
        """Start everything; stops what was started when a part fails."""
        try:
            self._say("starting Kafka …")
            self.kafka.start()
            self._keep_service("Kafka", self.kafka, self._plan.data / "kafka")
            self._say("starting the store …")
            self.store.start()
            self._keep_service("the store", self.store, self._plan.data / "store")
            self.settings = msgspec.structs.replace(
                self._placed(),
                **EMBEDDED,
                kafka=self.kafka.bootstrap,
                store_host=self.store.host,
                store_port=self.store.port,
                store_tls=False,
                store_user=self.store.user,
                store_password_file=str(self.store.password_file),
                store_reader_user=self.store.reader,
                store_reader_password_file=str(self.store.reader_password_file),
            )
            prepare_store(self.settings)
            ensure_topics(self.kafka.bootstrap, self.settings.partitions, min(self._plan.brokers, 3))
            self._say(f"starting {self._plan.workers} worker(s) …")
            for number in range(self._plan.workers):
                self.add_worker(number)
            if self._plan.wall:
                self._start_wall()
        except BaseException:
            self.stop()
            raise

    def _placed(self) -> Settings:
        """Return the settings with the wall's port, which messages name, and with files beside the data."""
        settings, data = self.settings, self._plan.data
        host, port = settings.wall_host, settings.wall_port
        if self._plan.wall and (port == 0 or (self._plan.wall_anywhere and not _free(host, port))):
            port = _any_port(host)
        return msgspec.structs.replace(
            settings,
            wall_port=port,
            intake_spool=settings.intake_spool or str(data / "intake-spool.db"),
            alerts_key_file=settings.alerts_key_file or str(data / "alerts.key"),
        )

    def add_worker(self, number: int) -> ServiceProcess:
        """Start a worker in its slot and return its process."""
        instance = f"{self.settings.group}-{number}"
        # Also started again it answers there: Kafka keeps what the first process in a slot called itself.
        (port,) = free_ports(1)
        settings = msgspec.structs.replace(self.settings, instance=instance, health_port=port)
        process = ServiceProcess(
            f"worker {number}",
            [sys.executable, "-m", "nhip", "worker"],
            self._plan.data / f"worker-{number}.log",
            environment={**settings.environment(), **embedded_environment()},
        )
        process.start()
        self._workers.append(process)
        self._keep_process(process)
        return process

    @property
    def wall_url(self) -> str | None:
        """Where the screens are, for a browser on this machine; None when they are not served."""
        host = self.settings.wall_host
        seen = "127.0.0.1" if host in ("0.0.0.0", "::") else host  # noqa: S104 - only compared
        at = f"[{seen}]" if ":" in seen else seen
        return None if self._wall is None else f"http://{at}:{self.settings.wall_port}/"

    def _start_wall(self) -> None:
        """Serve the screens; returns when they answer."""
        host, port = self.settings.wall_host, self.settings.wall_port
        # It never learns the password that writes.
        settings = msgspec.structs.replace(self.settings, store_password_file=None)
        process = ServiceProcess(
            "wall",
            [sys.executable, "-m", "nhip", "serve"],
            self._plan.data / "wall.log",
            environment={**settings.environment(), **embedded_environment()},
        )
        self._wall = process
        process.start()
        process.wait_ready(lambda: _answers(host, port), WALL_START_S)
        self._keep_process(process)
        self._say(f"wall: {self.wall_url}")

    @property
    def workers(self) -> list[ServiceProcess]:
        """The workers' processes, by slot."""
        return list(self._workers)

    def watch(self) -> None:
        """Start again what has died, and say so. Call about twice a second; blocks while Kafka or the store starts.

        What was ended through ``kafka`` or ``store`` themselves is not started again.
        """
        for slot in self.slots:
            slot.look()

    def _keep_service(self, name: str, service: LocalKafka | LocalClickHouse, folder: Path) -> None:
        self.slots.append(
            Slot(
                name,
                ended=lambda: service.died,
                start=service.revive,
                trace=lambda: f"Its log is in {folder}",
                say=self._say,
            )
        )

    def _keep_process(self, process: ServiceProcess) -> None:
        def start() -> None:
            process.kill()  # also what a killed guard may have left
            process.start()

        self.slots.append(
            Slot(
                process.name,
                ended=lambda: not process.alive,
                start=start,
                trace=lambda: f"The end of its log:\n{process.log_tail()}",
                say=self._say,
            )
        )

    def stop(self) -> None:
        """Stop wall and workers, store and Kafka in this order; may be repeated."""
        processes = (*self._workers, *([self._wall] if self._wall else []))
        for process in processes:
            process.ask_to_stop()
        for process in processes:
            process.stop()
        self.slots, self._workers, self._wall = [], [], None
        self.store.stop()
        self.kafka.stop()

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()


def _answers(host: str, port: int) -> bool:
    try:
        socket.create_connection((host, port), timeout=1.0).close()
    except OSError:
        return False
    return True


def _free(host: str, port: int) -> bool:
    try:
        socket.create_server((host, port), family=_family(host)).close()
    except OSError:
        return False
    return True


def _any_port(host: str) -> int:
    with socket.create_server((host, 0), family=_family(host)) as listener:
        return int(listener.getsockname()[1])


def _family(host: str) -> socket.AddressFamily:
    return socket.AF_INET6 if ":" in host else socket.AF_INET
