"""The page behind a signed link as HTML: what the alert is, who has it, what was sent, and the forms."""

import hashlib
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined, select_autoescape

from contract.alert_words import NOTICE_WORDS, SEVERITY_WORDS
from contract.text import Text, same
from dashboards.alerts.choices import MOST_REASON, MUTES
from dashboards.alerts.link import Link
from dashboards.alerts.standing import Standing
from dashboards.alerts.telling import alert_figure, alert_limit, title_text, window_text
from dashboards.alerts.words import DELIVERY_WORDS, SEVERITY_STATES, STATUS_WORDS, A
from dashboards.wall.view import GLYPHS
from sinks.outbox import DeliveryState, Pending
from sinks.wording import fill, moment_text, place_text
from streams.alerts import AlertState

__all__ = ["Pages"]

_HERE = Path(__file__).parent / "templates"
_DONE = ("ack", "mute", "unmute")


@dataclass(frozen=True, slots=True)
class _Line:
    kind: Text
    recipient: str
    at: str
    sent: Text


class Pages:
    """Renders; ``name`` gives a unit's name."""

    def __init__(self, name: Callable[[str], Text]) -> None:
        self._name = name
        self.css = (_HERE / "alert.css").read_bytes()
        self.style = hashlib.blake2b(self.css, digest_size=6).hexdigest()
        """Stands in the style sheet's address, so that it may be kept for ever."""
        self._jinja = Environment(
            loader=FileSystemLoader(_HERE),
            autoescape=select_autoescape(default=True, default_for_string=True),
            undefined=StrictUndefined,
            trim_blocks=True,
        )

    def page(
        self, found: Standing, now: tuple[int, int] | None, messages: Sequence[Pending], link: Link, done: str | None
    ) -> str:
        """Return the page of an alert; ``now`` is its current figure if known, ``done`` what was just recorded."""
        alert = found.alert
        firing = found.firing
        state = SEVERITY_STATES[alert.severity] if firing else _CALM[found.state]
        words = {
            "title": title_text(found, self._name),
            "place": place_text(alert.scope, self._name),
            "state": state,
            "glyph": GLYPHS[state],
            "status": _status(found),
            "figure": _local(alert_figure(alert, now)),
            "facts": list(_facts(found)),
            "details": list(_details(found, now)),
            "hint": _HINTS.get(found.state),
            "may_ack": firing and found.acknowledged is None,
            "muted": found.muted is not None,
            "messages": [_line(one) for one in messages],
        }
        return self._render(
            "alert.html",
            p=words,
            link=link,
            action=f"/alerts/{link.alert}",
            done=A[f"done_{done}"] if done in _DONE and _true(done, found) else None,
            choices=MUTES,
            most_reason=MOST_REASON,
            you_are=fill(A["you_are"], name=link.recipient),
        )

    def refused(self, words: Text) -> str:
        """Return the page that says why nothing was shown or recorded, and what to do."""
        return self._render("refused.html", words=words)

    def _render(self, template: str, **values: Any) -> str:
        return self._jinja.get_template(template).render(a=A, style=self.style, **values)


_CALM = {AlertState.PENDING: "none", AlertState.RECOVERED: "ok", AlertState.CLEARED: "ok"}
_HINTS = {
    AlertState.PENDING: A["pending_hint"],
    AlertState.RECOVERED: A["recovered_hint"],
    AlertState.CLEARED: A["recovered_hint"],
}


def _line(found: Pending) -> _Line:
    notice, delivery = found.notice, found.delivery
    state = DeliveryState.DECIDED if delivery is None else delivery.state
    return _Line(NOTICE_WORDS[notice.kind], notice.recipient, moment_text(notice.at_us), DELIVERY_WORDS[state])


def _status(found: Standing) -> Text:
    status = STATUS_WORDS[found.state.value]
    if not found.firing:
        return status
    return fill(same("{status} · {severity}"), status=status, severity=SEVERITY_WORDS[found.alert.severity])


def _true(done: str, found: Standing) -> bool:
    """Whether what the address says was done holds: an address is easily changed."""
    return {
        "ack": found.acknowledged is not None,
        "mute": found.muted is not None,
        "unmute": found.muted is None,
    }[done]


def _local(figure: Text) -> Text:
    """Return a figure as Vietnamese writes it where both languages have the same words: 91,2 % is not said twice."""
    vi, en = ("".join(sign for sign in words if sign.isalpha()) for words in figure)
    return same(figure.vi) if vi == en else figure


def _facts(found: Standing) -> Iterator[tuple[Text, Text]]:
    """Yield what is read before pressing anything."""
    alert = found.alert
    yield A["limit"], alert_limit(alert)
    yield A["since"], same(moment_text(alert.since_us))
    if alert.ended_us is not None:
        yield A["ended"], same(moment_text(alert.ended_us))
    acked = found.acknowledged
    yield A["acknowledged"], A["nobody"] if acked is None else same(f"{acked.by}, {moment_text(acked.at_us)}")
    if (mute := found.muted) is not None and mute.until_us is not None:
        yield A["muted"], fill(A["until"], at=moment_text(mute.until_us))
        yield A["mute_reason"], same(f"{mute.reason or '–'} ({mute.by})")


def _details(found: Standing, now: tuple[int, int] | None) -> Iterator[tuple[Text, Text]]:
    alert = found.alert
    if now is not None and (found.firing or alert.state is AlertState.PENDING):
        yield A["figure_then"], _local(alert_figure(alert))
    yield A["window"], window_text(alert.window)
    yield A["rule"], same(alert.rule)
