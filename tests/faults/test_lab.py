"""A short run of the laboratory: the whole system, a few seeds, everything compared with what the producers know."""

from pathlib import Path

import pytest

from tests.faults.fleet import fleet
from tests.faults.lab import laboratory
from tests.faults.schedule import FaultKind, Schedule, make_schedule
from tests.support.mailbox import WebHook

pytestmark = [pytest.mark.services, pytest.mark.timeout(600)]

SEEDS = (10, 15, 16)
"""Brokers and controller lost, the store killed and garbled, workers killed, frozen, coming and going, the intake
killed, duplicates, poison."""
LOAD_S = 6.0
RATE_PER_S = 300.0
LONG = {FaultKind.STORE_DISK_FULL, FaultKind.SPOOL_DISK_FULL}
"""Only root may mount, and only where mounts are let: these are left to `make faults`."""


def short(seed: int) -> Schedule:
    """A seed of which nothing lasts longer than ten seconds."""
    schedule = make_schedule(seed, [kind for kind in FaultKind if kind not in LONG])
    return schedule._replace(faults=tuple(fault._replace(for_s=min(fault.for_s, 10.0)) for fault in schedule.faults))


def test_nothing_is_lost_or_counted_twice(tmp_path: Path) -> None:
    """Some seeds of faults: entities, marks, figures, dead letters and alerts are what the producers' notes say."""
    with (
        WebHook() as hook,
        fleet(tmp_path, hook.address()) as running,
        laboratory(running, hook, 1, RATE_PER_S) as lab,
    ):
        for seed in SEEDS:
            schedule = short(seed)
            outcome = lab.run(schedule, LOAD_S, marks=True)
            print(schedule, outcome, sep="\n")

            assert list(outcome.wrong) == [], schedule
            assert len(outcome.measures) == len(schedule.faults)
            assert outcome.accepted > 1_000
