"""The same job in every engine, in turns on one core: events per second, ratios, and windows right."""

import asyncio
import tempfile
import time
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import NamedTuple

import msgspec

from benchmarks.dense import Day
from benchmarks.load import fill
from benchmarks.peers import worker
from benchmarks.peers.engines import ENGINES, EVENTS, WORKER, Engine, Turn
from benchmarks.peers.environments import FLINK_VERSION, MissingError, flink_jars, java, python_with
from benchmarks.peers.job import SLIDING, TUMBLING, Job, Panes, Took, slide
from benchmarks.peers.standings import Standings
from benchmarks.report import Figure
from benchmarks.stage import Cores, cores, pinned, services
from contract.dossier import DOSSIER
from nhip.console import bar, say
from nhip.local import LocalServiceError
from nhip.local.process import ServiceProcess
from nhip.settings import Settings, load_tree
from nhip.system import System
from producers.driver import admin_client

__all__ = ["EVENTS", "ROUNDS", "run"]

ROUNDS = 3
"""All engines in turns, so often, so that a busy moment of the machine strikes none alone."""
FEWEST = 200
TIMEOUT_S = 150.0
LOAD_TIMEOUT_S = 300.0
LOOK_S = 0.05
ROOT = Path(__file__).parents[2]
FAULTS = (RuntimeError, TimeoutError, LocalServiceError)


class _Found(msgspec.Struct):
    """What an engine counted for one kind of window."""

    events: int
    seconds: float
    windows: list[tuple[str, str, int, int, int]]


class _Result(msgspec.Struct):
    """What an engine's process writes."""

    versions: dict[str, str]
    found: dict[str, _Found]


class _Loaded(NamedTuple):
    """A topic with the first events of the day, and what must come out of it for each kind of window."""

    topic: str
    truth: Mapping[str, Panes]


@dataclass
class _Stage:
    """Everything that a run of an engine needs."""

    system: System
    place: Cores
    folder: Path
    jars: str
    pythons: dict[str, Path]
    loaded: Mapping[int, _Loaded] = field(default_factory=dict)


def run(events: int = EVENTS, cache: Path | None = None, rounds: int = ROUNDS) -> Iterator[Figure]:
    """Measure every engine that installs; with fewer ``events`` all get fewer, in proportion.

    ``cache``: folder of their environments, kept; without one they are made anew and removed. Raises RuntimeError,
    TimeoutError when the worker fails.
    """
    place = cores()
    with tempfile.TemporaryDirectory(prefix="nhip-bench-", ignore_cleanup_errors=True) as name, pinned(place.others):
        folder = Path(name)
        say("peers: an environment for each engine …")
        jars, pythons = _environments(cache or folder / "peers")
        with services(Settings(clock="event")) as system:
            stage = _Stage(system, place, folder, jars, pythons)
            day = Day(load_tree(system.settings), events, system.settings.partitions)
            turns = [(engine, _sized(turn, day.count)) for engine in ENGINES for turn in engine.turns]
            say(f"peers: loading a day of {day.count:,} events …")
            stage.loaded = _load(system, day, {n for _, turn in turns for n in (turn.events, turn.warm)} - {0})
            yield from _measure(stage, day, turns, rounds).figures()


def _environments(cache: Path) -> tuple[str, dict[str, Path]]:
    cache.mkdir(parents=True, exist_ok=True)
    jars, pythons = "", dict[str, Path]()
    with bar("engines") as show:
        for number, engine in enumerate(ENGINES, 1):
            # Engines with the same packages share an environment.
            name = next(e.module for e in ENGINES if e.packages == engine.packages)
            try:
                jars = flink_jars(cache.resolve()) if engine.jars else jars
                pythons[engine.name] = python_with(cache.resolve(), name, engine.packages)
            except MissingError as error:
                say(f"peers: without {engine.name}, it does not install: {error}")
            show(number, len(ENGINES))
    return jars, pythons


