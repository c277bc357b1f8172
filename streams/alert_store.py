"""The store as alerts need it; ``sinks`` implements it. All methods block, like those of ``streams.store``."""

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from typing import Protocol

from streams.alerts import Action, Alert, FigureKey, Notice
from streams.rows import Rate

__all__ = ["AlertStore", "HistoryStore"]


class AlertStore(Protocol):
    """What the evaluation of rules reads and writes."""

    def open_alerts(self) -> list[Alert]:
        """Alerts that are pending or firing, as the newest epoch wrote them."""
        ...

    def write_alerts(self, alerts: Sequence[Alert], epoch: int, tick: int) -> None:
        """Insert alerts as they stand now; the larger (epoch, tick) wins."""
        ...

    def actions(self) -> list[Action]:
        """All actions on open alerts, and all mutes that are not over, oldest first."""
        ...

    def known_notices(self, ids: Collection[str]) -> set[str]:
        """Those of the ids that were decided before."""
        ...

    def write_notices(self, notices: Sequence[Notice]) -> None:
        """Insert decided notices; one that was already sent stays so."""
        ...

    def gauges(self, now_us: int) -> list[Rate]:
        """Figures of sources at a moment of the wall clock: ``silence`` and ``dead_letters`` of each."""
        ...

    def usual(self, now_us: int, keys: Collection[FigureKey], minimum_n: int) -> dict[FigureKey, tuple[float, ...]]:
        """Rates published at this moment 1 to 4 weeks ago; without those of fewer than ``minimum_n`` cases."""
        ...


class HistoryStore(Protocol):
    """Figures of the past, recomputed from the stored snapshots."""

    def history(
        self, wanted: Mapping[tuple[str, str], frozenset[str] | None], from_s: int, to_s: int
    ) -> Iterator[tuple[int, list[Rate]]]:
        """Figures as they were at the end of each minute in which one changed, ``from_s`` <= minute <= ``to_s``.

        ``wanted``: (indicator, window) → scopes (None: all). The first item holds all figures at ``from_s``, later
        ones what changed: (start of the minute, rates). As known now: a correction since changes the past too.
        """
        ...

    def scopes(self) -> Iterable[str]:
        """All scopes that ever had a figure."""
        ...
