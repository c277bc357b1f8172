"""The whole pipeline for tests: real Kafka, the real engine, worker processes."""

import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from contract.kind import Event
from nhip.drain import wait_until_counted
from nhip.lag import Backlog
from nhip.settings import Settings
from nhip.store import open_store
from nhip.system import System, SystemPlan
from producers.client import Producer
from producers.mapping import load_mapping
from producers.replay import read_events
from sinks.dead_letters import dead_letters
from sinks.store import ClickHouseStore
from streams.clock import ClockMode
from streams.rows import DeadLetter

__all__ = ["DATA", "Pipeline", "pipeline", "sample"]

DATA = Path(__file__).parents[2] / "data"
PATIENCE_S = 150.0
"""Longest wait for a pipeline to drain, in seconds; some thirty times what it takes."""

Figures = dict[tuple[str, str, str], tuple[int, int]]


class Pipeline:
    """A running system and what a test does with it."""

    def __init__(self, system: System, store: ClickHouseStore) -> None:
        self.system = system
        self.store = store
        self.said: list[str] = []

    def send(self, events: Sequence[Event], *, rate_per_s: float | None = None) -> None:
        """Send events in the order given; at most so many a second."""
        with Producer(self.system.kafka.bootstrap) as producer:
            began_s = time.monotonic()
            for number, event in enumerate(events):
                producer.send(event)
                if rate_per_s and (ahead_s := number / rate_per_s - (time.monotonic() - began_s)) > 0:
                    time.sleep(ahead_s)

    def figures(self) -> Figures:
        """Published rates with a denominator, once everything sent is counted."""
        with Backlog(self.system.kafka.bootstrap, self.system.settings.group) as backlog:
            mode = ClockMode(self.system.settings.clock)
            wait_until_counted(backlog, self.store, mode, PATIENCE_S, lambda *_: None, self.system.watch)
        return {key: value for key, value in self.store.rates_now().items() if value[1]}

    def dead_letters(self) -> list[DeadLetter]:
        """Everything refused."""
        return [found.letter for found in dead_letters(self.store.client, limit=10_000)]


@contextmanager
def pipeline(
    folder: Path, *, workers: int = 1, settings: Settings | None = None, brokers: int = 1
) -> Iterator[Pipeline]:
    """Run a system with the events' own clock under a folder."""
    said: list[str] = []
    plan = SystemPlan(folder, workers, brokers)
    with System(plan, settings or Settings(clock="event"), said.append) as system:
        store = open_store(system.settings)
        running = Pipeline(system, store)
        running.said = said
        yield running
        store.client.close()


def sample(file: str, mapping: str) -> list[Event]:
    """Events of a shipped file."""
    return read_events(DATA / file, load_mapping(mapping)).events
