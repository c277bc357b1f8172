"""What producers said and what they were told: the truth that the store is compared with.

An event that was told "accepted" must count. One of which nothing is known may count or not; but if Kafka has it, it
must, and whatever happened, the newest version of an entity wins.
"""

import threading
from collections.abc import Iterable, Mapping
from typing import NamedTuple

__all__ = ["Claim", "Key", "Ledger", "Mark", "Said"]

Key = tuple[str, str]
"""Kind and subject of an entity."""
Mark = tuple[str, int, bool]
"""Indicator whose marks are counted, second since 1970 where it counts, whether for the good."""


class Said(NamedTuple):
    """One snapshot by the words of its maker: where it counts, and for what."""

    key: Key
    version: int
    unit: str
    field: str | None
    marks: tuple[Mark, ...]


class Claim(NamedTuple):
    """What is known of one entity: the newest accepted snapshot (None: none was), and those that may be newer."""

    accepted: Said | None
    unknown: tuple[Said, ...] = ()

    @property
    def possible(self) -> dict[int, Said]:
        """Every version that may stand in the store at the end; with nothing accepted there may be none."""
        known = () if self.accepted is None else (self.accepted,)
        return {said.version: said for said in (*known, *self.unknown)}


class Ledger:
    """Keeps what was said in one seed, from any thread. What earlier seeds settled is where it begins."""

    def __init__(self, settled: Mapping[Key, Said]) -> None:
        self._settled = settled
        self._said: dict[Key, dict[int, Said]] = {}
        self._accepted: dict[Key, int] = {}
        self._lock = threading.Lock()
        self.offered = self.accepted = 0

    def offer(self, events: Iterable[Said], *, repeated: bool = False) -> None:
        """Note events about to be sent: from now on nothing is known of them. ``repeated``: do not count them."""
        with self._lock:
            for said in events:
                self._said.setdefault(said.key, {})[said.version] = said
                self.offered += not repeated

    def accept(self, events: Iterable[Said], *, repeated: bool = False) -> None:
        """Note events that a producer was told are accepted."""
        with self._lock:
            for said in events:
                self.accepted += not repeated
                if self._accepted.get(said.key, -1) < said.version:
                    self._accepted[said.key] = said.version

    def claims(self) -> dict[Key, Claim]:
        """Return what is known of each entity that was spoken of."""
        with self._lock:
            return {key: self._claim(key, said) for key, said in self._said.items()}

    def _claim(self, key: Key, said: Mapping[int, Said]) -> Claim:
        before = self._settled.get(key)
        newest = self._accepted.get(key)
        accepted = said[newest] if newest is not None else None
        if before is not None and (accepted is None or before.version > accepted.version):
            accepted = before
        least = -1 if accepted is None else accepted.version
        return Claim(accepted, tuple(one for version, one in sorted(said.items()) if version > least))
