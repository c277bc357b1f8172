"""What decoding and folding cost, as a multiple of decoding alone in the same process: never as absolute time."""

import gc
import sys
import time
from collections.abc import Sequence

import msgspec

from benchmarks.dense import Day
from contract.decode import Horizon
from contract.dossier import DOSSIER, DossierEvent
from contract.units import UnitTree
from nhip.settings import Settings, load_tree
from streams.fold import PartitionFold
from streams.intake import Intake, take_in
from streams.places import Places
from streams.rows import EntityBatch, EpochKey, PaneBatch, Partition
from tests.support.events import FakeRecord

EVENTS = 20_000
BATCH = 500
ROUNDS = 7
US_PER_S = 1_000_000

MOST_TAKEN_IN, MOST_FOLDED = 6.5, 15.0
"""Measured on Python 3.11: 3.6 to 4.2 and 9.3 to 9.5; the fold of the version before took 14.7 to 16.1."""


def decoded_s(records: Sequence[FakeRecord]) -> float:
    """Processor seconds of decoding every record by itself, and nothing more."""
    decode = msgspec.json.Decoder(DossierEvent).decode
    began_s = time.thread_time()
    for record in records:
        decode(record.value or b"")
    return time.thread_time() - began_s


def taken_in_s(records: Sequence[FakeRecord], day: Day) -> float:
    """Processor seconds from the records to the newest snapshot of each dossier."""
    partition = Partition(DOSSIER.topic, 0)
    horizon = Horizon(day.ends_s * US_PER_S)
    began_s = time.thread_time()
    for start in range(0, len(records), BATCH):
        take_in(Intake(), DOSSIER, partition, records[start : start + BATCH], horizon)
    return time.thread_time() - began_s


def folded_s(records: Sequence[FakeRecord], tree: UnitTree, day: Day) -> float:
    """Processor seconds from the records to rows and panes, in flushes of ``BATCH``; nothing was known before."""
    partition = Partition(DOSSIER.topic, 0)
    fold = PartitionFold(
        DOSSIER, EpochKey(*partition, 1), 0, set(), 0, lambda keys: [0] * len(keys), Places(tree.periods)
    )
    horizon = Horizon(day.ends_s * US_PER_S)
    events = panes = 0
    began_s = time.thread_time()
    for start in range(0, len(records), BATCH):
        intake, batch, changed = Intake(), EntityBatch(DOSSIER), PaneBatch()
        take_in(intake, DOSSIER, partition, records[start : start + BATCH], horizon)
        fold.tick(intake)
        assert fold.missing(intake) is not None
        fold.apply(intake, {}, batch, fold.clock_us // US_PER_S, horizon.wall_us)
        fold.close_flush(intake, changed)
        assert not intake.dead
        events += len(batch.events)
        panes += len(changed)
    seconds = time.thread_time() - began_s
    assert events > len(records) / 3
    assert panes > len(records) / 10
    return seconds


def test_taking_in_and_folding_cost_a_bounded_multiple_of_decoding() -> None:
    """From bytes to newest snapshots, and on to rows and panes, in multiples of decoding the same bytes alone.

    The smallest of several turns of each, in turns and in processor time: what else the machine does cancels out.
    """
    tree = load_tree(Settings())
    day = Day(tree, EVENTS, 1)
    records = [FakeRecord(n, key, value) for n, (_, key, value) in enumerate(day.records())]
    decoded, taken_in, folded = [], [], []
    tracing = sys.gettrace()
    sys.settrace(None)  # coverage follows lines of Python and would count for one side only
    gc.collect()
    gc.disable()

    try:
        for _ in range(ROUNDS):
            decoded.append(decoded_s(records))
            taken_in.append(taken_in_s(records, day))
            folded.append(folded_s(records, tree, day))
    finally:
        gc.enable()
        sys.settrace(tracing)

    ratios = min(taken_in) / min(decoded), min(folded) / min(decoded)
    print(f"times decoding: taken in {ratios[0]:.2f}, folded {ratios[1]:.2f}")
    assert ratios[0] <= MOST_TAKEN_IN
    assert ratios[1] <= MOST_FOLDED
