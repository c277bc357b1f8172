"""The schedule of faults: from a seed alone, so that a run can be repeated and read before it happens. Pure."""

from collections.abc import Sequence
from enum import Enum
from random import Random
from typing import NamedTuple

__all__ = ["AREA", "BROKERS", "WORKERS", "Area", "Fault", "FaultKind", "Schedule", "make_schedule"]

WORKERS = 3
BROKERS = 3
_FIRST_AT_S, _LAST_AT_S = 1.0, 8.0
_FEWEST, _MOST = 3, 5
SPREAD_S = 4.0
LONG_SHARE = 0.2


class Area(Enum):
    """What a fault strikes. Of one area at most one fault is under way: a broker cannot be killed twice."""

    WORKER = "worker"
    KAFKA = "kafka"
    STORE = "store"
    DOORS = "doors"
    CLOCK = "clock"
    INPUT = "input"


class FaultKind(Enum):
    """What goes wrong."""

    WORKER_KILL = "worker killed (-9)"
    WORKER_TERM = "worker stopped (SIGTERM)"
    WORKER_ZOMBIE = "worker frozen, wakes up"
    REBALANCE_STORM = "workers join and leave"
    BROKER_LOSS = "one broker lost"
    TWO_BROKERS = "two brokers lost"
    CONTROLLER_LOSS = "active controller lost"
    STORE_KILL = "store killed (-9)"
    STORE_SLOW = "store slow"
    STORE_REFUSES = "store refuses connections"
    STORE_HOLDS = "store silent, connections open"
    STORE_CUT = "connections to the store cut"
    STORE_GARBLED = "connections to the store garbled"
    STORE_DISK_FULL = "store's disk full"
    SPOOL_DISK_FULL = "spools' disk full, two brokers lost"
    INTAKE_KILL = "intake killed (-9)"
    WALL_KILL = "wall killed (-9)"
    CLOCK_JUMP = "a worker's clock jumps"
    DUPLICATES = "duplicate storm"
    POISON = "poison records"


class Fault(NamedTuple):
    """One fault: ``at_s`` after the load began, for ``for_s`` seconds (0: it happens at once).

    ``target``: number of the worker or broker; ``size``: delay in seconds, share of chunks, seconds of the clock,
    rounds or records, as the kind wants.
    """

    at_s: float
    kind: FaultKind
    target: int = 0
    for_s: float = 0.0
    size: float = 0.0

    def __str__(self) -> str:
        whom = f"target {self.target}  for {self.for_s:.1f} s  size {self.size:g}"
        return f"{self.at_s:5.1f} s  {self.kind.name:<16} {whom}"


class Schedule(NamedTuple):
    """All faults of one seed, in order of time."""

    seed: int
    faults: tuple[Fault, ...]

    def __str__(self) -> str:
        return "\n".join([f"seed {self.seed}:", *(f"  {fault}" for fault in self.faults)])


AREA = {
    FaultKind.WORKER_KILL: Area.WORKER,
    FaultKind.WORKER_TERM: Area.WORKER,
    FaultKind.WORKER_ZOMBIE: Area.WORKER,
    FaultKind.REBALANCE_STORM: Area.WORKER,
    FaultKind.BROKER_LOSS: Area.KAFKA,
    FaultKind.TWO_BROKERS: Area.KAFKA,
    FaultKind.CONTROLLER_LOSS: Area.KAFKA,
    FaultKind.STORE_KILL: Area.STORE,
    FaultKind.STORE_SLOW: Area.STORE,
    FaultKind.STORE_REFUSES: Area.STORE,
    FaultKind.STORE_HOLDS: Area.STORE,
    FaultKind.STORE_CUT: Area.STORE,
    FaultKind.STORE_GARBLED: Area.STORE,
    FaultKind.STORE_DISK_FULL: Area.STORE,
    FaultKind.SPOOL_DISK_FULL: Area.KAFKA,
    FaultKind.INTAKE_KILL: Area.DOORS,
    FaultKind.WALL_KILL: Area.DOORS,
    FaultKind.CLOCK_JUMP: Area.CLOCK,
    FaultKind.DUPLICATES: Area.INPUT,
    FaultKind.POISON: Area.INPUT,
}


