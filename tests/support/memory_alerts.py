"""The store of alerts, the history and Kafka's ends on dicts, with the same meaning as the real ones."""

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence

from contract.days import floor_minute
from streams.alerts import Action, Alert, AlertState, FigureKey, Notice
from streams.arrival import Range
from streams.rows import Partition, Rate
from streams.store import StoreUnavailableError

__all__ = ["MemoryAlerts", "MemoryHistory", "MemoryReach"]


class MemoryAlerts:
    """AlertStore in memory. ``written`` notes every write in order: "notices" or "alerts" with the ids.

    ``away_at``: names of methods; each next call of one fails once, before it does anything.
    """

    def __init__(self) -> None:
        self.alerts: dict[str, tuple[int, int, Alert]] = {}
        self.notices: dict[str, Notice] = {}
        self.rates: list[Rate] = []
        self.people: list[Action] = []
        self.written: list[tuple[str, list[str]]] = []
        self.away_at: list[str] = []

    def states(self) -> list[AlertState]:
        """Where each alert stands, in the order in which they began."""
        return [alert.state for _, _, alert in self.alerts.values()]

    def open_alerts(self) -> list[Alert]:
        self._maybe_away("open_alerts")
        return [
            alert for _, _, alert in self.alerts.values() if alert.state in (AlertState.PENDING, AlertState.FIRING)
        ]

    def write_alerts(self, alerts: Sequence[Alert], epoch: int, tick: int) -> None:
        self._maybe_away("write_alerts")
        self.written.append(("alerts", [alert.id for alert in alerts]))
        for alert in alerts:
            known = self.alerts.get(alert.id)
            assert known is None or known[:2] != (epoch, tick), "of two rows with one version either may win"
            if known is None or (epoch, tick) > known[:2]:
                self.alerts[alert.id] = (epoch, tick, alert)

    def actions(self) -> list[Action]:
        self._maybe_away("actions")
        return list(self.people)

    def known_notices(self, ids: Collection[str]) -> set[str]:
        return set(ids) & self.notices.keys()

    def write_notices(self, notices: Sequence[Notice]) -> None:
        self._maybe_away("write_notices")
        self.written.append(("notices", [notice.id for notice in notices]))
        for notice in notices:
            self.notices[notice.id] = notice

    def gauges(self, now_us: int) -> list[Rate]:  # noqa: ARG002 - the port has it
        return list(self.rates)

    def usual(
        self,
        now_us: int,  # noqa: ARG002 - the port has it
        keys: Collection[FigureKey],  # noqa: ARG002 - the port has it
        minimum_n: int,  # noqa: ARG002 - the port has it
    ) -> dict[FigureKey, tuple[float, ...]]:
        return {}

    def _maybe_away(self, method: str) -> None:
        if method in self.away_at:
            self.away_at.remove(method)
            raise StoreUnavailableError(f"{method}: the store is away")


class MemoryHistory:
    """HistoryStore in memory: ``series`` holds what changed, by minute; ``asked`` the spans that were read."""

    def __init__(self, series: Mapping[int, Rate]) -> None:
        self.series = dict(series)
        self.asked: list[tuple[int, int]] = []

    def history(
        self, wanted: Mapping[tuple[str, str], frozenset[str] | None], from_s: int, to_s: int
    ) -> Iterator[tuple[int, list[Rate]]]:
        self.asked.append((from_s, to_s))
        first: dict[str, Rate] = {}
        later: dict[int, list[Rate]] = {}
        for at_s, rate in sorted(self.series.items()):
            scopes = wanted.get((rate.indicator, rate.window), frozenset())
            if scopes is not None and rate.scope not in scopes:
                continue
            if at_s <= from_s:
                first[rate.scope] = rate
            elif at_s <= to_s:
                later.setdefault(floor_minute(at_s), []).append(rate)
        yield from_s, list(first.values())
        yield from sorted(later.items())

    def scopes(self) -> Iterable[str]:
        return {rate.scope for rate in self.series.values()}


class MemoryReach:
    """Kafka's ends of two partitions: ``ends`` are the offsets after the last; None: Kafka does not tell."""

    def __init__(self, partitions: Sequence[Partition]) -> None:
        self.partitions = partitions
        self.ends: dict[Partition, int] | None = dict.fromkeys(partitions, 0)
        self.closed = False

    async def read(self) -> Mapping[Partition, Range] | None:
        if self.ends is None:
            return None
        return {partition: Range(0, end) for partition, end in self.ends.items()}

    async def close(self) -> None:
        self.closed = True
