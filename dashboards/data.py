"""What the screens show, as one value: read together, replaced as a whole, never changed."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from contract.text import Text
from dashboards.alerts.standing import Standing
from sinks.dead_letters import LetterGroup
from sinks.overdue import OverdueDossier
from sinks.reads import Ageing, Bucket, PipelineFacts, SourceAge
from streams.alerts import Action
from streams.clock import US_PER_S
from streams.rows import Heartbeat

__all__ = ["NO_FACTS", "Data", "ScopeDetail"]

NO_FACTS = PipelineFacts(0, 0, 0)


@dataclass(frozen=True, slots=True)
class ScopeDetail:
    """What is read of one scope beyond its current figures, for screens that somebody looks at.

    today: half hours of the local day; days: local days, up to 30; open_today: what was open after each half
    hour in which it changed; before: (indicator, window) → figure at the same time yesterday, or a week ago for
    ``7d``; overdue: the dossiers overdue for longest.
    """

    today: Mapping[str, Sequence[Bucket]] = field(default_factory=dict)
    days: Mapping[str, Sequence[Bucket]] = field(default_factory=dict)
    open_today: Mapping[str, Sequence[Bucket]] = field(default_factory=dict)
    before: Mapping[tuple[str, str], tuple[int, int]] = field(default_factory=dict)
    ageing: Ageing | None = None
    overdue: Sequence[OverdueDossier] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Data:
    """Everything last read.

    ``rates``: (scope, indicator, window) → (numerator, denominator). ``beat`` is None before the first figures.
    ``lag``: records in Kafka that are not counted yet; None when nobody can say. ``alerts`` are those that are
    pending or firing, ``mutes`` those in force, ``titles`` what rules call themselves, by id. Times are
    microseconds since 1970.
    """

    read_us: int
    beat: Heartbeat | None = None
    rates: Mapping[tuple[str, str, str], tuple[int, int]] = field(default_factory=dict)
    details: Mapping[str, ScopeDetail] = field(default_factory=dict)
    sources: Sequence[SourceAge] = ()
    facts: PipelineFacts = NO_FACTS
    letters: Sequence[LetterGroup] = ()
    lag: int | None = None
    alerts: Sequence[Standing] = ()
    mutes: Sequence[Action] = ()
    titles: Mapping[str, Text] = field(default_factory=dict)

    @property
    def now_s(self) -> int:
        """The clock of the data: the moment for which all figures hold, seconds since 1970."""
        return (self.beat.as_of_us if self.beat else self.read_us) // US_PER_S

    def figure(self, scope: str, indicator: str, window: str) -> tuple[int, int]:
        """Return numerator and denominator; 0 of 0 when nothing was counted."""
        return self.rates.get((scope, indicator, window), (0, 0))
