"""An alert as people see it: with who acknowledged it and whether its messages are muted."""

from collections.abc import Iterable, Mapping, Sequence

import msgspec

from contract.text import Text
from streams.alerts import Action, Alert, AlertState

__all__ = ["Standing", "standing", "standings"]

_ORDER = {"critical": 0, "warning": 1, "info": 2}


class Standing(msgspec.Struct, frozen=True, kw_only=True):
    """One alert; ``title`` is its rule's own. ``muted`` is the mute in force for its rule and scope."""

    alert: Alert
    title: Text | None = None
    acknowledged: Action | None = None
    muted: Action | None = None

    @property
    def firing(self) -> bool:
        """Whether it is true now and has been for long enough; the end of some is told after quiet hours only."""
        return self.alert.state is AlertState.FIRING and self.alert.ended_us is None

    @property
    def state(self) -> AlertState:
        """Where it stands for people: one that only waits to be told as over is over."""
        over = self.alert.state is AlertState.FIRING and not self.firing
        return AlertState.RECOVERED if over else self.alert.state


def standing(alert: Alert, actions: Iterable[Action], now_us: int, title: Text | None = None) -> Standing:
    """Put an alert together with what people did about it; ``actions`` are in the order of time."""
    acknowledged = muted = None
    for action in actions:
        if action.action == "ack":
            acknowledged = action if action.alert == alert.id else acknowledged
        elif (action.rule, action.scope) == (alert.rule, alert.scope):
            muted = action if action.action == "mute" and (action.until_us or 0) > now_us else None
    return Standing(alert=alert, title=title, acknowledged=acknowledged, muted=muted)


def standings(
    alerts: Iterable[Alert], actions: Sequence[Action], now_us: int, titles: Mapping[str, Text]
) -> tuple[Standing, ...]:
    """Return what fires, then what is pending: the most severe first, the newest first among equals.

    Alerts that are over are left out, those too whose end is told after quiet hours.
    """
    found = [standing(alert, actions, now_us, titles.get(alert.rule)) for alert in alerts]
    return tuple(
        sorted(
            (one for one in found if one.firing or one.alert.state is AlertState.PENDING),
            key=lambda one: (not one.firing, _ORDER[one.alert.severity], -one.alert.since_us, one.alert.id),
        )
    )
