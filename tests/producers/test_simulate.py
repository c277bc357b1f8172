"""The made-up province: it behaves as published, it is reproducible, and each incident does what it says."""

import random
import re
from collections import Counter
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from functools import cache
from itertools import islice, pairwise
from typing import Any

import msgspec
import pytest

from contract.days import DAY_S, HOUR_S, day_start, local_date
from contract.decode import Horizon, checked
from contract.dossier import CODE_FORM
from contract.kind import Event
from contract.units import UnitTree
from nhip.settings import load_calendar
from producers.simulate.incidents import INCIDENTS, IncidentError, delayed, parse_incident
from producers.simulate.office import OFFICE_DAY_S, Office
from producers.simulate.pace import play
from producers.simulate.plan import Plan
from producers.simulate.province import LATE_SHARES, ONLINE_SHARES, make_province, units_csv
from producers.simulate.stream import Simulation
from producers.simulate.truth import Truth

CALENDAR = load_calendar()
START_S = day_start(date(2026, 10, 5))
DAYS = 28
SMALL = Plan(dossiers_per_day=120, fees_per_year=4_000, land_per_year=9_000, documents_per_workday=30)
"""A fourteenth of the load, for tests of everything but the load."""


def told(plan: Plan, days: float, start_s: int = START_S) -> Iterator[tuple[int, Any]]:
    """Moments and events of some days."""
    for moment_s, event in Simulation(plan, CALENDAR, start_s).events():
        if moment_s >= start_s + days * DAY_S:
            return
        yield moment_s, event


@cache
def month() -> list[Any]:
    """Four weeks at full load."""
    return [event for _, event in told(Plan(), DAYS)]


@cache
def week() -> list[tuple[int, Any]]:
    """A quiet week."""
    return list(told(SMALL, 7))


def newest(events: list[Any]) -> dict[str, Any]:
    """The last snapshot of each entity."""
    return {event.subject: event for event in events}


def of(kind: str, events: list[Any]) -> list[Any]:
    """Events of one kind."""
    return [e for e in events if type(e).__name__ == f"{kind.capitalize()}Event"]


