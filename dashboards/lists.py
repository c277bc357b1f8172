"""Panels of lists: what needs attention, ages of sources and units, overdue codes, facts of the pipeline."""

from collections.abc import Iterable
from typing import Any, NamedTuple

from contract.days import DAY_S
from contract.numbers import count_text, duration_text, percent_text
from contract.registry import INDICATORS
from contract.windows import STATE_WINDOW
from contract.words import WINDOW_WORDS, WORDS, Text, same
from dashboards.alerts.panels import alert_items, covered
from dashboards.screens import Content, Panel
from dashboards.targets import State
from dashboards.view import View, text
from streams.clock import US_PER_S

__all__ = ["ages", "attention", "dead_letters", "most_overdue", "pipeline"]

_SEVERITY: dict[State, int] = {"bad": 0, "none": 1, "watch": 2, "ok": 3}
_SHARE_OF_EACH = 3
"""At most so many items of one sort, so that thirty late communes do not hide a silent source."""


class _Item(NamedTuple):
    """One thing that needs attention; ``weight`` orders those of one sort and state, the heavier first.

    ``about`` is the scope and indicator (or gauge) of an alert that would say the same.
    """

    sort: str
    state: State
    weight: float
    title: Text
    text: Text
    right: Text
    since_us: int | None
    about: tuple[str, str]


def attention(panel: Panel, view: View) -> dict[str, Any]:
    """Return alerts that fire, then what misses its target, silent sources, what is due soon; the worst first."""
    firing, told = alert_items(view), covered(view)
    found = [item for item in (*_missed(panel, view), *_silent(view), *_due_soon(view)) if item.about not in told]
    found.sort(key=lambda item: (_SEVERITY[item.state], -item.weight, item.title.vi))
    rows = panel.rows or 6
    room, chosen, taken = max(0, rows - len(firing)), list[_Item](), dict[str, int]()
    for item in found:
        taken[item.sort] = taken.get(item.sort, 0) + 1
        if taken[item.sort] <= _SHARE_OF_EACH:
            chosen.append(item)
    # What was held back fills the lines that are left.
    chosen += [item for item in found if item not in chosen]
    chosen = sorted(chosen[:room], key=lambda item: (_SEVERITY[item.state], -item.weight, item.title.vi))
    return {
        "items": [
            *firing[:rows],
            *(
                {
                    "state": item.state,
                    "title": text(item.title),
                    "text": text(item.text),
                    "right": text(item.right),
                    "since_us": item.since_us,
                }
                for item in chosen
            ),
        ],
        "total": len(firing) + len(found),
    }


def ages(panel: Panel, view: View) -> dict[str, Any]:
    """Every source's, or every unit's, age against what is expected; the worst first."""
    by_unit = panel.content is Content.UNITS
    units = view.units
    newest: dict[str, tuple[int, str, set[str]]] = {}
    for row in view.data.sources:
        if row.unit not in units:
            continue
        key = row.unit if by_unit else row.source
        seen_us, source, served = newest.get(key, (0, row.source, set()))
        newest[key] = (max(seen_us, row.seen_us), row.source if row.seen_us > seen_us else source, served)
        served.add(row.unit)
    rows = []
    for key, (seen_us, source, served) in newest.items():
        expected_s, age_s = view.targets.expected_s(source), view.age_s(seen_us)
        every = Text(*(w.format(duration=d) for w, d in zip(WORDS["every"], duration_text(expected_s), strict=True)))
        detail = same(source) if by_unit else every
        name = view.name(key) if by_unit else same(key)
        rows.append(
            (
                _SEVERITY[state] if (state := view.source_state(source, seen_us)) != "ok" else 9,
                -age_s if by_unit or state != "ok" else 0,
                key,
                {
                    "key": key,
                    "name": text(name),
                    "age_s": age_s,
                    "expected_s": expected_s,
                    "state": state,
                    "detail": text(detail),
                    "units": len(served),
                },
            )
        )
    rows.sort(key=lambda row: row[:3])
    return {"rows": [row[3] for row in rows[: panel.rows or None]], "total": len(rows)}


