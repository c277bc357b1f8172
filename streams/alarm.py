"""The alarm: rules evaluated on what roll published, decisions stored, delivery woken. A shell around the pure parts.

It runs on the worker that runs roll, once a second. Nothing is judged while the stream is behind what has arrived:
a replay of history is no news. By the event clock the rules run through history instead, minute by minute, once the
stream is at rest.
"""

import asyncio
from collections.abc import Callable, Collection, Iterable, Mapping
from typing import NamedTuple, Protocol

import structlog

from contract.days import MINUTE_S, floor_minute
from streams.alert_store import AlertStore, HistoryStore
from streams.alerts import Action, Alert, FigureKey
from streams.announcement import Announcement
from streams.arrival import Arrival, Range, Standing
from streams.backtest import steps
from streams.clock import US_PER_S, ClockMode, Now
from streams.figure_book import UsualRates
from streams.notices import Resolve, notices_of
from streams.patience import Patience
from streams.roll import Published
from streams.rows import Partition
from streams.rules import Outcome, Rules
from streams.store import StoreUnavailableError
from streams.usual import PastRates

__all__ = ["Alarm", "AlarmParts", "Reach"]

LOOK_S = 1.0
SHORTEST_LOOK_S = 0.1
AGAIN_S = 60.0
"""After an error of its own it looks again so much later."""
"""A look comes sooner when a hold time or the wait for others ends before: by whole seconds, a message whose figure,
hold time and wait were each just missed went out up to 3 s late (p99 5.9 s in the bench on a busy machine)."""
CAUGHT_UP_S = 10.0
"""A stream that is further behind than this is not judged by."""
AT_REST_S = 2.0
"""By the event clock: so long nothing may have arrived, and all that did must be stored. In the middle of a replay
partitions differ in how far they are, and the past that is judged would be only a part of it."""
GAUGES_S = 5.0
USUAL_S = 60.0
BEHIND_KEY = FigureKey("system:stream", "behind", "now")

log = structlog.get_logger()


class Reach(Protocol):
    """Kafka's first and next offsets of all input partitions."""

    @property
    def partitions(self) -> Collection[Partition]:
        """All input partitions."""
        ...

    async def read(self) -> Mapping[Partition, Range] | None:
        """Return the range of each partition, or None while Kafka does not tell."""
        ...

    async def close(self) -> None:
        """Disconnect."""
        ...


class AlarmParts(NamedTuple):
    """What the alarm is made of.

    ``make_rules`` gives fresh rules twice: those for figures, and those for the stream itself, which are judged also
    while it is behind. ``flushed`` gives the last stored offsets; ``newest_claim`` the epoch of the newest claim on
    roll's partition; both block. ``published`` is roll's newest figures, None while this worker does not run roll.
    ``decided`` is called on the event loop when there is something to deliver.
    """

    store: AlertStore
    history: HistoryStore
    reach: Reach
    make_rules: Callable[[], tuple[Rules, Rules]]
    resolve: Resolve
    flushed: Callable[[Collection[Partition]], Mapping[Partition, int]]
    newest_claim: Callable[[], int]
    published: Callable[[], Published | None]
    decided: Callable[[], None]


class _Seen(NamedTuple):
    """What one look read from the store."""

    standing: Standing
    actions: list[Action]
    gauges: Mapping[FigureKey, tuple[int, int]]
    usual: UsualRates | None


