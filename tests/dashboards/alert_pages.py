"""Pages of alerts over a desk in memory, with real signatures' place taken by a word.

``python tests/dashboards/alert_pages.py 8081`` serves one for work on the design.
"""

import sys
from collections.abc import Sequence
from dataclasses import dataclass, field

from litestar import Litestar
from msgspec.structs import replace

from contract.text import Text
from dashboards.alerts.limit import Limit
from dashboards.alerts.link import Link, LinkState
from dashboards.alerts.router import AlertPages, alert_router
from sinks.outbox import Delivery, DeliveryState, Pending
from streams.alerts import Action, Alert, AlertState, Notice, NoticeFacts, NoticeKind
from tests.support.screens import NOW_US

__all__ = ["HOSTILE", "MINUTE_US", "NOW_US", "Desk", "alert", "pages", "query", "sent"]

MINUTE_US = 60_000_000
HOSTILE = '"></script><script>alert("x")</script><img src=x onerror=alert(2)>'
GOOD = "good"


def alert(key: str = "a1", state: AlertState = AlertState.FIRING, **changes: object) -> Alert:
    """An alert of a ward whose dossiers are late."""
    found = Alert(
        id=key,
        rule="on_time_low",
        indicator="on_time",
        window="30d",
        scope="unit:c1",
        severity="critical",
        state=state,
        since_us=NOW_US - 42 * MINUTE_US,
        fired_us=NOW_US - 32 * MINUTE_US,
        ended_us=NOW_US - MINUTE_US if state is AlertState.RECOVERED else None,
        notices=1,
        numerator=31,
        denominator=34,
        threshold=0.95,
    )
    return replace(found, **changes)


def sent(kind: NoticeKind, recipient: str, at_us: int, state: DeliveryState | None) -> Pending:
    """A message and what became of it; None: it was just decided."""
    facts = NoticeFacts(indicator="on_time", window="30d", figures=(), threshold=0.95, below=True, since_us=at_us)
    notice = Notice(id="n", alert="a1", rule="on_time_low", scope="unit:c1", kind=kind, severity="critical",
                    recipient=recipient, at_us=at_us, facts=facts)  # fmt: skip
    return Pending(notice, Delivery(state=state, first_us=at_us, at_us=at_us) if state else None)


@dataclass
class Desk:
    """Keeps everything in memory."""

    alerts: dict[str, Alert]
    done: list[Action] = field(default_factory=list)
    sent: list[Pending] = field(default_factory=list)
    asked: int = 0

    def alert(self, key: str) -> Alert | None:
        self.asked += 1
        return self.alerts.get(key)

    def actions_of(self, alert: Alert) -> Sequence[Action]:
        return [action for action in self.done if (action.rule, action.scope) == (alert.rule, alert.scope)]

    def notices_of(self, key: str, limit: int) -> Sequence[Pending]:
        return self.sent[:limit] if key in self.alerts else []

    def act(self, action: Action) -> None:
        self.done.append(action)


def query(key: str = "a1", recipient: str = "ward-one", signature: str = GOOD, **more: str) -> dict[str, str]:
    """The parts of a link that is good for ``key``."""
    return {"r": recipient, "e": "1795400000", "s": f"{signature}-{key}", **more}


def pages(desk: Desk, title: Text | None = None, most: int = 1000) -> AlertPages:
    """The pages over that desk; a signature is good for the alert that it names, ``old-…`` is expired."""

    def check(link: Link) -> LinkState:
        kind, _, key = link.signature.partition("-")
        if key != link.alert:
            return "forged"
        return "good" if kind == GOOD else "expired" if kind == "old" else "forged"

    names = {"c1": Text("Phường Một", "Ward One"), "c3": Text(HOSTILE, HOSTILE)}
    return AlertPages(
        desk=lambda: desk,
        check=check,
        name=lambda code: names.get(code, Text(code, code)),
        title=lambda _: title,
        figure=lambda key: (1180, 1251) if key.scope == "unit:c1" else None,
        now_us=lambda: NOW_US,
        host="alerts.example.org",
        limit=Limit(most, 60, lambda: 0.0),
    )


if __name__ == "__main__":
    import uvicorn

    port = int(sys.argv[1])
    shown = Desk(
        {
            "a1": alert(),
            "a2": alert("a2", AlertState.RECOVERED, scope="unit:c3", numerator=98, denominator=100),
            "a3": alert("a3", indicator="silence", window="now", scope="source:onestop/c1", numerator=2700,
                        denominator=900, threshold=1.0, severity="warning"),
        },
        sent=[
            sent("reminder", "province-operators", NOW_US - MINUTE_US, None),
            sent("fired", "ward-one", NOW_US - 30 * MINUTE_US, DeliveryState.SENT),
            sent("fired", "engineers", NOW_US - 32 * MINUTE_US, DeliveryState.FAILED),
        ],
    )  # fmt: skip
    uvicorn.run(Litestar([alert_router(pages(shown))], openapi_config=None), host="127.0.0.1", port=port)
