"""One look at the store for all screens: what is read each second, what more rarely, what only when looked at."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from concurrent.futures import Executor, Future
from dataclasses import dataclass, field, replace

from contract.days import DAY_S, HOUR_S, MINUTE_S, floor_hour, floor_minute, local_day_start
from contract.text import Text
from contract.windows import Level
from dashboards.alerts.standing import standings
from dashboards.alerts.titles import titles_of
from dashboards.data import NO_FACTS, Data, ScopeDetail
from dashboards.figures import HALF_HOUR_S
from dashboards.view import Place
from sinks.alert_actions import live_actions, mutes
from sinks.alerts import open_alerts
from sinks.client import Client
from sinks.dead_letters import LetterGroup, letter_groups
from sinks.overdue import OverdueDossier, most_overdue
from sinks.rates import heartbeat
from sinks.reads import (
    Ageing,
    Bucket,
    PipelineFacts,
    ageing,
    buckets,
    pipeline_facts,
    published_since,
    source_ages,
    states_before,
    states_over,
)
from sinks.rule_sets import read_rules
from streams.clock import US_PER_S, Now

__all__ = ["Reading"]

QUICK_S = 2.0
"""Panes of the scopes that somebody looks at, and the sources, are read this often, in seconds."""
SLOW_S = 10.0
FULL_S = 60.0
"""All figures are read anew this often: what a roll that lost its partition wrote late is found then."""
WEEK_S = 7 * DAY_S
_LETTERS = 20
_OVERDUE = 20

Series = dict[str, list[Bucket]]
Before = dict[tuple[str, str], tuple[int, int]]


@dataclass(frozen=True)
class _Slow:
    """What is read every SLOW_S, by scope, and of the pipeline."""

    days: dict[str, Series] = field(default_factory=dict)
    open_today: dict[str, Series] = field(default_factory=dict)
    before: dict[str, Before] = field(default_factory=dict)
    overdue: dict[str, Sequence[OverdueDossier]] = field(default_factory=dict)
    facts: PipelineFacts = NO_FACTS
    letters: Sequence[LetterGroup] = ()
    titles: Mapping[str, Text] = field(default_factory=dict)


class Reading:
    """Reads the store; every call is made from one thread, and blocks.

    ``monotonic_s`` paces the rarer reads; ``lag`` says at once how many records wait in Kafka, or None. ``aside``
    runs the slow reads beside the quick ones, which must not wait for them; without it they run in turn.
    Raises StoreUnavailableError and what a statement may raise; what was read before stays in place then.
    """

    def __init__(
        self,
        client: Client,
        place: Place,
        wall_us: Now,
        monotonic_s: Callable[[], float],
        lag: Callable[[], int | None] = lambda: None,
        aside: Executor | None = None,
    ) -> None:
        self._aside = aside
        self._slow_job: Future[_Slow] | None = None
        self._lag = lag
        self._client = client
        self._place = place
        self._wall_us = wall_us
        self._monotonic_s = monotonic_s
        self._rates: dict[tuple[str, str, str], tuple[int, int]] = {}
        self._newest = (0, -1)
        self._data: Data | None = None
        self._slow = _Slow()
        self._scopes: frozenset[str] = frozenset()
        self._full_s = self._quick_s = self._slow_s = float("-inf")

    def read(self, scopes: frozenset[str]) -> Data:
        """Return everything as it is now; ``scopes`` are those that somebody looks at, read in detail."""
        now_s = self._monotonic_s()
        # The heartbeat comes first: whatever it vouches for is there when the figures are read.
        beat = heartbeat(self._client)
        self._read_rates(full=now_s - self._full_s >= FULL_S)
        data = self._data or Data(read_us=0)
        data = replace(data, read_us=self._wall_us(), beat=beat, rates=self._rates, lag=self._lag())
        new = scopes - self._scopes
        if new or now_s - self._slow_s >= SLOW_S:
            started = self._start_slow(scopes, data.now_s)
            self._slow_s = now_s if started else float("-inf")  # a new scope waits for the reads under way
        self._take_slow()
        data = replace(data, facts=self._slow.facts, letters=self._slow.letters, titles=self._slow.titles)
        if new or now_s - self._quick_s >= QUICK_S:
            data = self._read_alerts(self._read_quick(data, scopes))
            self._quick_s = now_s
        self._scopes = scopes
        self._data = data
        return data

    def _read_rates(self, *, full: bool) -> None:
        rows = published_since(self._client, *((0, -1) if full else self._newest))
        if not rows and not full:
            return
        # Pictures are drawn from the old mapping meanwhile: it is replaced, not changed.
        rates = {} if full else dict(self._rates)
        rates.update({(r.scope, r.indicator, r.window): (r.numerator, r.denominator) for r in rows})
        self._rates = rates
        self._newest = max(((r.epoch, r.tick) for r in rows), default=(0, -1))
        if full:
            self._full_s = self._monotonic_s()

    def _read_quick(self, data: Data, scopes: frozenset[str]) -> Data:
        minute = floor_minute(data.now_s)
        today = _by_scope(
            buckets(self._client, scopes, Level.MINUTE, local_day_start(minute), minute + MINUTE_S, HALF_HOUR_S)
        )
        open_now: Mapping[str, Ageing] = ageing(self._client, scopes, data.now_s)
        details = {
            scope: ScopeDetail(
                today=today.get(scope, {}),
                days=self._slow.days.get(scope, {}),
                open_today=self._slow.open_today.get(scope, {}),
                before=self._slow.before.get(scope, {}),
                ageing=open_now.get(scope),
                overdue=self._slow.overdue.get(scope, ()),
            )
            for scope in scopes
        }
        return replace(data, details=details, sources=source_ages(self._client))

    def _read_alerts(self, data: Data) -> Data:
        # Mutes end by the clock of the figures: history that is replayed has its own.
        now_us = data.now_s * US_PER_S
        found = standings(open_alerts(self._client), live_actions(self._client, now_us), now_us, data.titles)
        in_force = sorted(mutes(self._client, now_us), key=lambda mute: (mute.until_us or 0, mute.rule, mute.scope))
        return replace(data, alerts=found, mutes=in_force)

    def _start_slow(self, scopes: frozenset[str], now_s: int) -> bool:
        if self._slow_job is not None:
            return False
        if self._aside is None:
            self._slow = self._read_slow(scopes, now_s)
        else:
            self._slow_job = self._aside.submit(self._read_slow, scopes, now_s)
        return True

    def _take_slow(self) -> None:
        """Take over the slow reads if they are there; raises what went wrong with them."""
        if self._slow_job is not None and self._slow_job.done():
            job, self._slow_job = self._slow_job, None
            self._slow = job.result()

    def _read_slow(self, scopes: frozenset[str], now_s: int) -> _Slow:
        today = local_day_start(now_s)
        hour_end = floor_hour(now_s) + HOUR_S
        return _Slow(
            days=_by_scope(buckets(self._client, scopes, Level.HOUR, today - 29 * DAY_S, hour_end, DAY_S)),
            open_today=_by_scope(
                states_over(self._client, scopes, today * US_PER_S, (now_s + 1) * US_PER_S, HALF_HOUR_S)
            ),
            before=self._before(scopes, now_s),
            overdue={scope: self._overdue(scope, now_s) for scope in scopes},
            facts=pipeline_facts(self._client),
            letters=letter_groups(self._client, _LETTERS),
            titles=titles_of(read_rules(self._client)),
        )

    def _before(self, scopes: frozenset[str], now_s: int) -> dict[str, Before]:
        """Figures at the same time yesterday, and of the 7 days that ended a week ago."""
        then = floor_minute(now_s) - DAY_S
        hour, week_end = floor_hour(then), floor_hour(now_s) + HOUR_S - WEEK_S
        yesterday = buckets(self._client, scopes, Level.HOUR, local_day_start(then), hour, HOUR_S)
        yesterday += buckets(self._client, scopes, Level.MINUTE, hour, then + MINUTE_S, HOUR_S)
        week = buckets(self._client, scopes, Level.HOUR, week_end - WEEK_S, week_end, DAY_S)
        found: dict[str, Before] = {scope: {} for scope in scopes}
        for window, rows in (("today", yesterday), ("7d", week)):
            for row in rows:
                good, count = found[row.scope].get((row.indicator, window), (0, 0))
                found[row.scope][row.indicator, window] = (good + row.good, count + row.counted)
        for row in states_before(self._client, scopes, (now_s - DAY_S) * US_PER_S):
            found[row.scope][row.indicator, "now"] = (row.good, row.counted)
        return found

    def _overdue(self, scope: str, now_s: int) -> list[OverdueDossier]:
        code = scope.removeprefix("unit:")
        units = self._place.units if code == self._place.province else self._place.below(code)
        return most_overdue(self._client, scope, sorted(units), floor_minute(now_s), _OVERDUE)


def _by_scope(rows: Iterable[Bucket]) -> dict[str, Series]:
    found: dict[str, Series] = {}
    for row in rows:
        found.setdefault(row.scope, {}).setdefault(row.indicator, []).append(row)
    return found
