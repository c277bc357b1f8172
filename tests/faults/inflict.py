"""How each fault is done to the running system, and undone. A call returns when the fault is over."""

import signal
import threading
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from random import Random

from producers.driver import KafkaError, admin_client
from tests.faults.fleet import Fleet
from tests.faults.load import Step
from tests.faults.poison import make_poison, send_poison
from tests.faults.proxy import FINE, Weather
from tests.faults.schedule import BROKERS, Fault, FaultKind
from tests.faults.senders import KafkaSender
from tests.faults.truth import Ledger

__all__ = ["Inflictor"]

FIND_S = 10.0
NEARLY_FULL_MB = 100
STORM_STAY_S = 3.0
DUPLICATES_AT_ONCE = 200
Begun = Callable[[], None]
Deed = Callable[[int, Fault, Begun], None]


class Inflictor:
    """Does the faults of one seed. ``poison``: names of poison records that Kafka acknowledged, and the reasons."""

    def __init__(
        self, fleet: Fleet, seed: int, ledger: Ledger, sender: KafkaSender, sample: Callable[[], Sequence[Step]]
    ) -> None:
        self._fleet = fleet
        self._seed = seed
        self._ledger = ledger
        self._sender = sender
        self._sample = sample
        self.poison: dict[str, str] = {}

    def do(self, number: int, fault: Fault, begun: Begun) -> None:
        """Do a fault; ``begun`` is called when it has struck."""
        self._deeds[fault.kind](number, fault, begun)

    @property
    def _deeds(self) -> dict[FaultKind, Deed]:
        losses = (FaultKind.BROKER_LOSS, FaultKind.TWO_BROKERS, FaultKind.CONTROLLER_LOSS)
        return {
            **dict.fromkeys(_SIGNALS, self._signal),
            **dict.fromkeys(losses, self._brokers),
            **dict.fromkeys(_WEATHERS, self._weather),
            FaultKind.WORKER_ZOMBIE: self._freeze,
            FaultKind.REBALANCE_STORM: self._storm,
            FaultKind.SPOOL_DISK_FULL: self._spool_disk,
            FaultKind.STORE_DISK_FULL: self._store_disk,
            FaultKind.STORE_KILL: self._store,
            FaultKind.CLOCK_JUMP: self._clock,
            FaultKind.DUPLICATES: self._duplicates,
            FaultKind.POISON: self._poison,
        }

    def _signal(self, _: int, fault: Fault, begun: Begun) -> None:
        name, number = _SIGNALS[fault.kind]
        self._strike(name.format(fault.target), number)
        begun()

    def _freeze(self, _: int, fault: Fault, begun: Begun) -> None:
        name = f"worker {fault.target}"
        self._strike(name, signal.SIGSTOP)
        begun()
        time.sleep(fault.for_s)
        self._fleet.strike(name, signal.SIGCONT)

    def _storm(self, _: int, fault: Fault, begun: Begun) -> None:
        begun()
        for number in range(int(fault.size)):
            self._join_and_leave(number)

    def _brokers(self, _: int, fault: Fault, begun: Begun) -> None:
        first, second = fault.target, fault.target % BROKERS + 1
        match fault.kind:
            case FaultKind.BROKER_LOSS:
                self._lose([first], fault.for_s, begun)
            case FaultKind.CONTROLLER_LOSS:
                self._lose([self._controller()], fault.for_s, begun)
            case _:
                self._lose([first, second], fault.for_s, begun)

    def _spool_disk(self, _: int, fault: Fault, begun: Begun) -> None:
        """With Kafka away and no room on the spools' disk nothing more can be accepted."""
        self._fleet.leave_space("spools", 0)
        try:
            self._lose([fault.target, fault.target % BROKERS + 1], fault.for_s, begun)
        finally:
            self._fleet.empty_disk("spools")

    def _store_disk(self, _: int, fault: Fault, begun: Begun) -> None:
        # Not at once: a disk loses its last 100 MB more slowly than one insert takes (nhip/local/space.py).
        self._fleet.leave_space("store", NEARLY_FULL_MB)
        begun()
        time.sleep(fault.for_s / 2)
        self._fleet.leave_space("store", 0)
        time.sleep(fault.for_s / 2)
        self._fleet.empty_disk("store")

    def _store(self, _: int, fault: Fault, begun: Begun) -> None:
        self._fleet.lose_store()
        begun()
        time.sleep(fault.for_s)
        self._fleet.system.store.start()

    def _clock(self, _: int, fault: Fault, begun: Begun) -> None:
        self._fleet.jump(fault.target, fault.size)
        begun()
        time.sleep(fault.for_s)
        self._fleet.jump(fault.target, 0.0)

    def _duplicates(self, _: int, fault: Fault, begun: Begun) -> None:
        begun()
        self._repeat(int(fault.size))

    def _poison(self, number: int, fault: Fault, begun: Begun) -> None:
        begun()
        poison = make_poison(self._seed, number, int(fault.size), time.time_ns() // 1_000)
        self.poison |= send_poison(self._fleet.system.kafka.bootstrap, poison, self._fleet.system.settings.partitions)

    def _weather(self, _: int, fault: Fault, begun: Begun) -> None:
        self._fleet.proxy.set(_WEATHERS[fault.kind](fault.size))
        begun()
        time.sleep(fault.for_s)
        self._fleet.proxy.set(FINE)

    def _strike(self, name: str, number: int) -> None:
        """Send a signal to a part; one that is just being started again is waited for."""
        deadline_s = time.monotonic() + FIND_S
        while not self._fleet.strike(name, number):
            if time.monotonic() > deadline_s:
                raise TimeoutError(f"{name} was not there to be struck")
            time.sleep(0.05)

    def _lose(self, numbers: Sequence[int], for_s: float, begun: Begun) -> None:
        kafka = self._fleet.system.kafka
        for number in numbers:
            self._fleet.lose_broker(number)
        begun()
        time.sleep(for_s)
        starting = [threading.Thread(target=kafka.start_broker, args=(number,)) for number in numbers]
        for thread in starting:
            thread.start()
        for thread in starting:
            thread.join()

    def _controller(self) -> int:
        """Which broker leads the controllers, as Kafka tells."""
        bootstrap = self._fleet.system.kafka.bootstrap.split(",")
        with suppress(KafkaError, OSError):
            admin = admin_client(bootstrap_servers=bootstrap, client_id="lab", bootstrap_timeout_ms=10_000)
            try:
                return int(_leader_of(admin.describe_metadata_quorum()))
            finally:
                admin.close()
        return 1

    def _join_and_leave(self, number: int) -> None:
        """Start a worker beside the others and stop it as soon as it has joined, or a little later."""
        process = self._fleet.extra_worker(number)
        time.sleep(STORM_STAY_S + Random(f"{self._seed}/{number}").uniform(0.0, 2.0))
        process.stop()

    def _repeat(self, count: int) -> None:
        """Send events again that were sent before, in any order: old versions, whole histories, the newest."""
        chance = Random(f"duplicates/{self._seed}")
        known = list(self._sample())
        if not known:
            return
        for first in range(0, count, DUPLICATES_AT_ONCE):
            some = chance.choices(known, k=min(DUPLICATES_AT_ONCE, count - first))
            self._sender.repeat(some, self._ledger)


_SIGNALS = {
    FaultKind.WORKER_KILL: ("worker {}", signal.SIGKILL),
    FaultKind.WORKER_TERM: ("worker {}", signal.SIGTERM),
    FaultKind.INTAKE_KILL: ("intake", signal.SIGKILL),
    FaultKind.WALL_KILL: ("wall", signal.SIGKILL),
}
_WEATHERS: dict[FaultKind, Callable[[float], Weather]] = {
    FaultKind.STORE_SLOW: lambda size: Weather(delay_s=size),
    FaultKind.STORE_REFUSES: lambda _: Weather(refuses=True),
    FaultKind.STORE_HOLDS: lambda _: Weather(holds=True),
    FaultKind.STORE_CUT: lambda size: Weather(cut=size),
    FaultKind.STORE_GARBLED: lambda size: Weather(garbled=size),
}


def _leader_of(answer: object) -> int:
    """Find the leader's number in Kafka's description of the controllers' quorum."""
    if isinstance(answer, dict):
        if "leader_id" in answer:
            return int(answer["leader_id"])
        for value in answer.values():
            if (found := _leader_of(value)) > 0:
                return found
    if isinstance(answer, (list, tuple)):
        for value in answer:
            if (found := _leader_of(value)) > 0:
                return found
    return -1