def _sized(turn: Turn, count: int) -> Turn:
    """Return the turn for a day of so many events instead of ``EVENTS``."""
    events, warm = (max(FEWEST, n * count // EVENTS) if n else 0 for n in (turn.events, turn.warm))
    return turn._replace(events=events, warm=warm)


def _load(system: System, day: Day, counts: Iterable[int]) -> dict[int, _Loaded]:
    """Put the first events of the day into a topic for each count; all of them are in the worker's own."""
    found = {}
    sizes = sorted({*counts, day.count})
    kafka = admin_client(bootstrap_servers=system.kafka.bootstrap.split(","))
    with bar("loading") as show:
        for number, count in enumerate(sizes, 1):
            part = day.first(count)
            topic = DOSSIER.topic if count == day.count else f"peer-{count}"
            if topic != DOSSIER.topic:
                kafka.create_topics({topic: {"num_partitions": day.partitions, "replication_factor": 1}})
                kafka.wait_for_topics([topic])
            writing = fill(system.kafka.bootstrap, part, lambda _: None, topic)
            asyncio.run(asyncio.wait_for(writing, LOAD_TIMEOUT_S))
            minutes = part.panes()
            found[count] = _Loaded(topic, {TUMBLING: minutes, SLIDING: dict(slide(minutes.items()))})
            show(number, len(sizes))
    kafka.close()
    return found


def _measure(stage: _Stage, day: Day, turns: list[tuple[Engine, Turn]], rounds: int) -> Standings:
    """Run the worker and every engine, in turns; an engine that fails is left out from then on."""
    standings = Standings()
    runs = rounds * (len(turns) + 1)
    with bar("peers") as show:
        for number in range(runs):
            place = number % (len(turns) + 1)
            if place == 0:
                for kind, ours in worker.measure(stage.system, day, stage.place, stage.folder, number).items():
                    standings.take(WORKER, kind, *ours, stage.loaded[day.count].truth[kind])
            elif (engine := turns[place - 1][0]).name in stage.pythons:
                turn = turns[place - 1][1]
                try:
                    result = _one(stage, engine, turn, number)
                except FAULTS as error:
                    say(f"peers: without {engine.name}, it failed: {error}")
                    del stage.pythons[engine.name]
                else:
                    standings.versions[engine.name] = ", ".join(f"{n} {v}" for n, v in result.versions.items())
                    for kind, found in result.found.items():
                        if found.seconds <= 0:
                            say(f"peers: a run of {engine.name} is not counted: its start-up took longer")
                            continue
                        windows = {(u, i, at): (good, counted) for u, i, at, good, counted in found.windows}
                        took = Took(found.events, found.seconds)
                        standings.take(engine.name, kind, took, windows, stage.loaded[turn.events].truth[kind])
            show(number + 1, runs)
    return standings


def _one(stage: _Stage, engine: Engine, turn: Turn, number: int) -> _Result:
    """Run an engine once on its core; return what it wrote. Raises RuntimeError, TimeoutError, LocalServiceError."""
    result = stage.folder / f"{engine.module}-{number}.json"
    job = Job(
        bootstrap=stage.system.kafka.bootstrap,
        topic=stage.loaded[turn.events].topic,
        partitions=stage.system.settings.partitions,
        events=turn.events,
        windows=turn.windows,
        result=str(result),
        patience_s=turn.patience_s,
        warm_topic=stage.loaded[turn.warm].topic if turn.warm else "",
        warm_events=turn.warm,
        jars=stage.jars if engine.jars else "",
        java=java() if engine.jars else "",
        run=number,
    )
    command = [str(stage.pythons[engine.name]), "-m", f"benchmarks.peers.{engine.module}", job.text()]
    log = stage.folder / f"{engine.module}-{number}.log"
    process = ServiceProcess(engine.name, command, log, environment={"PYTHONPATH": str(ROOT)})
    with pinned(stage.place.measured):
        process.start()
    try:
        deadline_s = time.monotonic() + TIMEOUT_S
        while not result.exists():
            if not process.alive and not result.exists():
                raise RuntimeError(f"{engine.name} has ended:\n{process.log_tail()}")
            if time.monotonic() > deadline_s:
                raise TimeoutError(f"{engine.name} did not finish in {TIMEOUT_S:.0f} s:\n{process.log_tail()}")
            time.sleep(LOOK_S)
    finally:
        process.kill()  # it has nothing to lose, and some only idle
    found = msgspec.json.decode(result.read_bytes(), type=_Result)
    result.unlink()
    if engine.jars:
        found.versions["flink"] = FLINK_VERSION
    return found