def make_schedule(seed: int, kinds: Sequence[FaultKind] = tuple(FaultKind)) -> Schedule:
    """Draw the faults of a seed from ``kinds``: three to five, of different areas, at any time of the load.

    Each kind comes about equally often over many seeds.
    """
    chance = Random(f"faults/{seed}")
    wanted = chance.randint(_FEWEST, _MOST)
    chosen: dict[Area, FaultKind] = {}
    for kind in chance.sample(list(kinds), len(kinds)):
        chosen.setdefault(AREA[kind], kind)
        if len(chosen) == wanted:
            break
    faults = [_drawn(kind, round(chance.uniform(_FIRST_AT_S, _LAST_AT_S), 1), chance) for kind in chosen.values()]
    return Schedule(seed, tuple(sorted(faults, key=lambda fault: fault.at_s)))


def _drawn(kind: FaultKind, at_s: float, chance: Random) -> Fault:
    """Draw how long, how strong and against whom."""
    shape = _SHAPES[kind]
    target = chance.randrange(WORKERS) if kind in _OF_A_WORKER else chance.randint(1, BROKERS)
    for_s = shape.least_s + chance.uniform(0.0, SPREAD_S) if shape.lasts else 0.0
    if shape.lasts and chance.random() < LONG_SHARE:
        for_s += shape.longer_s
    size = chance.uniform(*shape.size)
    if kind is FaultKind.CLOCK_JUMP:
        size *= chance.choice((-1, 1))
    return Fault(at_s, kind, target, round(for_s, 1), round(size, 2) if shape.size[1] < 1 else round(size))


class _Shape(NamedTuple):
    """How a kind is drawn: whether it lasts, at least how long, what a long one adds; how weak and how strong."""

    lasts: bool = True
    least_s: float = 2.0
    longer_s: float = 0.0
    size: tuple[float, float] = (0.0, 0.0)


_ONCE = _Shape(lasts=False)
_SHORT = _Shape()
# Beyond the workers' patience of ten seconds now and then: they end and are started again.
_AWAY = _Shape(longer_s=10.0)
_SHAKY = _Shape(size=(0.05, 0.5))
_SHAPES = {
    FaultKind.WORKER_KILL: _ONCE,
    FaultKind.WORKER_TERM: _ONCE,
    # Longer than a session of six seconds, so that its partitions are given away while it sleeps.
    FaultKind.WORKER_ZOMBIE: _Shape(least_s=8.0, longer_s=22.0),
    FaultKind.REBALANCE_STORM: _Shape(lasts=False, size=(1, 3)),
    FaultKind.BROKER_LOSS: _SHORT,
    FaultKind.TWO_BROKERS: _SHORT,
    FaultKind.CONTROLLER_LOSS: _SHORT,
    FaultKind.STORE_KILL: _AWAY,
    FaultKind.STORE_SLOW: _SHAKY,
    FaultKind.STORE_REFUSES: _AWAY,
    FaultKind.STORE_HOLDS: _AWAY,
    FaultKind.STORE_CUT: _SHAKY,
    FaultKind.STORE_GARBLED: _SHAKY,
    FaultKind.STORE_DISK_FULL: _AWAY,
    FaultKind.SPOOL_DISK_FULL: _SHORT,
    FaultKind.INTAKE_KILL: _ONCE,
    FaultKind.WALL_KILL: _ONCE,
    # Within the hour by which clocks of workers may differ (contract/windows.py, MINUTES_KEPT_S).
    FaultKind.CLOCK_JUMP: _Shape(size=(30, 3_000)),
    FaultKind.DUPLICATES: _Shape(lasts=False, size=(1_000, 4_000)),
    FaultKind.POISON: _Shape(lasts=False, size=(20, 200)),
}
_OF_A_WORKER = {FaultKind.WORKER_KILL, FaultKind.WORKER_TERM, FaultKind.WORKER_ZOMBIE, FaultKind.CLOCK_JUMP}
