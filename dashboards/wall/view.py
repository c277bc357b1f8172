"""How a screen document reads in one language: the figures, ages and shapes that the template places.

``static/view.js`` says the same in the browser, function by function; a test holds the two together.
"""

import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import ROUND_HALF_UP, Decimal
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

__all__ = ["GLYPHS", "LANGUAGES", "WORDS", "View"]

LANGUAGES = ("vi", "en")
GLYPHS = {"ok": "●", "watch": "▲", "bad": "■", "none": "○", "old": "○"}
"""A state is never told by colour alone."""
WORDS: dict[str, dict[str, str]] = json.loads((Path(__file__).parent / "words.json").read_text(encoding="utf-8"))
"""Everything the wall itself says; the browser gets the same file's words within the page."""

DASH = "–"
SPACE = "\N{NO-BREAK SPACE}"
SECOND_US = 1_000_000
MINUTE_S, HOUR_S, DAY_S = 60, 3600, 86400
HERE = ZoneInfo("Asia/Ho_Chi_Minh")

ROW_REM = 5.77
"""Height of one of the ten grid rows with its gap, at 16 px per rem on 1920×1080."""
CHROME_REM = 4.7
"""What a panel needs besides its rows: padding, heading, gap."""
PITCHES = (3.4, 2.9, 2.65, 2.4, 2.2, 2.05, 1.9, 1.75)
"""Heights of a table's row in rem, from the most readable down; the style sheet has a class p340 … p175 for each."""
COMPACT_H = 2
"""A panel of at most so many grid rows has a smaller heading."""
SPARK_W, SPARK_H = 1000, 200

Panel = Mapping[str, Any]
Row = Mapping[str, Any]


def _round(value: float) -> int:
    """Round as JavaScript's Math.round does."""
    return math.floor(value + 0.5)


