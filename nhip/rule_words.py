"""A rule in words, for operators and the documentation."""

from collections.abc import Iterator

from streams.gauges import GAUGES
from streams.rule import Rule

__all__ = ["bad_when", "quiet", "rhythm"]


def bad_when(rule: Rule) -> str:
    """Return what is bad, for how long, and from where it is good again."""
    word, limit = next(
        (word, limit)
        for word, limit in (("below", rule.below), ("above", rule.above), ("worse than usual by", rule.worse_by))
        if limit is not None
    )
    if rule.daily_min is not None:
        return f"{word} {limit:g} at {_clock(rule.daily_min)}, of {rule.minimum_n} or more"
    cases = "" if rule.indicator in GAUGES else f", of {rule.minimum_n} or more"
    return f"{word} {limit:g} for {_span(rule.hold_s)}{cases}; good again from {rule.recover:g}"


def rhythm(rule: Rule) -> Iterator[str]:
    """Yield how often it is told."""
    if rule.daily_min is not None:
        yield "one message a day"
    if rule.remind_s is not None:
        yield f"again every {_span(rule.remind_s)}"
    if rule.escalate_s is not None:
        yield f"escalated after {_span(rule.escalate_s)}"


def quiet(rule: Rule) -> str:
    """Return when nothing is sent."""
    span = rule.quiet
    times = [] if span is None else [f"{_clock(span.start_min)}–{_clock(span.end_min)}"]
    return ", ".join((*times, *(["days off"] if rule.working_days else []))) or "never"


def _clock(minute: int) -> str:
    return f"{minute // 60:02}:{minute % 60:02}"


def _span(seconds: int) -> str:
    for size, sign in ((86_400, "d"), (3_600, "h"), (60, "m")):
        if seconds and seconds % size == 0:
            return f"{seconds // size}{sign}"
    return f"{seconds}s"
