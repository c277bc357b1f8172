"""What a rule watches and compares with: indicator, window, scope and threshold of one table, checked together."""

from collections.abc import Callable
from typing import Final, NamedTuple

from contract.registry import INDICATORS
from contract.units import UnitTree
from contract.windows import windows_of
from streams import rule_values as values
from streams.gauges import GAUGES
from streams.rule_table import Table
from streams.scopes import FORMS, names_something

__all__ = ["Limit", "check_scope", "limit_of"]

THRESHOLDS: Final = ("below", "above", "worse_by")
_OF_INDICATORS: Final = ("unit", "level", "field")


class Limit(NamedTuple):
    """What is compared with what."""

    indicator: str
    window: str
    below: float | None
    above: float | None
    worse_by: float | None
    recover: float


def check_scope(table: Table, tree: UnitTree) -> str | None:
    """Return the scope pattern; None when it is unknown, which is noted. Of the indicator :func:`limit_of` tells."""

    def read(raw: object) -> str:
        form, _, name = raw.partition(":") if isinstance(raw, str) else ("", "", "")
        if form not in FORMS or not name:
            raise ValueError(f"{raw!r} is unknown: write one of {', '.join(f'{known}:…' for known in FORMS)}")
        if not names_something(str(raw), tree):
            listed = "a kind" if form == "level" else "a code"
            where = (
                f"write {listed} of config/units.csv, or unit:*" if form in ("unit", "level") else "write system:*"
            )
            raise ValueError(f"{raw!r} fits nothing: {where}")
        return str(raw)

    scope = table.need("scope", read)
    indicator = table.take("indicator", _known, None)
    if scope is None or indicator is None:
        return scope
    form = scope.partition(":")[0]
    allowed = (GAUGES[indicator].scope,) if indicator in GAUGES else _OF_INDICATORS
    if form not in allowed:
        table.fault(
            "scope", f"{indicator} is not counted for {scope!r}: write {' or '.join(f'{f}:…' for f in allowed)}"
        )
    return scope


def limit_of(table: Table) -> Limit | None:
    """Return indicator, window and threshold; None when one of them is wrong, which is noted."""
    indicator = table.need("indicator", _watched)
    if indicator is None:
        return None
    gauge = GAUGES.get(indicator)
    windows = (gauge.window,) if gauge else windows_of(INDICATORS[indicator].reading)
    # Where there is only one window, it need not be written.
    read = values.one_of(windows)
    window = table.take("window", read, windows[0]) if len(windows) == 1 else table.need("window", read)
    given = [key for key in THRESHOLDS if key in table]
    if len(given) != 1:
        what = f"{' and '.join(given)} are given together" if given else "there is no threshold"
        table.fault(given[1] if given else "", f"{what}: write exactly one of {', '.join(THRESHOLDS)}")
        return None
    key = given[0]
    if gauge is not None and key != "above":
        table.fault(key, f"of {indicator} more is always worse: write above")
        return None
    if gauge is None and key in ("below", "above") and INDICATORS[indicator].higher_is_better != (key == "below"):
        better, right = ("higher", "below") if key == "above" else ("lower", "above")
        table.fault(key, f"of {indicator} {better} is better: write {right}")
        return None
    threshold = table.need(key, _range(key, share=gauge is None))
    if threshold is None or window is None:
        return None
    recover = table.take("recover", _recover(key, threshold, share=gauge is None), threshold)
    found = {known: threshold if known == key else None for known in THRESHOLDS}
    return Limit(indicator, window, found["below"], found["above"], found["worse_by"], recover)


def _watched(raw: object) -> str:
    if (found := _known(raw)) is None:
        raise ValueError(f"{raw!r} is unknown: write one of {', '.join((*INDICATORS, *GAUGES))}")
    return found


def _known(raw: object) -> str | None:
    return raw if isinstance(raw, str) and (raw in INDICATORS or raw in GAUGES) else None


def _range(key: str, *, share: bool) -> Callable[[object], float]:
    """Thresholds beyond which no figure can lie are refused: such a rule never fires."""

    def read(raw: object) -> float:
        found = values.number(raw)
        if not share:
            if found < 0:
                raise ValueError(f"{raw!r} is below 0: write 0 or more")
            return found
        if key == "above" and not 0 <= found < 1:
            raise ValueError(f"{raw!r} is no share that can be exceeded: write 0 or more, below 1{_percent(found)}")
        if key != "above" and not 0 < found <= 1:
            raise ValueError(f"{raw!r} is no such share: write more than 0, at most 1{_percent(found)}")
        return found

    return read


def _recover(key: str, threshold: float, *, share: bool) -> Callable[[object], float]:
    """Accept the threshold and what lies on its good side."""

    def read(raw: object) -> float:
        found = values.number(raw)
        if key == "below" and not threshold <= found <= 1:
            raise ValueError(f"{raw!r} is on the wrong side: write {threshold:g} to 1{_percent(found)}")
        if key != "below" and not 0 <= found <= threshold:
            raise ValueError(
                f"{raw!r} is on the wrong side: write 0 to {threshold:g}{_percent(found) if share else ''}"
            )
        return found

    return read


def _percent(found: float) -> str:
    return f" ({found / 100:g} for {found:g} %)" if 1 < found <= 100 else ""  # noqa: PLR2004
