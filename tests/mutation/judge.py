"""The judge of mutants: a pytest plugin that runs, for each, the tests that reach it, in a process of its own.

The tests are collected once; each mutant is then judged in a fork of that process, by those tests first that
noticed a neighbour. Nothing that one mutant does, nor anything that a test caches, is seen by the next one. What
ran before the forks (bodies of modules, parameters of tests) ran unchanged code.
"""

import gc
import json
import math
import os
import resource
import signal
import time
from collections import Counter, defaultdict
from collections.abc import Callable, Mapping, Sequence
from typing import Final, NamedTuple

import pytest
from mutmut.mutation import trampoline

__all__ = ["NOTICED", "Judge", "Verdict"]

NOTICED: Final = frozenset({"killed", "timeout"})
"""All else counts against the tests: survivors, mutants that no test reaches, and what could not be judged."""

CPU_FACTOR: Final = 5
CPU_EXTRA_S: Final = 2
"""A mutant may compute this many times as long as its tests do, and so much more; then it runs without end."""
WALL_FACTOR: Final = 60
"""It may last this many times as long, asleep or waiting for its turn on a busy machine."""
MEMORY_BYTES: Final = 6 * 2**30


class Reach(NamedTuple):
    """What a run of unchanged code told: tests by function, processor seconds by test, tests that fail anyway."""

    tests: dict[str, list[str]]
    seconds: dict[str, float]
    failed: list[str]


class Verdict(NamedTuple):
    """What became of a mutant (killed, timeout, survived, no test, crashed), and the test that noticed it."""

    outcome: str
    test: str = ""


class Judge:
    """Hand it to pytest as a plugin: ``found`` holds the verdicts afterwards, ``fault`` why there are none."""

    def __init__(self, mutants: Sequence[str], progress: Callable[[Mapping[str, Verdict]], None]) -> None:
        self.found: dict[str, Verdict] = {}
        self.fault = ""
        self._mutants, self._progress = mutants, progress
        self._items: dict[str, pytest.Item] = {}
        self._failed = False

    def pytest_runtestloop(self, session: pytest.Session) -> bool:
        """Judge all mutants instead of running the tests."""
        if session.testsfailed:
            self.fault = "a test module cannot be read"
            raise session.Failed(self.fault)
        self._items = {item.nodeid: item for item in session.items}
        gc.freeze()
        reach = Reach(*json.loads(_forked(self._reach)[1]))
        if reach.failed:
            self.fault = f"these tests fail without any mutant: {', '.join(reach.failed)}"
            raise session.Failed(self.fault)
        killers: defaultdict[str, Counter[str]] = defaultdict(Counter)
        for mutant in self._mutants:
            function = mutant.rpartition("__mutmut_")[0]
            known = killers[function]
            tests = sorted(reach.tests.get(function, ()), key=lambda t: (-known[t], reach.seconds[t]))
            verdict = self._verdict(mutant, tests, sum(reach.seconds[test] for test in tests))
            known[verdict.test] += 1
            self.found[mutant] = verdict
            self._progress(self.found)
        return True

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """Remember that the test that runs now has failed."""
        self._failed |= report.failed

    def _verdict(self, mutant: str, tests: Sequence[str], seconds: float) -> Verdict:
        if not tests:
            return Verdict("no test")
        limit_s = math.ceil(CPU_EXTRA_S + CPU_FACTOR * seconds)

        def work() -> str:
            resource.setrlimit(resource.RLIMIT_CPU, (limit_s, limit_s + CPU_EXTRA_S))
            resource.setrlimit(resource.RLIMIT_AS, (MEMORY_BYTES, MEMORY_BYTES))
            signal.signal(signal.SIGALRM, signal.SIG_DFL)
            signal.alarm(limit_s * WALL_FACTOR)
            _activate(mutant)
            return next((test for test in tests if not self._passes(test)), "")

        code, test = _forked(work)
        if code in {-signal.SIGXCPU, -signal.SIGALRM}:
            return Verdict("timeout")
        if code:
            return Verdict("crashed")
        return Verdict("killed", test) if test else Verdict("survived")

    def _reach(self) -> str:
        """Run every test once on unchanged code and note which functions it calls."""
        current = ""
        tests: defaultdict[str, set[str]] = defaultdict(set)

        def note(function: str, **_: object) -> None:
            tests[function].add(current)

        vars(trampoline)["record_trampoline_hit"] = note
        _activate("stats")
        seconds: dict[str, float] = {}
        failed = []
        for current in self._items:
            began = time.process_time()
            if not self._passes(current):
                failed.append(current)
            seconds[current] = time.process_time() - began
        return json.dumps(Reach({function: sorted(ids) for function, ids in tests.items()}, seconds, failed))

    def _passes(self, test: str) -> bool:
        """Run one test with its fixtures; what a mutant may raise to end a whole run is a failure too."""
        item = self._items[test]
        self._failed = False
        try:
            item.ihook.pytest_runtest_protocol(item=item, nextitem=None)
        except BaseException:  # noqa: BLE001
            return False
        return not self._failed


def _activate(mutant: str) -> None:
    """Make a mutant the one that is called in this process; mutmut itself looks into the environment each time."""
    vars(trampoline)["get_mutant_under_test"] = lambda: mutant


def _forked(work: Callable[[], str]) -> tuple[int, str]:
    """Do some work in a silent child process: its exit code (negative: a signal's number) and what it answers."""
    reading, writing = os.pipe()
    pid = os.fork()
    if pid == 0:
        code = 1
        try:
            os.close(reading)
            silent = os.open(os.devnull, os.O_RDWR)
            for stream in range(3):
                os.dup2(silent, stream)
            with os.fdopen(writing, "w", encoding="utf-8") as answer:
                answer.write(work())
            code = 0
        finally:
            os._exit(code)
    os.close(writing)
    with os.fdopen(reading, encoding="utf-8") as answer:
        said = answer.read()
    return os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]), said