def most_overdue(panel: Panel, view: View) -> dict[str, Any]:
    """Codes of the dossiers overdue for longest, with unit and whole days."""
    columns = (
        ("code", WORDS["code"], "left"),
        ("unit", WORDS["unit"], "left"),
        ("days", WORDS["days_overdue"], "right"),
    )
    return {
        "columns": _columns(columns),
        "rows": [
            [row.id, text(view.name(row.unit)), (view.data.now_s - row.due_s) // DAY_S]
            for row in list(view.detail(panel).overdue)[: panel.rows or None]
        ],
    }


def dead_letters(panel: Panel, view: View) -> dict[str, Any]:
    """Refused records by reason and source."""
    columns = (
        ("reason", WORDS["reason"], "left"),
        ("source", WORDS["source"], "left"),
        ("count", WORDS["count"], "right"),
    )
    return {
        "columns": _columns(columns),
        "rows": [[group.reason, group.source, group.records] for group in view.data.letters[: panel.rows or None]],
    }


def pipeline(panel: Panel, view: View) -> dict[str, Any]:
    """Facts of the stream itself."""
    data, limit_s = view.data, panel.limit_s
    beat_s = view.age_s(data.beat.written_us) if data.beat else None
    heard_us = max((row.seen_us for row in data.sources), default=None)
    facts: list[tuple[str, int | None, str, State]] = [
        ("figures_age", beat_s, "seconds", "none" if beat_s is None else "ok" if beat_s <= limit_s else "bad"),
        ("last_event", view.age_s(heard_us) if heard_us else None, "seconds", "none"),
        ("lag", data.lag, "pieces", "none" if data.lag is None else "ok" if data.lag < _LAG_WATCH else "watch"),
        ("dead_letters", data.facts.dead_letters, "pieces", "watch" if data.facts.dead_letters else "ok"),
        ("partitions", data.facts.ready, "none", "ok" if data.facts.ready else "none"),
        ("partitions_waiting", data.facts.waiting, "none", "watch" if data.facts.waiting else "ok"),
        ("events", sum(row.events for row in data.sources), "pieces", "none"),
        ("ignored", sum(row.ignored for row in data.sources), "pieces", "none"),
    ]
    return {
        "items": [
            {"key": key, "name": text(WORDS[key]), "value": value, "unit": text(WORDS[unit]), "state": state}
            for key, value, unit, state in facts
        ]
    }


_LAG_WATCH = 10_000
"""Records waiting in Kafka beyond which the lag is to be watched: some seconds of a worker's work."""


def _columns(columns: Iterable[tuple[str, Text, str]]) -> list[dict[str, Any]]:
    return [{"key": key, "name": text(name), "align": align} for key, name, align in columns]


def _missed(panel: Panel, view: View) -> Iterable[_Item]:
    for key in panel.indicators:
        if key == "due_soon":
            continue
        indicator, target = INDICATORS[key], view.targets.of(key)
        for code in (view.place.province, *view.place.departments, *view.place.communes):
            window, good, count = _judged(view, code, key)
            state = view.targets.state(key, good, count)
            if state not in ("bad", "watch"):
                continue
            rate, beyond = (
                percent_text(good / count),
                percent_text(target.watch if state == "bad" else target.value, 2),
            )
            words = WORDS["below" if indicator.higher_is_better else "above"]
            name = Text(indicator.name_vi, indicator.name_en)
            line = (
                f"{n} {r} ({g}/{c}), {w.format(value=b)}"
                for n, r, g, c, w, b in zip(
                    name, rate, count_text(good), count_text(count), words, map(_short, beyond), strict=True
                )
            )
            yield _Item(
                "missed",
                state,
                abs(good - target.value * count),
                view.name(code),
                Text(*line),
                WINDOW_WORDS[window],
                None,
                (f"unit:{code}", key),
            )


def _judged(view: View, code: str, key: str) -> tuple[str, int, int]:
    """Return the first window in which there is enough to judge: the headline's, or the month's behind it."""
    first = INDICATORS[key].window
    for window in (first, "30d") if first != STATE_WINDOW else (first,):
        good, count = view.data.figure(f"unit:{code}", key, window)
        if count >= view.targets.of(key).minimum_n:
            return window, good, count
    return first, *view.data.figure(f"unit:{code}", key, first)


def _silent(view: View) -> Iterable[_Item]:
    newest: dict[str, int] = {}
    for row in view.data.sources:
        if row.unit in view.units:
            newest[row.source] = max(newest.get(row.source, 0), row.seen_us)
    for source, seen_us in newest.items():
        if view.source_state(source, seen_us) != "bad":
            continue
        every = duration_text(view.targets.expected_s(source))
        words = zip(WORDS["silent"], WORDS["every"], every, strict=True)
        age = duration_text(view.age_s(seen_us))
        yield _Item(
            "silent",
            "none",
            (view.now_us - seen_us) / US_PER_S,
            same(source),
            Text(*(f"{first}; {second.format(duration=d)}" for first, second, d in words)),
            Text(*(word.format(duration=d) for word, d in zip(WORDS["silent_for"], age, strict=True))),
            seen_us,
            (f"source:{source}", "silence"),
        )


def _due_soon(view: View) -> Iterable[_Item]:
    for code in (*view.place.departments, *view.place.communes):
        count, open_now = view.data.figure(f"unit:{code}", "due_soon", "now")
        if view.targets.state("due_soon", count, open_now) not in ("watch", "bad"):
            continue
        line = (word.format(n=n) for word, n in zip(WORDS["due_soon_text"], count_text(count), strict=True))
        yield _Item(
            "due_soon",
            "watch",
            count,
            view.name(code),
            Text(*line),
            WORDS["due_soon_title"],
            None,
            (f"unit:{code}", "due_soon"),
        )


def _short(percent: str) -> str:
    """Write 50,00 % as 50 % and 3,78 % as it is."""
    number, _, sign = percent.partition(" ")
    return f"{number.rstrip('0').rstrip(',.')} {sign}"
