"""``simulate``: a made-up province, live or as history, with incidents on demand."""

import signal
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Annotated
from zoneinfo import ZoneInfo

import typer
from rich.table import Table

from contract.days import DAY_S, MINUTE_S, local_day_start
from contract.registry import INDICATORS
from nhip.console import OUT, bar, print_json, say
from nhip.kafka_access import kafka_access
from nhip.settings import Settings, load_calendar
from producers.client import Producer
from producers.convert import localise
from producers.simulate.incidents import INCIDENTS, IncidentError, parse_incident
from producers.simulate.pace import play
from producers.simulate.plan import Plan
from producers.simulate.province import PROVINCE, units_csv
from producers.simulate.stream import Simulation
from producers.simulate.truth import Truth

__all__ = ["register"]

FOREVER = timedelta(days=3_650)

_DEFAULT = Plan()


def register(app: typer.Typer) -> None:
    """Add the commands of this file."""
    app.command()(simulate)


def simulate(
    context: typer.Context,
    days: Annotated[
        int | None,
        typer.Option(min=1, max=400, help="Send the history of so many days, then end; else live from now."),
    ] = None,
    until: Annotated[str, typer.Option(help="Where the history ends: now, or a date and time (ISO 8601).")] = "now",
    speed: Annotated[
        float | None, typer.Option(min=0.001, help="Pace of the history: 3600 is an hour a second; else fastest.")
    ] = None,
    rate: Annotated[float | None, typer.Option(min=0.1, help="At most so many events a second of history.")] = None,
    seconds: Annotated[float | None, typer.Option(min=1, help="End the live part after so many seconds.")] = None,
    seed: Annotated[int, typer.Option(min=0, max=99_999_999, help="Another seed is another province.")] = 1,
    incident: Annotated[
        list[str] | None,
        typer.Option(
            help=r"NAME\[:UNIT or SOURCE]@START\[/DURATION]\[*STRENGTH], e.g. behind:sim.commune-007@2h/3d."
        ),
    ] = None,
    dossiers: Annotated[
        float, typer.Option(min=0, help="Dossiers a day, the mean of a year.")
    ] = _DEFAULT.dossiers_per_day,
    fees: Annotated[float, typer.Option(min=0, help="Fees a year.")] = _DEFAULT.fees_per_year,
    land: Annotated[float, typer.Option(min=0, help="Land obligations a year.")] = _DEFAULT.land_per_year,
    meetings: Annotated[
        float, typer.Option(min=0, help="Meetings a working day; no figure is published, this one is chosen.")
    ] = _DEFAULT.meetings_per_workday,
    documents: Annotated[
        float, typer.Option(min=0, help="Documents a working day; no figure is published, this one is chosen.")
    ] = _DEFAULT.documents_per_workday,
    write_units: Annotated[
        Path | None, typer.Option(help="Write the province's table of units to this file and end.")
    ] = None,
    json: Annotated[bool, typer.Option("--json", help="Print what was sent, and the rates it must give.")] = False,
) -> None:
    """Send a made-up province: offices, weeks, holidays, and incidents on demand. Ctrl-C ends it in order."""
    if write_units is not None:
        write_units.write_text(units_csv(), "utf-8")
        say(f"written: {write_units}; start workers and wall with --set units_file={write_units} --set province=sim")
        return
    if days is None and (until != "now" or speed is not None or rate is not None):
        raise typer.BadParameter("--until, --speed and --rate are of a history: give --days", param_hint="--days")
    try:
        incidents = tuple(map(parse_incident, incident or ()))
    except IncidentError as error:
        known = "; ".join(f"{name}: {what}" for name, what in INCIDENTS.items())
        raise typer.BadParameter(f"{error}. {known}", param_hint="--incident") from None
    plan = Plan(
        seed=seed,
        dossiers_per_day=dossiers,
        fees_per_year=fees,
        land_per_year=land,
        meetings_per_workday=meetings,
        documents_per_workday=documents,
        incidents=incidents,
    )
    now, pace = datetime.now(UTC), speed
    if days is None:
        start, end, pace = now, now + (timedelta(seconds=seconds) if seconds else FOREVER), 1.0
    else:
        end = now if until == "now" else _moment(until)
        # A whole day to begin with, so that the same end gives the same bytes at any hour of its day.
        start = datetime.fromtimestamp(local_day_start(int(end.timestamp())) - (days - 1) * DAY_S, UTC)
    truth = _send(context.obj, plan, int(start.timestamp()), end.timestamp(), pace, rate)
    reached_s = int(min(end.timestamp(), time.time()))
    if json:
        print_json({"seed": seed, "start": start.isoformat(), "end": end.isoformat(), **truth.document(reached_s)})
    else:
        _show(truth, reached_s)


def _moment(text: str) -> datetime:
    try:
        found = datetime.fromisoformat(text)
    except ValueError:
        raise typer.BadParameter(
            f"{text!r} is neither now nor a time like 2026-11-22T17:00", param_hint="--until"
        ) from None
    return found if found.tzinfo else localise(found, ZoneInfo("Asia/Ho_Chi_Minh"))


def _send(
    settings: Settings, plan: Plan, start_s: int, end_s: float, speed: float | None, rate: float | None
) -> Truth:
    simulation, truth = Simulation(plan, load_calendar(), start_s), Truth()
    say(f"simulating {len(simulation.units)} units under {PROVINCE}, seed {plan.seed}. Ctrl-C ends it in order")
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, signal.default_int_handler)
    with bar("simulated minutes") as show, Producer(settings.kafka, access=kafka_access(settings)) as producer:
        try:
            play(
                simulation.events(),
                producer,
                truth,
                start_s=start_s,
                until_s=end_s,
                clock=time.monotonic,
                sleep=time.sleep,
                speed=speed,
                rate_per_s=rate,
                on_progress=lambda at_s: show((at_s - start_s) // MINUTE_S, int(end_s - start_s) // MINUTE_S),
            )
        except KeyboardInterrupt:
            say("stopped; what was sent is being stored")
    return truth


def _show(truth: Truth, now_s: int) -> None:
    OUT.print(
        ", ".join(f"{n} {kind} events" for kind, n in truth.sent.items()) or "nothing happened: no office hours"
    )
    table = Table("what the figures must be", "rate", "of", title=f"unit:{PROVINCE} · all", title_justify="left")
    for key, (good, n) in truth.rates(now_s).items():
        table.add_row(INDICATORS[key].name_en, f"{good / n:.1%}" if n else "–", f"{good}/{n}")
    OUT.print(table)
