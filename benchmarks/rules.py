"""Rules: how long one look takes with 10,000 states."""

import time
from collections.abc import Callable, Iterator

from benchmarks.report import Figure
from contract.calendar import WorkCalendar
from contract.units import UnitTree
from streams.alerts import FigureKey
from streams.clock import US_PER_S
from streams.rule import Rule
from streams.rules import Rules

__all__ = ["STATES", "run"]

STATES = 10_000
ROUNDS = 50
TARGET_MS = 50.0
NOW_US = 1_770_003_600 * US_PER_S

_WINDOWS = ("15m", "1h", "24h", "7d", "30d")


def run(states: int = STATES) -> Iterator[Figure]:
    """Measure looks of one process: with nothing new, with every figure new, and with all states firing at once."""
    scopes = [f"unit:u{n}" for n in range(max(1, states // len(_WINDOWS)))]
    keys = [FigureKey(scope, "on_time", window) for scope in scopes for window in _WINDOWS]
    watched = _rules()
    watched.evaluate(NOW_US, dict.fromkeys(keys, (99, 100)))
    note = f"{len(keys):,} states, {len(_WINDOWS)} rules, {ROUNDS} rounds, processor time of the slowest"

    def looks(figures: Callable[[int], dict[FigureKey, tuple[int, int]]]) -> float:
        return max(_took_ms(watched, NOW_US + n * US_PER_S, figures(n)) for n in range(1, ROUNDS + 1))

    same = dict.fromkeys(keys, (99, 100))
    yield Figure("rules", "look, no figure new", looks(lambda _: same), "ms", TARGET_MS, note)
    yield Figure(
        "rules",
        "look, every figure new",
        looks(lambda n: dict.fromkeys(keys, (990 + n, 1_100))),
        "ms",
        TARGET_MS,
        note,
    )
    a_tenth = frozenset(keys[::10])
    watched.evaluate(NOW_US + 100 * US_PER_S, dict.fromkeys(a_tenth, (1, 100)))
    yield Figure(
        "rules",
        "look, every figure new, a tenth of the states pending or firing",
        max(
            _took_ms(watched, NOW_US + n * US_PER_S, {key: (n if key in a_tenth else 900 + n, 1_000) for key in keys})
            for n in range(101, 101 + ROUNDS)
        ),
        "ms",
        TARGET_MS,
        note,
    )
    storm = _rules()
    storm.evaluate(NOW_US, same)
    yield Figure(
        "rules",
        "look in which all states become bad at once",
        _took_ms(storm, NOW_US + US_PER_S, dict.fromkeys(keys, (1, 100))),
        "ms",
        note=f"{len(keys):,} alerts made; processor time, once",
    )


def _took_ms(rules: Rules, now_us: int, figures: dict[FigureKey, tuple[int, int]]) -> float:
    began = time.thread_time()
    rules.evaluate(now_us, figures)
    return (time.thread_time() - began) * 1_000


def _rules() -> Rules:
    return Rules([_rule(window) for window in _WINDOWS], UnitTree(()), WorkCalendar.build({}))


def _rule(window: str) -> Rule:
    return Rule(
        id=f"on_time_{window}",
        indicator="on_time",
        window=window,
        scope="unit:*",
        below=0.9,
        recover=0.92,
        minimum_n=20,
        minimum_history=3,
        hold_s=60,
        severity="warning",
        remind_s=None,
        quiet=None,
        working_days=False,
        to=("unit",),
        escalate_s=None,
        escalate_to=(),
        daily_min=None,
        title=None,
        text=None,
    )
