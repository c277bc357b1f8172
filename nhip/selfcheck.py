"""The background check: now and then one worker lets `nhip check` run, and has wrong panes built anew.

In a process of its own, at the lowest priority: to decode every snapshot would hold up the fold for seconds.
"""

import asyncio
import os
import sys
from collections.abc import Awaitable, Callable, Sequence
from secrets import randbits
from typing import Any

import msgspec
import psutil
import structlog

from nhip.local import guard
from nhip.settings import Settings
from sinks.check import Difference
from streams.epoch import next_epoch
from streams.patience import Patience
from streams.rows import EpochKey, Partition
from streams.store import FoldStore

__all__ = ["CheckError", "Compare", "SelfCheck", "compare_aside"]

FOUND_NONE, FOUND_SOME = 0, 1
"""Exit codes of `nhip check`."""
SHOWN = 3
STOP_S = 5
CLAIMED_BY = "check"
NICEST = 19
"""The lowest priority that there is: it runs on what is left over."""

log = structlog.get_logger()

Compare = Callable[[], Awaitable[list[Difference]]]
"""Returns the differences that persist; raises CheckError."""


class CheckError(Exception):
    """The comparison could not be made, such as while the store is away."""


class SelfCheck:
    """Compares all figures every ``interval_s`` while ``is_owner``: one worker of all, the one that runs roll.

    ``partitions``: all input partitions. Where panes do not say what the rows say, a claim is laid on each of them.
    Its owner sees it within a second, asks Kafka whether it still is the owner, and builds its panes anew from the
    rows, as after a take-over; roll then reads what is published.
    """

    def __init__(
        self,
        store: FoldStore,
        partitions: Sequence[Partition],
        compare: Compare,
        is_owner: Callable[[], bool],
        patience: Patience,
        interval_s: float,
    ) -> None:
        self._store = store
        self._partitions = partitions
        self._compare = compare
        self._is_owner = is_owner
        self._patience = patience
        self._interval_s = interval_s
        self.checks = 0
        self.differences = 0
        """Of the newest comparison."""

    async def run(self) -> None:
        """Check for ever; ends only by an error of the store."""
        while True:
            await asyncio.sleep(self._interval_s)
            if self._is_owner():
                await self.check()

    async def check(self) -> None:
        """Compare once, tell what differs, and mend what can be mended."""
        try:
            found = await self._compare()
        except CheckError as error:
            log.warning("the figures could not be checked", error=str(error))
            return
        self.checks += 1
        self.differences = len(found)
        if not found:
            log.info("figures checked", differences=0)
            return
        shown = [" ".join(map(str, difference)) for difference in found[:SHOWN]]
        log.critical("figures differ", differences=len(found), first=shown, look="nhip check")
        if any(d.marks != d.snapshots for d in found):
            log.critical("stored marks are not those of the snapshots; stop the workers and run `nhip rebuild`")
        if any(not d.rates_now == d.panes == d.marks for d in found):
            await self._patience.call(self._lay_claims)

    def _lay_claims(self) -> None:
        claims = self._store.newest_claims(self._partitions)
        # A partition without a claim has never been owned: there is nothing to build anew.
        keys = [EpochKey(*partition, next_epoch(epoch, randbits)) for partition, epoch in claims.items()]
        self._store.claim(keys, CLAIMED_BY)
        log.warning("all panes are built anew", partitions=len(keys))


def compare_aside(settings: Settings) -> Compare:
    """Return a comparison by `nhip check` in a process that does not outlive this one."""
    command = [sys.executable, "-m", "nhip", "check", "--json"]
    guarded = [sys.executable, "-I", "-S", guard.__file__, str(os.getpid()), str(STOP_S), *command]

    async def compare() -> list[Difference]:
        process = await asyncio.create_subprocess_exec(
            *guarded,
            stdin=asyncio.subprocess.DEVNULL,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
            env={**os.environ, **settings.environment()},
        )
        psutil.Process(process.pid).nice(NICEST)
        out, errors = await process.communicate()
        if process.returncode == FOUND_NONE:
            return []
        if process.returncode == FOUND_SOME:
            return _told(out)
        raise CheckError(f"exit code {process.returncode}: {errors.decode(errors='replace').strip()[-500:]}")

    return compare


def _told(document: bytes) -> list[Difference]:
    """Read what `nhip check --json` printed."""
    try:
        found = msgspec.json.decode(document, type=list[dict[str, Any]])
        return [msgspec.convert([told[name] for name in Difference._fields], Difference) for told in found]
    except (msgspec.MsgspecError, KeyError) as error:
        raise CheckError(f"what it printed cannot be read: {error}") from error