class TestCalibration:
    """Published figures, with room for chance."""

    def test_dossiers_a_day(self) -> None:
        """About 1,600 a day, the mean over all days; holidays and weekends have none at the counter."""
        received = Counter(
            e.data.received_at.date() for e in newest(of("dossier", month())).values() if e.data.received_at
        )
        inside = {day: n for day, n in received.items() if date(2026, 10, 5) <= day < date(2026, 11, 2)}

        assert 1_450 < sum(inside.values()) / DAYS < 1_750
        assert all(CALENDAR.is_workday(day) for day in inside)
        assert inside[date(2026, 10, 5)] > inside[date(2026, 10, 9)]

    def test_handling_takes_as_long_as_published(self) -> None:
        """3.84 days in the mean, within 8 %."""
        done = [e for e in of("dossier", month()) if e.data.status == "completed"]
        taken = [(e.data.finished_at - e.data.received_at).total_seconds() / DAY_S for e in done]

        assert len(taken) > 30_000
        assert sum(taken) / len(taken) == pytest.approx(3.84, rel=0.08)

    def test_shares_of_units(self) -> None:
        """Online 39 to 60 % and late 0.5 to 3.78 % by unit; a unit's own share is met within five sigmas."""
        done = [e for e in newest(of("dossier", month())).values() if e.data.finished_at]
        units = make_province(1)
        by_unit: dict[str, list[Any]] = {unit.code: [] for unit in units}
        for event in done:
            by_unit[event.data.unit].append(event)

        for unit in units:
            n = len(by_unit[unit.code])
            assert ONLINE_SHARES[0] <= unit.online <= ONLINE_SHARES[1]
            assert LATE_SHARES[0] <= unit.late <= LATE_SHARES[1]
            online = sum(e.data.channel == "online" for e in by_unit[unit.code])
            late = sum(e.data.finished_at > e.data.due_at for e in by_unit[unit.code])
            assert abs(online - unit.online * n) < 5 * (n * 0.25) ** 0.5 + 1
            assert abs(late - unit.late * n) < 5 * (n * unit.late) ** 0.5 + 3
        assert 0.39 < sum(e.data.channel == "online" for e in done) / len(done) < 0.60
        assert 0.005 < sum(e.data.finished_at > e.data.due_at for e in done) / len(done) < 0.0378

    def test_payments_meetings_and_documents(self) -> None:
        """Fees and land obligations are those of a year, meetings and documents those chosen."""
        kinds = Counter(e.data.kind for e in newest(of("payment", month())).values())
        per_year = 365.25 / DAYS

        assert kinds["fee"] * per_year == pytest.approx(22_800, rel=0.15)
        assert kinds["land_obligation"] * per_year == pytest.approx(76_000, rel=0.1)
        assert len(newest(of("meeting", month()))) == pytest.approx(60 * 20, rel=0.15)
        assert len(newest(of("document", month()))) == pytest.approx(400 * 20, rel=0.1)

    def test_offices_have_hours(self) -> None:
        """What people in offices do happens in office hours; filing online goes on at night and at weekends."""
        nights = Counter(
            e.data.status
            for e in of("dossier", month())
            if not (7.5 <= e.time.hour + e.time.minute / 60 <= 17.1) or not CALENDAR.is_workday(e.time.date())
        )

        assert set(nights) == {"registered"}
        assert nights["registered"] > 3_000

    def test_units(self) -> None:
        """14 departments and 102 communes roll up to the province; they are those of the events."""
        tree = UnitTree.from_csv(units_csv(), "units")

        assert len(tree.by_kind("department")) == 14
        assert len(tree.by_kind("commune")) == 102
        assert {u.code for u in make_province(1)} == {*tree.by_kind("department"), *tree.by_kind("commune")}
        assert {e.data.unit for _, e in week()} <= {u.code for u in make_province(1)}
        assert tree.ancestors("sim.commune-007", date(2026, 11, 22)) == ("sim",)
        assert sum(u.weight for u in make_province(1)) == pytest.approx(1)


class TestStream:
    """Order, versions, reproducibility."""

    def test_same_seed_same_bytes(self) -> None:
        """Another run gives the same bytes, another seed does not."""
        encode = msgspec.json.encode

        again = [encode(event) for _, event in told(SMALL, 2)]
        other = [encode(event) for _, event in told(msgspec.structs.replace(SMALL, seed=2), 2)]

        assert again == [encode(event) for moment, event in week() if moment < START_S + 2 * DAY_S]
        assert not {*again} & {*other}

    def test_a_later_start_tells_the_same_story(self) -> None:
        """A run that starts in the middle of a week continues the dossiers that are open then."""
        later_s = START_S + 2 * DAY_S + 9 * HOUR_S

        rv = list(told(SMALL, 3, later_s))

        assert rv == [found for found in told(SMALL, 6) if later_s <= found[0] < later_s + 3 * DAY_S]

    def test_every_event_is_valid_and_in_order(self) -> None:
        """The stream takes all of them; moments never go back, versions of an entity grow."""
        horizon = Horizon((START_S + 7 * DAY_S) * 1_000_000)
        versions: dict[str, int] = {}

        for _, event in week():
            checked(event, horizon)
            assert event.version > versions.get(event.subject, 0)
            versions[event.subject] = event.version
        assert all(a <= b for (a, _), (b, _) in pairwise(week()))

    def test_every_code_has_the_national_form(self) -> None:
        """Codes of dossiers are none that a real agency has, yet of the known form."""
        codes = newest(of("dossier", [event for _, event in week()]))

        assert all(re.fullmatch(CODE_FORM, code) for code in codes)


