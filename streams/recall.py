"""Recall: after a takeover, memories are filled from the store page by page, while the fold goes on.

Between the reading of a page and its taking over nothing is folded, and whatever a memory has forgotten is stored: so
a page is never older than what the memory knew.
"""

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence

from contract.kind import Kind
from contract.registry import KIND_OF_TOPIC
from streams.fold import PartitionFold
from streams.patience import Patience
from streams.rows import Partition, Stored
from streams.store import FoldStore

__all__ = ["Recall"]

IDS_PER_PAGE = 100_000
OPEN_PER_PAGE = 25_000


class Recall:
    """Fills the memories of these folds; call :meth:`step` until it says that nothing is left."""

    def __init__(self, store: FoldStore, patience: Patience, folds: Mapping[Partition, PartitionFold]) -> None:
        self._store = store
        self._patience = patience
        self._folds: dict[Kind, dict[int, PartitionFold]] = defaultdict(dict)
        for partition, fold in folds.items():
            self._folds[KIND_OF_TOPIC[partition.topic]][partition.partition] = fold
        self._left: Iterator[tuple[Kind, bool]] = iter([(k, o) for o in (True, False) for k in self._folds])
        self._now: tuple[Kind, bool] | None = next(self._left, None)
        self._after = ""

    @property
    def done(self) -> bool:
        """Whether all is known."""
        return self._now is None

    async def step(self) -> None:
        """Take over one page. Raises EpochContestedError when a page shows what the rebuild cannot have counted."""
        if self._now is None:
            return
        kind, open_ones = self._now
        more = await (self._open_page(kind) if open_ones else self._id_page(kind))
        if not more:
            self._now, self._after = next(self._left, None), ""

    async def _open_page(self, kind: Kind) -> bool:
        folds = self._folds[kind]
        if not next(iter(folds.values())).memory.keeps_open:
            return False
        page: Sequence[tuple[int, str, Stored]] = await self._patience.call(
            self._store.open_page, kind, list(folds), self._after, OPEN_PER_PAGE
        )
        rows: dict[int, dict[str, Stored]] = defaultdict(dict)
        for number, subject, stored in page:
            rows[number][subject] = stored
        for number, found in rows.items():
            folds[number].check(found)
            folds[number].memory.learn_open(found.items())
        if page:
            self._after = page[-1][1]
        return len(page) == OPEN_PER_PAGE

    async def _id_page(self, kind: Kind) -> bool:
        folds = self._folds[kind]
        if not self._after:
            counts = await self._patience.call(self._store.entity_counts, kind, list(folds))
            for number, fold in folds.items():
                fold.memory.expect_ids(counts.get(number, 0))
        numbers, ids = await self._patience.call(self._store.id_page, kind, list(folds), self._after, IDS_PER_PAGE)
        found: dict[int, list[str]] = defaultdict(list)
        for number, subject in zip(numbers, ids, strict=True):
            found[number].append(subject)
        for number, mine in found.items():
            folds[number].memory.learn_ids(mine)
        if ids:
            self._after = ids[-1]
        if len(ids) == IDS_PER_PAGE:
            return True
        for fold in folds.values():
            fold.memory.ids_complete()
        return False