class Alarm:
    """Evaluates the rules as long as this worker runs roll."""

    def __init__(
        self,
        parts: AlarmParts,
        wall_us: Now,
        mode: ClockMode,
        patience: Patience,
        monotonic_s: Callable[[], float],
    ) -> None:
        self._parts = parts
        self._wall_us = wall_us
        self._mode = mode
        self._patience = patience
        self._monotonic_s = monotonic_s
        self._arrival = Arrival(wall_us())
        self._epoch: int | None = None
        self._due_us: int | None = None
        self.rounds = 0
        """How often the rules were evaluated."""
        self.failures = 0
        """How often a look ended by an error of its own."""
        self.failing = False
        """Whether the last look ended by an error: nothing is judged until the next."""

    async def run(self) -> None:
        """Look once a second, and when something is due; ends only when the store stays away.

        After any other error it begins anew from what is stored, a minute later: figures must not stand still
        because one of them cannot be judged.
        """
        try:
            while True:
                started_s = self._monotonic_s()
                try:
                    await self._turn()
                    self.failing = False
                except StoreUnavailableError:
                    raise
                except Exception as error:
                    self._epoch, self.failing = None, True
                    self.failures += 1
                    log.critical("alerts are not judged", error=f"{type(error).__name__}: {error}", exc_info=error)
                    await asyncio.sleep(AGAIN_S)
                    continue
                left_s = max(0.0, started_s + LOOK_S - self._monotonic_s())
                due_s = LOOK_S if self._due_us is None else (self._due_us - self._wall_us()) / US_PER_S
                await asyncio.sleep(min(left_s, max(due_s, SHORTEST_LOOK_S)))
        finally:
            await self._parts.reach.close()

    async def _turn(self) -> None:
        published = self._parts.published()
        epoch = None if published is None else published.epoch
        if epoch != self._epoch:
            self._epoch = epoch
            if epoch is not None:
                await self._begin()
        self._due_us = None
        if published is not None:
            await self.look(published)

    async def _begin(self) -> None:
        """Take over what the store holds: nothing of a predecessor's memory is needed."""
        self._rules, self._watchdog = self._parts.make_rules()
        self._past = PastRates(self._rules.book)
        self._judged_until_s = self._decision = 0
        self._gauges_due_s = self._usual_due_s = 0.0
        self._arrival = Arrival(self._wall_us())
        if self._mode is ClockMode.WALL:
            # By the event clock history is walked through anew: the same decisions have the same ids.
            open_alerts = await self._patience.call(self._parts.store.open_alerts)
            of_stream = [alert for alert in open_alerts if alert.scope == BEHIND_KEY.scope]
            self._watchdog.restore(of_stream)
            self._rules.restore([alert for alert in open_alerts if alert not in of_stream])
            log.info("alarm begins", open_alerts=len(open_alerts))

    async def look(self, published: Published) -> None:
        """Evaluate what is published once, store what was decided."""
        asked_us = self._wall_us()  # before the question: what arrives while Kafka answers may not be in the answer
        ranges = await self._parts.reach.read()
        if ranges is not None:
            self._arrival.look(asked_us, ranges)
        seen = await self._patience.call(self._read, published)
        standing = seen.standing
        if self._mode is ClockMode.EVENT:
            if standing.rest_s >= AT_REST_S:
                await self._walk(published, seen.actions)
            return
        now_us = self._wall_us()
        behind = {BEHIND_KEY: (int(standing.behind_s), 1)}
        await self._keep(published, self._watchdog.evaluate(now_us, behind, None, seen.actions))
        if standing.known and standing.behind_s <= CAUGHT_UP_S:
            figures = dict(published.figures)
            figures.update(seen.gauges.items())
            outcome = await asyncio.to_thread(self._rules.evaluate, now_us, figures, seen.usual, seen.actions)
            await self._keep(published, outcome)
            self.rounds += 1
            self._due_us = self._rules.next_due_us

    def _read(self, published: Published) -> _Seen:
        """Read what the rules need beside the figures. Blocks; may be repeated."""
        parts, wall_us, now_s = self._parts, self._wall_us(), self._monotonic_s()
        standing = self._arrival.standing(wall_us, parts.flushed(parts.reach.partitions))
        gauges: dict[FigureKey, tuple[int, int]] = {}
        usual: dict[int, Mapping[FigureKey, tuple[float, ...]]] | None = None
        gauges_due = self._mode is ClockMode.WALL and now_s >= self._gauges_due_s
        usual_due = self._mode is ClockMode.WALL and self._rules.book.compares and now_s >= self._usual_due_s
        if gauges_due:
            gauges = {FigureKey(*rate[:3]): rate[3:] for rate in parts.store.gauges(wall_us)}
        if usual_due:
            wanted = self._rules.book.usual_wanted(FigureKey(*key) for key in published.figures)
            usual = {n: parts.store.usual(wall_us, keys, n) for n, keys in wanted.items()}
        actions = parts.store.actions()
        # Only what was read to the end is not due again: a repetition reads all of it anew.
        self._gauges_due_s = now_s + GAUGES_S if gauges_due else self._gauges_due_s
        self._usual_due_s = now_s + USUAL_S if usual_due else self._usual_due_s
        return _Seen(standing, actions, gauges, usual)

    async def _walk(self, published: Published, actions: list[Action]) -> None:
        """Run the rules through the minutes of history that have come to rest since the last walk."""
        until_s = floor_minute(published.as_of_us // US_PER_S)
        if until_s < self._judged_until_s or not published.as_of_us:
            return

        def walk() -> Outcome:
            wanted = self._rules.book.wanted(self._parts.history.scopes())
            history = self._parts.history.history(wanted, self._judged_until_s, until_s)
            walked = steps(self._rules, self._past, history, self._judged_until_s, until_s, actions)
            return _together(outcome for _, outcome in walked)

        try:
            outcome = await asyncio.to_thread(walk)
        except StoreUnavailableError as error:
            # Not through patience: the rules have moved on. The walk begins anew when the stream is at rest again.
            log.warning("store unavailable, the walk begins anew", error=str(error))
            await self._begin()
            return
        await self._keep(published, outcome)
        self._judged_until_s = until_s + MINUTE_S
        self.rounds += 1

    async def _keep(self, published: Published, outcome: Outcome) -> None:
        """Store notices, then alerts, then wake the delivery: a death in between repeats, with the same ids."""
        notices = notices_of(outcome.announcements, self._parts.resolve)
        if not notices and not outcome.alerts:
            return
        store = self._parts.store
        self._decision += 1  # not the tick: two looks, and all of a walk, may belong to one

        def write() -> bool:
            if self._parts.newest_claim() > published.epoch:
                return False  # a successor has begun: it decides from what is stored, not from this memory
            known = store.known_notices([notice.id for notice in notices])
            fresh = [notice for notice in notices if notice.id not in known]
            if fresh:
                store.write_notices(fresh)
            if outcome.alerts:
                store.write_alerts(outcome.alerts, published.epoch, self._decision)
            return True

        if not await self._patience.call(write):
            log.info("alerts left to the successor", alerts=len(outcome.alerts))
            return
        for alert in outcome.alerts:
            log.info("alert", id=alert.id, rule=alert.rule, scope=alert.scope, state=alert.state.value)
        if notices:
            self._parts.decided()


def _together(outcomes: Iterable[Outcome]) -> Outcome:
    """Return many outcomes as one: each alert as it stands after the last."""
    alerts: dict[str, Alert] = {}
    announcements: list[Announcement] = []
    for outcome in outcomes:
        alerts.update({alert.id: alert for alert in outcome.alerts})
        announcements.extend(outcome.announcements)
    return Outcome(list(alerts.values()), announcements)
