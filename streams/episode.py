"""One episode of one rule in one scope: ok → pending → firing → recovered, as a pure step."""

from hashlib import blake2b

from msgspec.structs import replace

from streams.alerts import Alert, AlertState
from streams.clock import US_PER_S
from streams.rule import Rule
from streams.verdict import Verdict

__all__ = ["alert_id", "ended", "not_ahead", "stable_id", "step"]


def stable_id(*parts: str | int) -> str:
    """Return the 32 hexadecimal digits that follow from the parts, and from nothing else."""
    return blake2b("\0".join(map(str, parts)).encode(), digest_size=16).hexdigest()


def alert_id(rule: str, scope: str, since_us: int) -> str:
    """Return the id of the episode that began at a moment."""
    return stable_id("alert", rule, scope, since_us)


def step(
    rule: Rule,
    scope: str,
    alert: Alert | None,
    verdict: Verdict,
    figure: tuple[int, int],
    threshold: float,
    now_us: int,
) -> Alert | None:
    """Return the alert as it stands after a look at the figure; None while nothing is wrong.

    Pending means bad without a break: a figure that is not bad ends it, be it only just. Firing ends when the
    figure is good again. An unknown figure changes nothing, and no hold time ends on it.
    """
    if alert is None:
        if verdict is not Verdict.BAD:
            return None
        fires = rule.hold_s == 0
        return Alert(
            id=alert_id(rule.id, scope, now_us),
            rule=rule.id,
            indicator=rule.indicator,
            window=rule.window,
            scope=scope,
            severity=rule.severity,
            state=AlertState.FIRING if fires else AlertState.PENDING,
            since_us=now_us,
            fired_us=now_us if fires else None,
            numerator=figure[0],
            denominator=figure[1],
            threshold=threshold,
        )
    changed = _changed(rule, alert, verdict, now_us)
    if changed is alert:
        return alert
    return replace(changed, numerator=figure[0], denominator=figure[1], threshold=threshold)


def ended(alert: Alert, now_us: int) -> Alert:
    """Return the alert closed: recovered if it fired, else cleared; when it was over before, then since then."""
    state = AlertState.RECOVERED if alert.fired_us is not None else AlertState.CLEARED
    return replace(alert, state=state, ended_us=now_us if alert.ended_us is None else alert.ended_us)


def not_ahead(alert: Alert, now_us: int) -> Alert:
    """Return the alert without a time that is still to come: who decided it had a clock that was ahead.

    Its hold time and its messages would wait until then.
    """

    def past(at_us: int | None) -> int | None:
        return None if at_us is None else min(at_us, now_us)

    return replace(
        alert,
        since_us=min(alert.since_us, now_us),
        fired_us=past(alert.fired_us),
        ended_us=past(alert.ended_us),
        escalated_us=past(alert.escalated_us),
        noticed_us=past(alert.noticed_us),
    )


def _changed(rule: Rule, alert: Alert, verdict: Verdict, now_us: int) -> Alert:
    if verdict is Verdict.UNKNOWN:
        return alert
    if alert.state is AlertState.PENDING:
        if verdict is not Verdict.BAD:
            return ended(alert, now_us)
        if now_us >= alert.since_us + rule.hold_s * US_PER_S:
            return replace(alert, state=AlertState.FIRING, fired_us=now_us)
    elif alert.state is AlertState.FIRING:
        if alert.ended_us is None and verdict is Verdict.GOOD:
            # Over, but whoever was told has to be told this too: only then it is closed.
            return replace(alert, ended_us=now_us) if alert.notices else ended(alert, now_us)
        if alert.ended_us is not None and verdict is Verdict.BAD:
            return replace(alert, ended_us=None)
    return alert
