"""What a figure means to a rule: bad, good again, between both, or nothing can be said."""

from collections.abc import Callable, Sequence
from enum import Enum
from statistics import median
from typing import NamedTuple

from contract.registry import INDICATORS
from streams.gauges import GAUGES
from streams.rule import Rule

__all__ = ["Limits", "Verdict", "bad_test", "judge", "limits", "lower_is_worse"]


class Verdict(Enum):
    """A figure beside a rule. Of too few cases, or without a usual value to compare with, it is unknown."""

    BAD = "bad"
    BETWEEN = "between"
    """No longer bad, not yet good enough to be over: hysteresis."""
    GOOD = "good"
    UNKNOWN = "unknown"


class Limits(NamedTuple):
    """What a figure is compared with at one moment; ``usual`` where the rule compares with that."""

    threshold: float
    recover: float
    usual: float | None


def lower_is_worse(rule: Rule) -> bool:
    """Whether the rule finds low figures bad."""
    if rule.worse_by is None:
        return rule.below is not None
    return INDICATORS[rule.indicator].higher_is_better


def limits(rule: Rule, usual: Sequence[float]) -> Limits | None:
    """Return the limits; None when fewer than ``minimum_history`` rates of the past are known."""
    if rule.worse_by is not None:
        if len(usual) < rule.minimum_history:
            return None
        middle = median(usual)
        sign = -1 if lower_is_worse(rule) else 1
        return Limits(middle + sign * rule.worse_by, middle + sign * rule.recover, middle)
    threshold = rule.below if rule.below is not None else rule.above
    return None if threshold is None else Limits(threshold, rule.recover, None)


def bad_test(rule: Rule) -> Callable[[int, int], bool] | None:
    """Return what :func:`judge` calls bad as one comparison; None for a rule that compares with the usual.

    For the many figures that are fine: a look at 10,000 new ones takes 5 ms with it, 18 ms without
    (``python -m benchmarks rules``).
    """
    least = 1 if rule.indicator in GAUGES else max(1, rule.minimum_n)
    if rule.below is not None:
        below = rule.below
        return lambda numerator, denominator: denominator >= least and numerator / denominator < below
    if rule.above is not None:
        above = rule.above
        return lambda numerator, denominator: denominator >= least and numerator / denominator > above
    return None


def judge(rule: Rule, numerator: int, denominator: int, usual: Sequence[float] = ()) -> Verdict:
    """Judge a figure. A zero denominator is never a rate; a gauge needs no minimum of cases."""
    if denominator == 0 or (denominator < rule.minimum_n and rule.indicator not in GAUGES):
        return Verdict.UNKNOWN
    found = limits(rule, usual)
    if found is None:
        return Verdict.UNKNOWN
    rate = numerator / denominator
    if lower_is_worse(rule):
        bad, good = rate < found.threshold, rate >= found.recover
    else:
        bad, good = rate > found.threshold, rate <= found.recover
    if bad:
        return Verdict.BAD
    return Verdict.GOOD if good else Verdict.BETWEEN
