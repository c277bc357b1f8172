"""Signs by which somebody could notice a fault: what health, metrics, supervisor and Kafka itself tell.

Each part is asked four times a second. A sign is kept with the second in which it began to be seen.
"""

import re
import threading
import time
from collections.abc import Callable
from functools import partial
from http import HTTPStatus
from http.client import HTTPConnection, HTTPException
from typing import NamedTuple

from nhip.local.ports import HOST
from nhip.local.wire import known_brokers
from tests.faults.fleet import Fleet
from tests.faults.schedule import BROKERS, Fault, FaultKind

__all__ = ["Sign", "Signs"]

LOOK_S = 0.25
ANSWER_S = 1.0
OLD_FIGURES_S = 3.0
"""The heartbeat is written each second: figures older than this are late (the wall greys them after ten)."""
_AGE = re.compile(r"^nhip_rates_age_seconds (\S+)", re.MULTILINE)
_SPOOLED = re.compile(r"^nhip_intake_spool_records (\S+)", re.MULTILINE)
_LETTERS = re.compile(r"^nhip_dead_letters_total (\S+)", re.MULTILINE)
_REBALANCES = re.compile(r"^nhip_rebalances_total (\S+)", re.MULTILINE)


class Sign(NamedTuple):
    """Something that was noticed: when, where, what."""

    at_s: float
    part: str
    what: str


class Signs:
    """Looks from threads of its own, between ``start`` and ``stop``."""

    def __init__(self, fleet: Fleet) -> None:
        self._fleet = fleet
        self._seen: list[Sign] = []
        self._on: set[tuple[str, str]] = set()
        self._numbers: dict[tuple[str, str], float] = {}
        self._stop = threading.Event()
        looks: list[Callable[[], None]] = [partial(self._worker, name) for name in fleet.health if "worker" in name]
        looks += [partial(self._served, "wall"), partial(self._served, "intake"), self._brokers, self._supervisor]
        self._said = len(fleet.said)
        self._threads = [threading.Thread(target=self._run, args=(look,), daemon=True) for look in looks]

    def start(self) -> None:
        """Begin to look."""
        for thread in self._threads:
            thread.start()

    def stop(self) -> None:
        """Look no more."""
        self._stop.set()
        for thread in self._threads:
            thread.join()

    def first(self, fault: Fault, begun_s: float, until_s: float) -> Sign | None:
        """Return the first sign that fits a fault, seen between two moments."""
        parts, whats = _FITS[fault.kind]
        fitting = [
            sign
            for sign in self._seen
            if begun_s <= sign.at_s <= until_s
            and sign.what in whats
            and (parts is None or sign.part in {part.format(fault.target) for part in parts})
        ]
        return min(fitting, key=lambda sign: sign.at_s, default=None)

    def _run(self, look: Callable[[], None]) -> None:
        while not self._stop.wait(LOOK_S):
            look()

    def _note(self, part: str, what: str, *, on: bool) -> None:
        if on and (part, what) not in self._on:
            self._on.add((part, what))
            self._seen.append(Sign(time.monotonic(), part, what))
        elif not on:
            self._on.discard((part, what))

    def _grown(self, part: str, what: str, text: str, form: re.Pattern[str]) -> None:
        found = form.search(text)
        if found is None:
            return
        number, before = float(found[1]), self._numbers.get((part, what))
        if before is not None and number > before:
            self._seen.append(Sign(time.monotonic(), part, what))
        self._numbers[part, what] = number

    def _worker(self, name: str) -> None:
        port = self._fleet.health[name]
        self._note(name, "health", on=_get(port, "/health/ready") is None)
        if (metrics := _get(port, "/metrics")) is not None:
            self._grown(name, "dead letters", metrics, _LETTERS)
            self._grown(name, "rebalances", metrics, _REBALANCES)

    def _served(self, name: str) -> None:
        port = self._fleet.health[name]
        self._note(name, "health", on=_get(port, "/health/ready") is None)
        metrics = _get(port, "/metrics")
        if metrics is None:
            return
        age, spooled = _AGE.search(metrics), _SPOOLED.search(metrics)
        if name == "wall":
            self._note(name, "old figures", on=age is not None and float(age[1]) > OLD_FIGURES_S)
            self._note(name, "clock", on=age is not None and float(age[1]) < -OLD_FIGURES_S)
        self._note(name, "spool", on=spooled is not None and float(spooled[1]) > 0)

    def _brokers(self) -> None:
        known = [known_brokers(plan.port) for plan in self._fleet.system.kafka._planned()]
        self._note("Kafka", "brokers", on=any(found and len(found) < BROKERS for found in known))

    def _supervisor(self) -> None:
        said = self._fleet.said
        for at_s, text in said[self._said :]:
            if " has ended" in text:
                self._seen.append(Sign(at_s, text.split(" has ended")[0], "ended"))
        self._said = len(said)


def _get(port: int, path: str) -> str | None:
    """Return the body of a good answer that comes in time, else None."""
    connection = HTTPConnection(HOST, port, timeout=ANSWER_S)
    try:
        connection.request("GET", path)
        answer = connection.getresponse()
        body = answer.read().decode()
    except (OSError, HTTPException):
        return None
    else:
        return body if answer.status == HTTPStatus.OK else None
    finally:
        connection.close()


_OWN = ("worker {}",)
_OF_WORKER = (_OWN, frozenset({"ended", "health"}))
_OF_STORE = (None, frozenset({"health", "ended", "old figures"}))
_OF_KAFKA = (None, frozenset({"brokers", "spool"}))
_FITS: dict[FaultKind, tuple[tuple[str, ...] | None, frozenset[str]]] = {
    FaultKind.WORKER_KILL: _OF_WORKER,
    FaultKind.WORKER_TERM: _OF_WORKER,
    FaultKind.WORKER_ZOMBIE: _OF_WORKER,
    FaultKind.REBALANCE_STORM: (None, frozenset({"rebalances"})),
    FaultKind.BROKER_LOSS: _OF_KAFKA,
    FaultKind.TWO_BROKERS: _OF_KAFKA,
    FaultKind.CONTROLLER_LOSS: _OF_KAFKA,
    FaultKind.SPOOL_DISK_FULL: _OF_KAFKA,
    FaultKind.STORE_KILL: _OF_STORE,
    FaultKind.STORE_SLOW: _OF_STORE,
    FaultKind.STORE_REFUSES: _OF_STORE,
    FaultKind.STORE_HOLDS: _OF_STORE,
    FaultKind.STORE_CUT: _OF_STORE,
    FaultKind.STORE_GARBLED: _OF_STORE,
    FaultKind.STORE_DISK_FULL: _OF_STORE,
    FaultKind.INTAKE_KILL: (("intake",), frozenset({"ended", "health"})),
    FaultKind.WALL_KILL: (("wall",), frozenset({"ended", "health"})),
    FaultKind.CLOCK_JUMP: (("wall",), frozenset({"clock", "old figures"})),
    FaultKind.DUPLICATES: ((), frozenset()),
    FaultKind.POISON: (None, frozenset({"dead letters"})),
}