@dataclass(frozen=True, slots=True)
class View:
    """One document as seen in one language at one moment (``now_us``)."""

    lang: str
    now_us: int

    def text(self, value: object) -> str:
        """Return a name in this language; numbers the way of the language, nothing as a dash."""
        if value is None:
            return DASH
        if isinstance(value, Mapping):
            return str(value.get(self.lang) or value.get("vi") or "")
        if isinstance(value, bool):
            return str(value)
        if isinstance(value, int):
            return self.number(value, 0)
        if isinstance(value, float):
            return self.number(value, 0 if value.is_integer() else 1)
        return str(value)

    def word(self, key: str, **values: object) -> str:
        """Return one of the wall's own words."""
        found = WORDS[key][self.lang]
        for name, value in values.items():
            found = found.replace("{" + name + "}", str(value))
        return found

    def number(self, value: float | None, digits: int = 0) -> str:
        """1.434 and 95,3 in Vietnamese; 1,434 and 95.3 in English."""
        if value is None:
            return DASH
        step = Decimal(1).scaleb(-digits)
        plain = f"{Decimal(value).quantize(step, ROUND_HALF_UP):,f}"
        if self.lang == "vi":
            plain = plain.translate(str.maketrans(",.", ".,"))
        return plain

    def percent(self, rate: float | None) -> str:
        """Return a rate with its sign, one digit."""
        return DASH if rate is None else f"{self.number(rate * 100, 1)}{SPACE}%"

    def points(self, rate: float | None) -> str:
        """Return a rate below a heading that has the sign."""
        return DASH if rate is None else self.number(rate * 100, 1)

    def ends(self, low: float, high: float) -> str:
        """Return the two ends of a scale."""
        return f"{self.number(low * 100)}–{self.number(high * 100)}"

    def limit(self, rate: float) -> str:
        """Return a target or threshold, without a digit it does not need."""
        value = rate * 100
        whole = abs(value - _round(value)) < 0.05  # noqa: PLR2004 - half of the digit shown
        return f"{self.number(_round(value) if whole else value, 0 if whole else 1)}{SPACE}%"

    def duration(self, seconds: float) -> str:
        """Return a length of time in its largest whole unit."""
        seconds = max(1, math.floor(seconds))
        for key, size in (("day", DAY_S), ("hour", HOUR_S), ("minute", MINUTE_S)):
            if seconds >= size:
                return self._plural(key, seconds // size)
        return self._plural("second", seconds)

    def _plural(self, key: str, n: int) -> str:
        forms = WORDS[key][self.lang].split("|")
        return forms[0 if n == 1 else -1].replace("{n}", self.number(n)).replace(" ", SPACE)

    def clock(self, time_us: int) -> str:
        """Return the local time of day."""
        return datetime.fromtimestamp(time_us // SECOND_US, HERE).strftime("%H:%M:%S")

    def date(self, time_us: int) -> str:
        """Return the local day with its weekday."""
        day = datetime.fromtimestamp(time_us // SECOND_US, HERE)
        return f"{WORDS['weekday'][self.lang].split('|')[day.isoweekday() % 7]} {day:%d/%m/%Y}"

    # -- age -------------------------------------------------------------------------------------------------------

    def _age_s(self, panel: Panel) -> float | None:
        measured = panel.get("measured_us")
        return None if measured is None else (self.now_us - measured) / SECOND_US

    def stale(self, panel: Panel) -> bool:
        """Whether what a panel shows is older than it may be; nothing measured is no age, but no data."""
        age = self._age_s(panel)
        return age is not None and age > panel["limit_s"]

    def age(self, panel: Panel) -> str:
        """Return the age of a panel's data in words."""
        age = self._age_s(panel)
        if age is None:
            return self.word("no_age")
        return self.word("stale" if self.stale(panel) else "age", age=self.duration(age))

    def state(self, panel: Panel) -> str:
        """Return the state that a panel shows: old data has no other."""
        return "old" if self.stale(panel) else str(panel.get("state") or "none")

    def verdict(self, state: str, rate: float | None) -> str:
        """Return the word for a rate's state: with too few cases there is data, but no judgement."""
        return self.word("unjudged" if state == "none" and rate is not None else state)

    def window(self, panel: Panel) -> str:
        """Return the window's name, empty where there is none."""
        window = panel.get("window")
        if not window:
            return ""
        return WORDS[f"window_{window}"][self.lang] if f"window_{window}" in WORDS else str(window)

    def aside(self, panel: Panel) -> str:
        """Return what stands small beside a heading."""
        parts = [] if panel["form"] == "shares" and panel.get("window") == "now" else [self.window(panel)]
        if panel["form"] == "league":
            parts.append(self.word("minimum", n=self.number(panel["minimum_n"])))
        if panel["form"] == "shares" and not panel.get("note"):
            parts.append(self.word("total", n=self.number(panel["total"])))
        if panel.get("note") and panel["form"] != "headline":  # which has more room for it elsewhere
            parts.append(self.text(panel["note"]))
        return " · ".join(part for part in parts if part)

    def classes(self, panel: Panel) -> str:
        """Return the classes that place and colour a panel."""
        grid = panel["grid"]
        names = ["panel", panel["form"], f"x{grid['x']}", f"y{grid['y']}", f"w{grid['w']}", f"h{grid['h']}"]
        if grid["h"] <= COMPACT_H:
            names.append("compact")
        if panel["form"] == "ages" and grid["h"] <= 1:
            names.append("strip")
        if panel["form"] == "headline":
            names.append(f"s-{self.state(panel)}")
        if self.stale(panel):
            names.append("stale")
        return " ".join(names)

    # -- headline --------------------------------------------------------------------------------------------------

    def value_class(self, panel: Panel) -> str:
        """Return the class for the big figure: 100,0 needs more room than 98,2."""
        rate = panel["rate"]
        return "value long" if rate is not None and len(self.number(rate * 100, 1)) > len("98,2") else "value"

    def target(self, panel: Panel) -> list[str]:
        """Return the target, and the threshold beyond which it counts as missed."""
        target = panel.get("target")
        if not target:
            return []
        higher = target["better"] == "higher"
        words = [f"{self.word('target')} {'≥' if higher else '≤'} {self.limit(target['value'])}"]
        if target.get("watch") is not None:
            words.append(f"■ {'<' if higher else '>'} {self.limit(target['watch'])}")
        return words

    def change(self, panel: Panel) -> str:
        """Return the change in points against the same time before."""
        change = panel.get("change")
        if not change:
            return ""
        versus = self.text(change["versus"])
        points = change["points"]
        if points is None:
            return f"{DASH} {self.word('versus')} {versus}"
        size = self.number(abs(points), 1)
        if size in {"0,0", "0.0"}:
            return f"{self.word('unchanged')} {versus}"
        return f"{'↑' if points > 0 else '↓'} {size} {self.word('points')} {self.word('versus')} {versus}"

    def meter_scale(self, panel: Panel) -> float:
        """Return the rate at the right end of a headline's bar: where less is better, four times the target."""
        target = panel.get("target")
        if not target or target["better"] == "higher":
            return 1.0
        return max(float(target["value"]) * 4, float(panel["rate"] or 0), 0.001)

    def along(self, rate: float | None, low: float, high: float) -> int:
        """Return the place of a rate between two others, in thousandths."""
        if rate is None or high <= low:
            return 0
        return _round(min(max((rate - low) / (high - low), 0), 1) * 1000)

    def spark(self, panel: Panel) -> dict[str, Any] | None:
        """Return the lines, the area below them and the last point of a sparkline; None with nothing to draw."""
        points = panel.get("spark") or []
        rates = [rate for _, rate in points if rate is not None]
        if len(rates) < 2:  # noqa: PLR2004 - one point is no line
            return None
        low, high = min(rates), max(rates)
        middle, half = (low + high) / 2, max((high - low) / 2, 0.001) * 1.15
        first, last = points[0][0], points[-1][0]
        lines: list[list[tuple[int, int]]] = [[]]
        for time, rate in points:
            if rate is None:
                lines.append([])
                continue
            x = _round((time - first) / max(last - first, 1) * SPARK_W)
            y = _round((middle + half - rate) / (2 * half) * SPARK_H)
            lines[-1].append((x, y))
        drawn = [line for line in lines if len(line) > 1]
        paths = ["M" + "L".join(f"{x} {y}" for x, y in line) for line in drawn]
        areas = [f"{path}V{SPARK_H}H{line[0][0]}Z" for path, line in zip(paths, drawn, strict=True)]
        end = [line for line in lines if line][-1][-1]
        hours = _round((last - first) / SECOND_US / HOUR_S)
        return {
            "line": "".join(paths),
            "area": "".join(areas),
            "dot": f"M{end[0]} {end[1]}h0",
            "range": (
                f"{self._plural('hour', hours) if hours <= 48 else self._plural('day', _round(hours / 24))}: "  # noqa: PLR2004 - two days read better as days
                f"{self.number(low * 100, 1)}–{self.percent(high)}"
            ),
        }

    # -- tables ----------------------------------------------------------------------------------------------------

    def fit(self, panel: Panel, count: int, extra: float = 0) -> tuple[str, int]:
        """Return the density class for ``count`` rows and how many rows there is room for."""
        room = panel["grid"]["h"] * ROW_REM - CHROME_REM - extra
        if panel["grid"]["h"] <= COMPACT_H:
            room += 1.2
        for pitch in PITCHES:
            if count * pitch <= room:
                return f"p{_round(pitch * 100)}", count
        return f"p{_round(PITCHES[-1] * 100)}", max(math.floor(room / PITCHES[-1]), 1)

    def rows(self, panel: Panel, rows: Sequence[Any], extra: float = 0) -> dict[str, Any]:
        """Return the rows that fit, in how many columns, how dense, and how many are left out."""
        columns = max(1, panel["grid"]["w"] // 5) if panel["form"] == "ages" else 1
        per_column = -(-len(rows) // columns)
        density, fits = self.fit(panel, max(per_column, 1), extra)
        shown = list(rows[: fits * columns])
        return {"density": density, "rows": shown, "left_out": len(rows) - len(shown)}

    def league(self, panel: Panel) -> dict[str, Any]:
        """Return a league's rows with gaps marked, and the scale on which its dots stand."""
        rows: list[Row | None] = []
        before = None
        for row in panel["rows"]:
            rank = row["rank"]
            if rank is not None and before is not None and rank > before + 1:
                rows.append(None)
            before = rank if rank is not None else before
            rows.append(row)
        density, fits = self.fit(panel, len(rows), 1.6)
        left_out = 0
        if len(rows) > fits:  # top and bottom matter most
            head = fits // 2
            left_out = len(rows) - fits
            rows = [*rows[:head], *rows[len(rows) - (fits - head) :]]
        rates = [row["rate"] for row in panel["rows"] if row["rate"] is not None]
        low = math.floor(min(rates, default=0) * 10) / 10
        high = min(max(math.ceil(max(rates, default=1) * 10) / 10, low + 0.1), 1)
        return {
            "density": density,
            "rows": rows,
            "left_out": left_out,
            "low": min(low, high - 0.1),
            "high": high,
            "wide": panel["grid"]["w"] >= 5,  # noqa: PLR2004 - columns that hold a word more
        }

    def column(self, panel: Panel, index: int) -> str:
        """Return the class of a list's column: figures, codes, and one that takes the room that is left."""
        left = [n for n, column in enumerate(panel["columns"]) if column["align"] != "right"]
        if index not in left:
            return "num"
        return "name" if index == left[-1] else "code"

    def fact_unit(self, item: Row) -> str:
        """Return the unit of a fact that has a value."""
        return "" if item["value"] is None or not item.get("unit") else self.text(item["unit"])

    def judged(self, item: Row) -> bool:
        """Whether a fact has a state to tell: one that is known but has no target is neither good nor missing."""
        return item["state"] != "none" or item["value"] is None

    def total(self, values: Sequence[int | None]) -> str:
        """Return the sum of what is known."""
        known = [value for value in values if value is not None]
        return self.number(sum(known)) if known else DASH

    def source_age(self, row: Row, document: Mapping[str, Any]) -> str:
        """Return a source's age, which grows while the document is shown."""
        if row["age_s"] is None:
            return DASH
        return self.duration(row["age_s"] + (self.now_us - document["now_us"]) / SECOND_US)

    def since(self, item: Row) -> str:
        """Return for how long something has needed attention."""
        return "" if item.get("since_us") is None else self.duration((self.now_us - item["since_us"]) / SECOND_US)
