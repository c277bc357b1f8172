"""The store of alerts on ClickHouse: one face for what rules, delivery, screens and the command line need."""

from collections.abc import Collection, Sequence

from contract.sources import Sources
from sinks.alert_actions import actions_of, live_actions, mutes, write_action
from sinks.alerts import alert_history, find_alert, open_alerts, write_alerts
from sinks.client import Client
from sinks.gauges import source_gauges
from sinks.notifications import (
    attempts_of,
    known_notices,
    newest_notices,
    sent_since,
    undelivered,
    write_notices,
    write_states,
)
from sinks.outbox import Delivery, DeliveryState, Pending
from sinks.rates import heartbeat
from sinks.rule_sets import read_rules, write_rules
from sinks.usual import usual
from streams.alerts import Action, Alert, FigureKey, Notice
from streams.clock import Now
from streams.rows import Rate

__all__ = ["ClickHouseAlertStore"]


class ClickHouseAlertStore:
    """Implements ``streams.alert_store.AlertStore`` and ``sinks.outbox.Outbox``.

    All methods block, may be called from several threads and may raise StoreUnavailableError. Every write may be
    repeated: it leaves the same rows.
    """

    def __init__(self, client: Client, sources: Sources, wall_us: Now) -> None:
        self.client = client
        self._sources = sources
        self._wall_us = wall_us

    def open_alerts(self) -> list[Alert]:
        """Alerts that are pending or firing, the oldest first."""
        return open_alerts(self.client)

    def write_alerts(self, alerts: Sequence[Alert], epoch: int, tick: int) -> None:
        """Insert alerts as they stand now; the larger (epoch, tick) wins."""
        write_alerts(self.client, alerts, epoch, tick)

    def actions(self) -> list[Action]:
        """All actions on open alerts, and all mutes that are not over, oldest first."""
        return live_actions(self.client, self._clock_us())

    def known_notices(self, ids: Collection[str]) -> set[str]:
        """Those of the ids that were decided before."""
        return known_notices(self.client, ids)

    def write_notices(self, notices: Sequence[Notice]) -> None:
        """Insert decided notices; one that was already sent stays so."""
        write_notices(self.client, notices)

    def gauges(self, now_us: int) -> list[Rate]:
        """Figures of sources at a moment of the wall clock: ``silence`` and ``dead_letters`` of each."""
        return source_gauges(self.client, self._sources, now_us)

    def usual(self, now_us: int, keys: Collection[FigureKey], minimum_n: int) -> dict[FigureKey, tuple[float, ...]]:
        """Rates published at this moment 1 to 4 weeks ago; without those of fewer than ``minimum_n`` cases."""
        return usual(self.client, now_us, keys, minimum_n)

    def undelivered(self) -> list[Pending]:
        """All notices whose newest state is not final, oldest first."""
        return undelivered(self.client)

    def record(self, notice: Notice, delivery: Delivery) -> None:
        """Append one state of a notice."""
        write_states(self.client, [(notice, delivery)])

    def fold(self, held: Collection[Notice], overflow: Notice, delivery: Delivery) -> None:
        """Write the decided overflow notice and ``delivery`` (FOLDED) of every held one: all in one insert."""
        decided = Delivery(state=DeliveryState.DECIDED, first_us=overflow.at_us, at_us=overflow.at_us)
        write_states(self.client, [(overflow, decided), *((notice, delivery) for notice in held)])

    def sent_since(self, recipient: str, since_us: int) -> int:
        """How many notices to the recipient became SENT at or after a moment of the wall clock."""
        return sent_since(self.client, recipient, since_us)

    def alert(self, key: str) -> Alert | None:
        """Return the alert with that id as it stands now."""
        return find_alert(self.client, key)

    def alert_history(self, limit: int, since_us: int = 0) -> list[Alert]:
        """Alerts that fired and were not over before a moment, the newest first."""
        return alert_history(self.client, limit, since_us)

    def actions_of(self, alert: Alert) -> list[Action]:
        """Return what was done about an alert, and the mutes of its rule and scope, oldest first."""
        return actions_of(self.client, alert)

    def notices_of(self, key: str, limit: int) -> list[Pending]:
        """Messages about an alert with the newest state of each, the newest first; no delivery: just decided."""
        return newest_notices(self.client, key, limit)

    def attempts_of(self, notice: str) -> list[Delivery]:
        """Every state that was recorded of a message, in order."""
        return attempts_of(self.client, notice)

    def act(self, action: Action) -> None:
        """Record an action for good."""
        write_action(self.client, action)

    def mutes(self) -> list[Action]:
        """Mutes in force."""
        return mutes(self.client, self._clock_us())

    def rules(self) -> str | None:
        """Return the rules as they were last found sound; None before the first time."""
        return read_rules(self.client)

    def write_rules(self, text: str) -> None:
        """Keep rules that were found sound."""
        write_rules(self.client, text)

    def _clock_us(self) -> int:
        """Return the wall clock, or that of the figures where history is replayed: a mute is told by either."""
        beat = heartbeat(self.client)
        wall_us = self._wall_us()
        return wall_us if beat is None else min(wall_us, beat.as_of_us)
