"""Targets: what a rate means, and faults of the file named with file and key."""

import msgspec
import pytest

from contract.days import DAY_S, HOUR_S, MINUTE_S
from contract.registry import INDICATORS
from dashboards.targets import TargetsError, parse_targets
from dashboards.view import View
from tests.support.screens import NOW_US, data, place, targets

WHOLE = "\n".join(
    [
        "minimum_n = 20",
        *(f'[indicators.{key}]\nvalue = 0.5\nwatch = 0.5\nsource = "test"' for key in INDICATORS),
    ]
)


@pytest.mark.parametrize(
    ("indicator", "numerator", "denominator", "state"),
    [
        ("on_time", 95, 100, "ok"),
        ("on_time", 94, 100, "watch"),
        ("on_time", 90, 100, "watch"),
        ("on_time", 89, 100, "bad"),
        ("on_time", 19, 19, "none"),
        ("on_time", 0, 0, "none"),
        ("overdue", 5, 1000, "ok"),
        ("overdue", 6, 1000, "watch"),
        ("overdue", 378, 10_000, "watch"),
        ("overdue", 379, 10_000, "bad"),
        ("overdue", 0, 20, "ok"),
        ("paperless_meeting", 4, 5, "ok"),
    ],
)
def test_state_follows_target_watch_and_minimum(indicator: str, numerator: int, denominator: int, state: str) -> None:
    """The shipped thresholds judge both directions, their borders included."""
    assert targets().state(indicator, numerator, denominator) == state


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("value = 0.5", "value = 95", r"t\.toml: .*<= 1.*indicators"),
        ('source = "test"', 'sauce = "test"', r"t\.toml: .*indicators"),
        ("[indicators.online]", "[indicators.offline]", r"t\.toml: indicators\.offline is unknown; known: online"),
        ("minimum_n = 20", "sources = []", r"t\.toml: .*unknown field `sources`"),
        ("minimum_n = 20", "minimum_n = ", r"t\.toml: .*correct this key"),
        (
            "[indicators.on_time]\nvalue = 0.5\nwatch = 0.5",
            "[indicators.on_time]\nvalue = 0.5\nwatch = 0.6",
            r"t\.toml: indicators\.on_time\.watch must be at or below value",
        ),
    ],
)
def test_faults_name_file_and_key(old: str, new: str, message: str) -> None:
    """Whatever is wrong, the sentence says where."""
    text = WHOLE.replace(old, new, 1)

    with pytest.raises(TargetsError, match=message):
        parse_targets(text, "t.toml", targets().sources)


def test_a_missing_indicator_has_the_declared_target() -> None:
    """The file overrides what an indicator declares, and needs to name none."""
    text = WHOLE.replace('[indicators.due_soon]\nvalue = 0.5\nwatch = 0.5\nsource = "test"', "")

    some = parse_targets(text, "t.toml", targets().sources)
    none = parse_targets("minimum_n = 7", "t.toml", targets().sources)

    assert (some.of("due_soon").value, some.of("overdue").value) == (0.05, 0.5)
    assert (none.of("on_time").minimum_n, none.of("paperless_meeting").minimum_n) == (7, 5)
    assert list(none.indicators) == list(INDICATORS)


def test_the_shipped_file_says_what_the_indicators_declare() -> None:
    """Two places with one figure must not drift apart."""
    declared = parse_targets("", "t.toml", targets().sources)

    assert targets().indicators == declared.indicators


def test_nights_are_no_silence_of_a_source_that_keeps_office_hours() -> None:
    """Last heard on Friday at 16:50: ten minutes of office hours until Sunday, and nearly two days for others."""
    friday_us = NOW_US - (2 * DAY_S - 2 * HOUR_S - 30 * MINUTE_S) * 1_000_000
    (everybody,) = targets().sources.paces
    office = msgspec.structs.replace(everybody, pattern="office*", hours="working")
    sources = msgspec.structs.replace(targets().sources, paces=(office, everybody))
    view = View(data(), place(), msgspec.structs.replace(targets(), sources=sources), NOW_US)

    assert [view.source_state(source, friday_us) for source in ("office/1", "bank")] == ["ok", "bad"]
