"""What a million open dossiers take in a worker's memory, filled from the store as after a takeover."""

import asyncio
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from typing import NamedTuple

import psutil

from benchmarks.load import units_of_province
from benchmarks.report import Figure
from benchmarks.stage import services
from benchmarks.stored import fill
from contract.dossier import DOSSIER
from nhip.console import say
from nhip.settings import Settings, load_tree
from nhip.store import open_store
from producers.topics import partition_counts
from streams.fold import PartitionFold
from streams.partitioner import owner_of
from streams.patience import Patience
from streams.places import Places
from streams.recall import Recall
from streams.rows import EpochKey, Partition

__all__ = ["DOSSIERS", "run"]

DOSSIERS = 1_000_000
"""All of them open."""
MILLION = 1_000_000
TARGET_MB = 400.0


class _Recalled(NamedTuple):
    """Entities known afterwards; by how many bytes the process grew, and its processor seconds."""

    entities: int
    grown_bytes: int
    cpu_s: float


def run(dossiers: int = DOSSIERS) -> Iterator[Figure]:
    """Store open dossiers and recall them in a fresh process. Raises RuntimeError when some are not recalled."""
    with services(Settings()) as system:
        store = open_store(system.settings)
        fill(store, units_of_province(load_tree(system.settings)), system.settings.partitions, dossiers, 1)
        store.client.close()
        say("memory: recalling all of them …")
        # Fresh: memory that this process has freed earlier would be filled first and not be seen.
        with ProcessPoolExecutor(1, get_context("spawn")) as aside:
            recalled = aside.submit(recall, system.settings).result()
    if recalled.entities != dossiers:
        raise RuntimeError(f"{recalled.entities} of {dossiers} open dossiers were recalled")
    per_million = recalled.grown_bytes / recalled.entities * MILLION / 1e6
    note = f"{dossiers:,} open ones, with the filter of all ids"
    yield Figure("memory", "for a million open dossiers", per_million, "MB", TARGET_MB, note)
    yield Figure(
        "memory", "recalling a million, worker's processor", recalled.cpu_s / recalled.entities * MILLION, "s"
    )


def recall(settings: Settings) -> _Recalled:
    """Fill the memories of all partitions from the store, in this process."""
    store, process = open_store(settings), psutil.Process()
    owners, places = owner_of(partition_counts(settings.kafka)), Places(load_tree(settings).periods)
    folds = {
        at: PartitionFold(DOSSIER, EpochKey(*at, 2), 0, set(), 0, owners(at), places)
        for at in (Partition(DOSSIER.topic, number) for number in range(settings.partitions))
    }
    times, before = process.cpu_times(), process.memory_info().rss
    asyncio.run(_all_of(Recall(store, Patience(settings.store_patience_s), folds)))
    after, spent = process.memory_info().rss, process.cpu_times()
    store.client.close()
    cpu_s = spent.user + spent.system - times.user - times.system
    return _Recalled(sum(len(fold.memory) for fold in folds.values()), after - before, cpu_s)


async def _all_of(recall: Recall) -> None:
    while not recall.done:
        await recall.step()
