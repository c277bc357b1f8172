"""Panels of figures: headlines, leagues, rates by field, bars by hour, shares of what is open."""

from collections.abc import Sequence
from typing import Any

from contract.days import DAY_S, HOUR_S, local_day_start
from contract.indicators import Reading
from contract.numbers import count_text
from contract.registry import INDICATORS
from contract.words import WORDS, Text, same
from dashboards.bars import series_of
from dashboards.screens import Panel, ScopeKind
from dashboards.view import View, text
from sinks.reads import Bucket
from streams.clock import US_PER_S

__all__ = ["HALF_HOUR_S", "ageing", "by_field", "headline", "league", "per_hour"]

HALF_HOUR_S = 1_800
_FIRST_HOUR, _LAST_HOUR = 7, 17
"""The hours that bars show at least: those of an office."""

_SPARK_DAYS = {"7d": 7, "30d": 30}


def headline(panel: Panel, view: View) -> dict[str, Any]:
    """One rate with its numerator, denominator, target, state, course of the day and change."""
    key, window = panel.indicators[0], panel.window or "today"
    indicator, target = INDICATORS[key], view.targets.of(key)
    good, count = view.data.figure(view.scope(panel), key, window)
    few = WORDS["too_few"]
    note = Text(*(word.format(n=target.minimum_n) for word in few)) if 0 < count < target.minimum_n else None
    before = view.detail(panel).before.get((key, window))
    points = None
    if before is not None and before[1] and count:
        points = round(100 * (good / count - before[0] / before[1]), 2)
    return {
        "note": None if note is None else text(note),
        "indicator": key,
        "numerator": good,
        "denominator": count,
        "rate": _rate(good, count),
        "target": {
            "value": target.value,
            "better": "higher" if indicator.higher_is_better else "lower",
            "watch": target.watch,
        },
        "state": view.targets.state(key, good, count),
        "change": {"points": points, "versus": text(WORDS["last_week" if window == "7d" else "yesterday"])},
        "spark": _spark(panel, view, (good, count)),
        "unit": {"vi": indicator.unit_vi, "en": indicator.unit_en},
    }


