"""The stage of every measurement: services on one side of the machine, what is measured on the other."""

import os
import sys
import tempfile
import time
from collections.abc import Container, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import msgspec
import psutil

from nhip.local.process import ServiceProcess
from nhip.settings import Settings
from nhip.system import System, SystemPlan

__all__ = ["Cores", "Measured", "cores", "measured", "pinned", "running_worker", "services"]

WORKER = [sys.executable, "-m", "nhip", "worker"]
FIND_TIMEOUT_S = 10.0


@dataclass(frozen=True)
class Cores:
    """Which cores the measured process has, and which everything else."""

    measured: frozenset[int]
    others: frozenset[int]


def cores() -> Cores:
    """One core is measured, the others serve; a machine with one core has to share it."""
    first, *rest = sorted(os.sched_getaffinity(0))
    return Cores(frozenset({first}), frozenset(rest or [first]))


@contextmanager
def pinned(to: frozenset[int]) -> Iterator[None]:
    """Run the block, and every process started in it, on these cores."""
    before = os.sched_getaffinity(0)
    os.sched_setaffinity(0, to)
    try:
        yield
    finally:
        os.sched_setaffinity(0, before)


@contextmanager
def services(settings: Settings) -> Iterator[System]:
    """Kafka and the store in a folder of their own that is removed afterwards; no worker yet."""
    with (
        tempfile.TemporaryDirectory(prefix="nhip-bench-") as folder,
        System(SystemPlan(Path(folder), workers=0), settings, lambda _: None) as system,
    ):
        yield system


class Measured:
    """A process whose time and memory are read from outside."""

    def __init__(self, service: ServiceProcess, process: psutil.Process) -> None:
        self.service = service
        self.process = process
        self.peak_bytes = 0

    def cpu_s(self) -> float:
        """User and system seconds of all its threads so far."""
        try:
            times = self.process.cpu_times()
        except psutil.NoSuchProcess:
            raise RuntimeError(self._ended()) from None
        return times.user + times.system

    def look(self) -> None:
        """Note its memory; RuntimeError with the end of its log when it has ended."""
        try:
            self.peak_bytes = max(self.peak_bytes, self.process.memory_info().rss)
        except psutil.NoSuchProcess:
            raise RuntimeError(self._ended()) from None

    def _ended(self) -> str:
        return f"{self.service.name} has ended:\n{self.service.log_tail()}"


@contextmanager
def measured(
    name: str, command: Sequence[str], log: Path, environment: dict[str, str], on: frozenset[int]
) -> Iterator[Measured]:
    """Run a command on these cores; it is ended with the block."""
    service = ServiceProcess(name, command, log, environment=environment)
    before = {child.pid for child in psutil.Process().children(recursive=True)}
    with pinned(on):
        service.start()
    try:
        yield Measured(service, _find(list(command), service, before))
    finally:
        service.stop()


@contextmanager
def running_worker(system: System, on: frozenset[int], log: Path, number: int = 0) -> Iterator[Measured]:
    """Run one worker of the system, by this number, on these cores."""
    settings = msgspec.structs.replace(system.settings, instance=f"{system.settings.group}-{number}")
    with measured("worker", WORKER, log, settings.environment(), on) as process:
        yield process


def _find(command: list[str], service: ServiceProcess, before: Container[int]) -> psutil.Process:
    """Find the command itself below the process that guards it; ``before`` it others with the same words may run."""
    deadline_s = time.monotonic() + FIND_TIMEOUT_S
    while time.monotonic() < deadline_s and service.alive:
        for child in psutil.Process().children(recursive=True):
            try:
                if child.pid not in before and child.cmdline() == command:
                    return child
            except psutil.Error:
                continue
        time.sleep(0.005)
    raise RuntimeError(f"{service.name} did not start:\n{service.log_tail()}")