class TestIncidents:
    """What goes wrong on demand."""

    WHOM = "sim.dept-14"

    def with_incident(self, text: str, days: float = 7) -> list[tuple[int, Any]]:
        """A quiet week with an incident."""
        return list(told(msgspec.structs.replace(SMALL, incidents=(parse_incident(text),)), days))

    def test_behind(self) -> None:
        """The unit finishes nothing in the time, later finishes late; every other unit is as it was."""
        rv = self.with_incident(f"behind:{self.WHOM}@1d/2d")

        def finished(found: list[tuple[int, Any]], low: float, high: float) -> int:
            return sum(
                e.data.unit == self.WHOM and e.data.status == "completed" and low <= (m - START_S) / DAY_S < high
                for m, e in found
                if hasattr(e.data, "finished_at")
            )

        others = [found for found in rv if found[1].data.unit != self.WHOM]
        assert finished(week(), 1, 3) > 0 == finished(rv, 1, 3)
        assert finished(rv, 3, 5) > finished(week(), 3, 5)
        assert others == [found for found in week() if found[1].data.unit != self.WHOM]

    def test_source_silent(self) -> None:
        """Nothing of the source comes in its time, everything before and after it does."""
        rv = self.with_incident("source-silent:sim/treasury@2d/1d")

        kept = {e.id for _, e in rv}
        lost = [found for found in week() if found[1].id not in kept]
        assert lost
        assert all(e.source == "sim/treasury" and 2 <= (m - START_S) / DAY_S < 3 for m, e in lost)

    def test_duplicate_storm(self) -> None:
        """Everything comes several times; the figures do not move."""
        rv = self.with_incident("duplicate-storm@1d/1d*3")
        now_s = START_S + 7 * DAY_S

        inside = sum(1 <= (m - START_S) / DAY_S < 2 for m, _ in week())
        assert len(rv) == len(week()) + 2 * inside
        assert truth(rv).rates(now_s) == truth(week()).rates(now_s)

    def test_clock_skew(self) -> None:
        """Time and version are ahead by the skew, and so is what happened just then; what is older is not."""
        rv = self.with_incident("clock-skew@0s/7d*1800")

        for (_, plain), (_, skewed) in zip(week(), rv, strict=True):
            assert skewed.time - plain.time == timedelta(seconds=1800)
            assert skewed.version - plain.version == 1_800_000_000
            if hasattr(plain.data, "received_at") and plain.data.status == "completed":
                assert skewed.data.received_at == plain.data.received_at
                assert skewed.data.finished_at - plain.data.finished_at == timedelta(seconds=1800)

    def test_wrong_version(self) -> None:
        """Snapshots with versions in milliseconds lose against those before, so the figures stand still."""
        rv = self.with_incident(f"wrong-version:{self.WHOM}@3d/4d")
        before = [found for found in week() if found[0] < START_S + 3 * DAY_S]
        now_s = START_S + 3 * DAY_S

        wrong = truth(rv).rates(now_s, self.WHOM)["on_time"]
        right = truth(week()).rates(now_s, self.WHOM)["on_time"]

        assert wrong[1] < right[1]
        assert truth(before).rates(now_s, self.WHOM)["on_time"][1] <= wrong[1]
        assert any(e.version < 10**13 for _, e in rv)

    @pytest.mark.parametrize(
        "text",
        [
            "",
            "behind",
            "behind@2",
            "fire@2h",
            "behind@2h*3",
            "clock-skew@1h*90000",
            "duplicate-storm@1h*0",
            "behind:@1h",
        ],
    )
    def test_a_slip_is_explained(self, text: str) -> None:
        """What is not an incident says what one looks like."""
        with pytest.raises(IncidentError, match=r"behind|strength|known"):
            parse_incident(text)

    def test_every_incident_can_be_written(self) -> None:
        """Names, defaults and units of time are read."""
        for name in INCIDENTS:
            rv = parse_incident(f"{name}:sim.commune-007@2h/30m")
            assert (rv.name, rv.whom, rv.start_s, rv.duration_s) == (name, "sim.commune-007", 7_200, 1_800)

    def test_delays_keep_the_order(self) -> None:
        """Whoever is behind never turns two moments around, and has caught up in the end."""
        behind = (parse_incident("behind@100s/50s"),)

        rv = [delayed(moment, "x", behind) for moment in range(300)]

        assert all(a <= b for a, b in pairwise(rv))
        assert (rv[99], rv[100], rv[199], rv[200]) == (99, 150, 199, 200)