def league(panel: Panel, view: View) -> dict[str, Any]:
    """Units of one kind by one indicator, the best first; those with too few cases have no rank and stand last."""
    key, window = panel.indicators[0], panel.window or "30d"
    codes = view.place.departments if panel.scope is ScopeKind.DEPARTMENTS else view.place.communes
    minimum_n, better = view.targets.of(key).minimum_n, -1 if INDICATORS[key].higher_is_better else 1
    figures = {code: view.data.figure(f"unit:{code}", key, window) for code in codes}
    ranked = sorted(
        (code for code in codes if figures[code][1] >= minimum_n),
        key=lambda code: (better * figures[code][0] / figures[code][1], -figures[code][1], code),
    )
    few = sorted((code for code in codes if 0 < figures[code][1] < minimum_n), key=lambda c: (-figures[c][1], c))
    places: list[tuple[int | None, str]] = list(enumerate(ranked, 1))
    room = max(1, panel.rows)
    if len(places) > (space := room - bool(few)):
        places = places[: (space + 1) // 2] + places[len(places) - space // 2 :]
    places += [(None, code) for code in few[: room - len(places)]]
    return {
        "indicator": key,
        "rows": [
            {
                "rank": rank,
                "code": code,
                "name": text(view.name(code)),
                "rate": _rate(*figures[code]),
                "numerator": figures[code][0],
                "denominator": figures[code][1],
                "state": view.targets.state(key, *figures[code]),
                "enough": rank is not None,
            }
            for rank, code in places
        ],
        "minimum_n": minimum_n,
        "shown": "top and bottom",
        "ranked": len(ranked),
        "too_few": len(few),
        "units": len(codes),
    }


def by_field(panel: Panel, view: View) -> dict[str, Any]:
    """One indicator in every field, those with the most cases first."""
    key, window = panel.indicators[0], panel.window or "30d"
    found = [
        (scope.removeprefix("field:"), figure)
        for (scope, indicator, span), figure in view.data.rates.items()
        if indicator == key and span == window and scope.startswith("field:") and figure[1]
    ]
    found.sort(key=lambda row: (-row[1][1], row[0]))
    return {
        "rows": [
            {
                "key": name,
                "name": text(same(name)),
                "rate": _rate(*figure),
                "numerator": figure[0],
                "denominator": figure[1],
                "state": view.targets.state(key, *figure),
            }
            for name, figure in found[: panel.rows or None]
        ],
        "total": len(found),
    }


def per_hour(panel: Panel, view: View) -> dict[str, Any]:
    """Count marks per hour of the local day; an hour that has not begun is unknown, not zero."""
    detail, now_s = view.detail(panel), view.data.now_s
    midnight = local_day_start(now_s)
    sums = {key: _hours(detail.today.get(key, ()), midnight) for key in panel.indicators}
    series = [
        (
            key if side == "count" else f"{key}_good",
            name,
            {hour: pair[side == "count"] for hour, pair in sums[key].items()},
        )
        for name, key, side in series_of(panel)
    ]
    begun = (now_s - midnight) // HOUR_S
    busy = [hour for _, _, values in series for hour in values]
    hours = range(min([_FIRST_HOUR, *busy]), max([_LAST_HOUR, begun]) + 1)
    return {
        "categories": [str(hour) for hour in hours],
        "series": [
            {"key": key, "name": text(name), "values": [values.get(h, 0) if h <= begun else None for h in hours]}
            for key, name, values in series
        ],
    }


def ageing(panel: Panel, view: View) -> dict[str, Any]:
    """Open dossiers by the time that is left."""
    found = view.detail(panel).ageing
    later, days, day, overdue = (found.later, found.days, found.day, found.overdue) if found else (0, 0, 0, 0)
    total = later + days + day + overdue
    rows = (
        ("due_later", later, "ok"),
        ("due_days", days, "ok"),
        ("due_day", day, "watch" if day else "ok"),
        ("overdue", overdue, "bad" if overdue else "ok"),
    )
    indicator = INDICATORS["overdue"]
    whole = count_text(total)
    return {
        "note": text(Text(f"{whole.vi} {indicator.unit_vi}", f"{whole.en} {indicator.unit_en}")) if found else None,
        "rows": [
            {"key": key, "name": text(WORDS[key]), "count": count, "state": state if found else "none"}
            for key, count, state in rows
        ],
        "total": total,
    }


def _rate(good: int, count: int) -> float | None:
    return round(good / count, 6) if count else None


def _hours(buckets: Sequence[Bucket], midnight: int) -> dict[int, tuple[int, int]]:
    sums: dict[int, tuple[int, int]] = {}
    for bucket in buckets:
        hour = (bucket.start_s - midnight) // HOUR_S
        good, count = sums.get(hour, (0, 0))
        sums[hour] = (good + bucket.good, count + bucket.counted)
    return sums


def _spark(panel: Panel, view: View, now: tuple[int, int]) -> list[list[int | float | None]]:
    """Points of the small curve: the figure itself through the day, or each day's own rate for longer windows."""
    key, window, detail = panel.indicators[0], panel.window or "today", view.detail(panel)
    if window in _SPARK_DAYS:
        return _daily(detail.days.get(key, ()), view.data.now_s, _SPARK_DAYS[window])
    state = INDICATORS[key].reading is not Reading.RATE
    steps = detail.open_today.get(key, ()) if state else detail.today.get(key, ())
    if window not in ("today", "now") or not steps or not now[1]:
        return []
    by_start = {bucket.start_s: (bucket.good, bucket.counted) for bucket in steps}
    good, count = 0, 0
    points: list[list[int | float | None]] = []
    for start_s in range(min(by_start), view.data.now_s - HALF_HOUR_S, HALF_HOUR_S):
        step = by_start.get(start_s)
        if step is not None:
            good, count = step if state else (good + step[0], count + step[1])
        points.append([(start_s + HALF_HOUR_S) * US_PER_S, _rate(good, count)])
    return [*points, [view.data.now_s * US_PER_S, _rate(*now)]]


def _daily(buckets: Sequence[Bucket], now_s: int, days: int) -> list[list[int | float | None]]:
    by_day = {bucket.start_s: (bucket.good, bucket.counted) for bucket in buckets}
    today = local_day_start(now_s)
    starts = [today - n * DAY_S for n in reversed(range(days))]
    return [[start * US_PER_S, _rate(*by_day.get(start, (0, 0)))] for start in starts] if by_day else []
