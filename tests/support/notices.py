"""Notices for tests of delivery."""

from contract.text import Text
from streams.alerts import Figure, Notice, NoticeFacts, NoticeKind
from streams.rule import Severity

__all__ = ["AT_US", "notice", "unit_name"]

AT_US = 1_795_336_800_000_000
"""15:40 on 22 November 2026 in Viet Nam."""


def unit_name(code: str) -> Text:
    """The name of a unit."""
    return Text(f"Phường {code}", f"Ward {code}")


def notice(
    key: str,
    *,
    recipient: str = "duty",
    severity: Severity = "warning",
    kind: NoticeKind = "fired",
    scope: str = "unit:25195",
    figures: tuple[Figure, ...] = (Figure("unit:25195", 31, 34),),
    title: Text | None = None,
    text: Text | None = None,
) -> Notice:
    """A notice that on time is too low in a ward, decided at AT_US."""
    facts = NoticeFacts(
        indicator="on_time",
        window="24h",
        figures=figures,
        threshold=0.95,
        below=True,
        since_us=AT_US - 1_500_000_000,
        title=title,
        text=text,
    )
    return Notice(
        id=key,
        alert=f"alert-{key}",
        rule="on_time",
        scope=scope,
        kind=kind,
        severity=severity,
        recipient=recipient,
        at_us=AT_US,
        facts=facts,
    )
