"""All parts on this machine: Kafka, the store and the workers, started in order and kept alive."""

import socket
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Self

import msgspec

from nhip.local import LocalClickHouse, LocalKafka
from nhip.local.ports import free_ports
from nhip.local.process import ServiceProcess
from nhip.settings import Settings
from nhip.store import prepare_store
from producers.topics import ensure_topics

__all__ = ["System", "SystemPlan"]

YOUNG_S = 10.0
"""A worker that dies younger than this is started again more slowly each time."""
LONGEST_PAUSE_S = 15.0
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


@dataclass
class _Slot:
    """One worker's place: its process, when it was started and when it may be started again."""

    process: ServiceProcess
    started_s: float
    deaths: int = 0
    not_before_s: float = 0.0


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
        self.store = LocalClickHouse(plan.data / "store", port=plan.store_port)
        self._slots: list[_Slot] = []
        self._wall: _Slot | None = None

    def start(self) -> None:
        """Start everything; stops what was started when a part fails."""
        try:
            self._say("starting Kafka …")
            self.kafka.start()
            self._say("starting the store …")
            self.store.start()
            self.settings = msgspec.structs.replace(
                self._placed(), kafka=self.kafka.bootstrap, store_host=self.store.host, store_port=self.store.port
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
            environment=settings.environment(),
        )
        process.start()
        self._slots.append(_Slot(process, time.monotonic()))
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
        process = ServiceProcess(
            "wall",
            [sys.executable, "-m", "nhip", "serve"],
            self._plan.data / "wall.log",
            environment=self.settings.environment(),
        )
        self._wall = _Slot(process, time.monotonic())
        process.start()
        process.wait_ready(lambda: _answers(host, port), WALL_START_S)
        self._say(f"wall: {self.wall_url}")

    @property
    def workers(self) -> list[ServiceProcess]:
        """The workers' processes, by slot."""
        return [slot.process for slot in self._slots]

    def watch(self) -> None:
        """Start again what has died, and say so. Call about twice a second."""
        now_s = time.monotonic()
        for slot in (*self._slots, *([self._wall] if self._wall else [])):
            if slot.process.alive:
                continue
            if slot.not_before_s == 0.0:
                young = now_s - slot.started_s < YOUNG_S
                slot.deaths = slot.deaths + 1 if young else 1
                pause_s = min(LONGEST_PAUSE_S, 0.5 * 2**slot.deaths)
                slot.not_before_s = now_s + pause_s
                self._say(f"{slot.process.name} has ended; starting it again in {pause_s:.0f} s. The end of its log:")
                self._say(slot.process.log_tail())
            elif now_s >= slot.not_before_s:
                slot.process.start()
                slot.started_s, slot.not_before_s = now_s, 0.0

    def stop(self) -> None:
        """Stop wall and workers, store and Kafka in this order; may be repeated."""
        slots = (*self._slots, *([self._wall] if self._wall else []))
        for slot in slots:
            slot.process.ask_to_stop()
        for slot in slots:
            slot.process.stop()
        self._slots, self._wall = [], None
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