class TestOffice:
    """Office time."""

    def test_after_and_due(self) -> None:
        """Nights, lunch, weekends and holidays do not count."""
        office = Office(CALENDAR)
        friday = day_start(date(2026, 10, 9))

        assert office.after(friday + 11 * HOUR_S, HOUR_S) == friday + 14 * HOUR_S
        assert office.after(friday + 16 * HOUR_S, 2 * HOUR_S) == friday + 3 * DAY_S + 8.5 * HOUR_S
        assert office.after(friday + 2 * HOUR_S, 0) == friday + 7.5 * HOUR_S
        assert office.after(friday + DAY_S, OFFICE_DAY_S / 2) == friday + 3 * DAY_S + 11.25 * HOUR_S
        assert office.due(friday + 9 * HOUR_S, 1) == friday + 3 * DAY_S + 17 * HOUR_S
        assert local_date(office.due(day_start(date(2026, 9, 1)), 1)) > date(2026, 9, 2)

    def test_time_adds_up(self) -> None:
        """Two pieces of office time after each other are their sum, to the rounding of a second each."""
        office, chance = Office(CALENDAR), random.Random(4)
        for _ in range(500):
            start = START_S + chance.randrange(60 * DAY_S)
            a, b = chance.randrange(3 * OFFICE_DAY_S), chance.randrange(3 * OFFICE_DAY_S)

            both, apart = office.after(start, a + b), office.after(office.after(start, a), b)

            assert abs(both - apart) <= 2 or {both, apart} & {
                office.closes(office.index(local_date(min(both, apart))))
            }


class TestPlay:
    """Sending."""

    class Target:
        """A list with a clock."""

        def __init__(self) -> None:
            self.events: list[Event] = []
            self.now_s = 0.0
            self.sent_s: list[float] = []

        def send(self, event: Event, /) -> None:
            self.events.append(event)
            self.sent_s.append(self.now_s)

        def flush(self) -> None:
            pass

        def sleep(self, seconds: float) -> None:
            self.now_s += seconds

    def test_full_speed_ends_where_it_should(self) -> None:
        """Everything before the end is sent and counted, nothing after it."""
        target, truth_ = self.Target(), Truth()

        self.play(target, truth_)

        assert target.events == [e for m, e in week() if m < START_S + DAY_S]
        assert sum(truth_.sent.values()) == len(target.events)
        assert target.now_s == 0

    def test_pace_and_rate(self) -> None:
        """With a speed events come when they happen, with a rate at most so many a second."""
        paced, limited = self.Target(), self.Target()

        self.play(paced, Truth(), speed=3_600.0)
        self.play(limited, Truth(), rate_per_s=100.0)

        for event, at_s in zip(paced.events, paced.sent_s, strict=True):
            assert at_s == pytest.approx((event.time.timestamp() - START_S) / 3_600, abs=0.001)
        assert limited.now_s == pytest.approx((len(limited.events) - 1) / 100, abs=0.001)

    @staticmethod
    def play(target: "TestPlay.Target", truth_: Truth, **how: float) -> None:
        """Play one day."""
        play(
            iter(week()),
            target,
            truth_,
            start_s=START_S,
            until_s=START_S + DAY_S,
            clock=lambda: target.now_s,
            sleep=target.sleep,
            **how,  # type: ignore[arg-type]
        )


def truth(found: list[tuple[int, Any]]) -> Truth:
    """The truth of what was told."""
    counted = Truth()
    for _, event in found:
        counted.add(event)
    return counted


def test_truth_of_nothing() -> None:
    """Nothing sent: no rate, never zero."""
    rv = Truth().document(int(datetime(2026, 11, 22, tzinfo=UTC).timestamp()))

    assert rv["sent"] == {}
    assert {r["rate"] for r in rv["rates"].values()} == {None}
    assert list(islice(iter(rv["rates"]), 1)) == ["online"]
