"""What a worker tells of itself: live, ready, and its numbers."""

from collections.abc import Iterator
from typing import NamedTuple

from nhip.metrics import Sample
from nhip.selfcheck import SelfCheck
from nhip.watchdog import Watchdog
from sinks.deliver import Deliverer
from streams.alarm import Alarm
from streams.clock import US_PER_S, Now
from streams.folder import Folder
from streams.patience import Patience
from streams.roll import Roll

__all__ = ["WorkerParts"]


class WorkerParts(NamedTuple):
    """The parts of one worker that can be asked; from any thread, while they work."""

    folder: Folder
    roll: Roll
    alarm: Alarm | None
    deliverer: Deliverer | None
    watchdog: Watchdog
    check: SelfCheck
    patience: Patience
    stall_s: float
    wall_us: Now

    def live(self) -> str | None:
        """Return what stands still; a worker that does so for long ends by itself."""
        still_s = self.watchdog.still_s
        return f"standing still for {still_s:.0f} s" if still_s >= self.stall_s else None

    def ready(self) -> str | None:
        """Return why it does no work now. One that stands by, without partitions, is ready."""
        if self.patience.retrying:
            return "the store does not answer"
        if self.watchdog.kafka_silent:
            return "Kafka does not answer"
        if self.folder.ready:
            unjudged = "alerts are not judged: see its log" if self.alarm and self.alarm.failing else None
            return self.live() or unjudged
        return "taking over partitions" if self.folder.held else "not a member of the group yet"

    def samples(self) -> Iterator[Sample]:
        """Return the numbers as they are now."""
        counts = self.folder.counts
        yield Sample("nhip_events_folded_total", counts.events)
        yield Sample("nhip_flush_write_seconds", counts.write_s, observed=counts.flushes)
        yield Sample("nhip_flush_events", counts.events, observed=counts.flushes)
        for (topic, number), standing in self.watchdog.held.items():
            waiting = max(0, standing.end - (standing.committed or 0))
            yield Sample("nhip_waiting_records", waiting, (topic, str(number)))
        yield Sample("nhip_partitions_held", len(self.folder.held))
        yield Sample("nhip_standstill_seconds", self.watchdog.still_s)
        yield Sample("nhip_store_calls_retrying", self.patience.retrying)
        yield Sample("nhip_dead_letters_total", counts.dead_letters)
        yield Sample("nhip_rebalances_total", counts.assignments)
        yield Sample("nhip_takeover_seconds", counts.takeover_s, observed=counts.takeovers)
        yield Sample("nhip_epochs_contested_total", counts.contested)
        yield Sample("nhip_commits_refused_total", counts.refused_commits)
        if beat_us := self.roll.beat_us:
            yield Sample("nhip_rates_age_seconds", max(0.0, (self.wall_us() - beat_us) / US_PER_S))
        yield Sample("nhip_alert_rounds_total", self.alarm.rounds if self.alarm else 0)
        yield Sample("nhip_alert_failures_total", self.alarm.failures if self.alarm else 0)
        yield Sample("nhip_notices_sent_total", self.deliverer.sent if self.deliverer else 0)
        yield Sample("nhip_notices_failed_total", self.deliverer.failed if self.deliverer else 0)
        yield Sample("nhip_checks_total", self.check.checks)
        if self.check.checks:
            yield Sample("nhip_check_differences", self.check.differences)
