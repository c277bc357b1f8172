"""What the rules know: the newest figures, the usual ones, and which rules watch each."""

from collections.abc import Callable, Container, Iterable, Iterator, Mapping
from typing import Final, NamedTuple

from contract.units import UnitTree
from streams.alerts import FigureKey, Figures
from streams.gauges import GAUGES
from streams.rule import Rule
from streams.scopes import matches
from streams.verdict import Limits, Verdict, bad_test, judge, limits

__all__ = ["FigureBook", "StateKey", "UsualRates"]

StateKey = tuple[str, str]
"""(rule, scope)."""

UsualRates = Mapping[int, Mapping[FigureKey, tuple[float, ...]]]
"""minimum n → figure → its rates at this weekday and time in the last weeks."""

NOTHING: Final = (0, 0)


class _Watch(NamedTuple):
    """One rule over one figure; ``is_bad`` is None where that takes more than the figure."""

    rule: Rule
    is_bad: Callable[[int, int], bool] | None
    state: StateKey


class FigureBook:
    """Figures by key, each with the rules that watch it."""

    def __init__(self, rules: Iterable[Rule], tree: UnitTree) -> None:
        self._tree = tree
        self._rules: dict[tuple[str, str], list[Rule]] = {}
        for rule in rules:
            self._rules.setdefault((rule.indicator, rule.window), []).append(rule)
        self._watches: dict[tuple[str, str, str], tuple[_Watch, ...]] = {}
        self._figures: dict[tuple[str, str, str], tuple[int, int]] = {}
        self._usual: UsualRates = {}

    def learn(self, figures: Figures, open_states: Container[StateKey]) -> list[StateKey]:
        """Take figures over; return the states that one of them may change: what is open, and what has become bad."""
        known, watches = self._figures, self._watches
        found: list[StateKey] = []
        for key, figure in figures.items():
            if known.get(key) == figure:
                continue
            watching = watches.get(key)
            if watching is None:
                watching = self._watch(FigureKey(*key))
            if not watching:
                continue
            known[key] = figure
            for rule, is_bad, state in watching:
                if rule.daily_min is None and (
                    state in open_states or is_bad is None or is_bad(figure[0], figure[1])
                ):
                    found.append(state)
        return found

    def learn_usual(self, usual: UsualRates) -> list[StateKey]:
        """Take the usual rates over; return the states that compare with one that changed."""
        before, self._usual = self._usual, usual
        if before is usual:
            return []
        return [
            state
            for key, watching in self._watches.items()
            for rule, _, state in watching
            if rule.worse_by is not None
            and rule.daily_min is None
            and _of(before, rule, FigureKey(*key)) != _of(usual, rule, FigureKey(*key))
        ]

    def usual_wanted(self, keys: Iterable[FigureKey]) -> dict[int, set[FigureKey]]:
        """Return those of the figures that a rule compares with their usual rate, by the rule's minimum of cases."""
        found: dict[int, set[FigureKey]] = {}
        for key in keys:
            for rule in self.watching(key):
                if rule.worse_by is not None:
                    found.setdefault(rule.minimum_n, set()).add(FigureKey(*key))
        return found

    def watching(self, key: tuple[str, str, str]) -> tuple[Rule, ...]:
        """Return the rules that watch a figure."""
        return tuple(watch.rule for watch in self._watching(key))

    def figure(self, rule: Rule, scope: str) -> tuple[int, int] | None:
        """Return the newest figure; None when there never was one."""
        return self._figures.get(FigureKey(scope, rule.indicator, rule.window))

    def limits(self, rule: Rule, scope: str) -> Limits | None:
        """Return what the figure is compared with now."""
        return limits(rule, self._usual_of(rule, scope))

    def verdict(self, rule: Rule, scope: str) -> Verdict:
        """Judge the newest figure."""
        figure = self.figure(rule, scope) or NOTHING
        return judge(rule, *figure, self._usual_of(rule, scope))

    def scopes(self, rule: Rule) -> Iterator[str]:
        """All scopes that the rule watches and that have a figure."""
        return (key[0] for key in self._figures if rule in self.watching(key))

    @property
    def compares(self) -> bool:
        """Whether any rule compares with the usual rate."""
        return any(rule.worse_by is not None for rules in self._rules.values() for rule in rules)

    def wanted(self, scopes: Iterable[str]) -> dict[tuple[str, str], frozenset[str]]:
        """Return which figures of the past the rules need: (indicator, window) → those of the scopes that match."""
        scopes = tuple(scopes)
        found: dict[tuple[str, str], frozenset[str]] = {}
        for indicator, window in self._rules:
            if indicator not in GAUGES:
                keys = (FigureKey(scope, indicator, window) for scope in scopes)
                found[indicator, window] = frozenset(key.scope for key in keys if self.watching(key))
        return found

    def _usual_of(self, rule: Rule, scope: str) -> tuple[float, ...]:
        if rule.worse_by is None:
            return ()
        return _of(self._usual, rule, FigureKey(scope, rule.indicator, rule.window))

    def _watching(self, key: tuple[str, str, str]) -> tuple[_Watch, ...]:
        found = self._watches.get(key)
        return self._watch(FigureKey(*key)) if found is None else found

    def _watch(self, key: FigureKey) -> tuple[_Watch, ...]:
        found = tuple(
            _Watch(rule, bad_test(rule), (rule.id, key.scope))
            for rule in self._rules.get((key.indicator, key.window), ())
            if matches(rule.scope, key.scope, self._tree)
        )
        self._watches[key] = found
        return found


def _of(usual: UsualRates, rule: Rule, key: FigureKey) -> tuple[float, ...]:
    return usual.get(rule.minimum_n, {}).get(key, ())
