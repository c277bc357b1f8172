"""Refused records: ``dead-letters list``, ``show``, ``replay`` and ``drop``."""

from collections import Counter
from collections.abc import Iterator, Sequence
from datetime import datetime
from typing import Annotated, Any, NamedTuple
from zoneinfo import ZoneInfo

import typer
from rich.table import Table

from contract.decode import EventError, Horizon
from nhip.audit import note
from nhip.console import OUT, bar, print_json, say
from nhip.exits import EXIT_BAD_INPUT
from nhip.kafka_access import kafka_access
from nhip.settings import Settings
from nhip.store import open_client
from producers.client import Producer
from producers.mend import Mended, mend, parse_fix, verdict
from sinks.client import Client
from sinks.dead_letters import LetterState, StoredLetter, dead_letters, letter_groups, write_dead_letters
from streams.clock import US_PER_S, wall_clock_us
from streams.rows import DeadLetter

__all__ = ["app"]

EXIT_ABSENT = 1
MAX_SHOWN_BYTES = 4_000
PREVIEWS = 3
"""So many records are shown before and after a mending; all are counted."""
PAGE = 1_000

app = typer.Typer(help="Records that could not be counted: look, mend, send again, drop.", no_args_is_help=True)

Place = Annotated[str, typer.Argument(metavar="TOPIC:PARTITION:OFFSET", help="As `list --records` prints it.")]
Json = Annotated[bool, typer.Option("--json", help="Print a document for programs.")]
Reason = Annotated[str | None, typer.Option(help="Only this reason.")]
Source = Annotated[str | None, typer.Option(help="Only this source; ? where the record does not tell it.")]
Yes = Annotated[bool, typer.Option("--yes", help="Do not ask.")]


@app.command(name="list")
def list_letters(
    context: typer.Context,
    reason: Reason = None,
    source: Source = None,
    records: Annotated[bool, typer.Option("--records", help="Single records instead of groups.")] = False,
    limit: Annotated[int, typer.Option(min=1, max=10_000, help="At most so many records.")] = 50,
    json: Json = False,
) -> None:
    """Group the records that were refused and not dealt with by reason and source; or list them one by one."""
    client = open_client(context.obj, reading=True)
    if records:
        _list_records(dead_letters(client, reason=reason, source=source, limit=limit), as_json=json)
        return
    groups = [g for g in letter_groups(client) if reason in {None, g.reason} and source in {None, g.source}]
    if json:
        print_json([group._asdict() for group in groups])
        return
    table = Table("reason", "source", "records", "newest")
    for group in groups:
        table.add_row(group.reason, group.source, str(group.records), _moment(group.newest_us))
    OUT.print(table if groups else "no dead letters")


@app.command()
def show(context: typer.Context, place: Place, json: Json = False) -> None:
    """Show one refused record whole."""
    stored = _find(open_client(context.obj, reading=True), place)
    letter = stored.letter
    if json:
        print_json(_document(stored, value=True))
        return
    OUT.print(f"{_place(letter)}  {letter.reason}: {letter.error}", markup=False)
    OUT.print(f"source {stored.source}, {_moment(letter.time_us)}, {stored.state}", markup=False, highlight=False)
    OUT.print(_text(letter.value), markup=False, highlight=False)


@app.command(name="replay")
def replay_letters(
    context: typer.Context,
    places: Annotated[
        list[str] | None,
        typer.Argument(metavar="[TOPIC:PARTITION:OFFSET]...", help="As `list --records` prints them."),
    ] = None,
    reason: Reason = None,
    source: Source = None,
    limit: Annotated[int, typer.Option(min=1, max=1_000_000, help="At most so many records.")] = 10_000,
    fix: Annotated[
        list[str] | None,
        typer.Option(metavar="FIELD=VALUE", help="Set a field, e.g. data.unit=H19.01; may be repeated."),
    ] = None,
    jq: Annotated[
        str | None,
        typer.Option("--jq", metavar="PROGRAM", help="Change each event by a jq program, after the fixes."),
    ] = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Show what would be sent, send nothing.")] = False,
    yes: Yes = False,
) -> None:
    """Send refused records again, as they were or mended; what would be refused again is not sent."""
    if not (places or reason or source):
        raise typer.BadParameter("which records? Give places, --reason or --source", param_hint="PLACES")
    settings: Settings = context.obj
    client = open_client(settings)
    found = [_find(client, place) for place in places] if places else list(_matching(client, reason, source, limit))
    letters = [stored.letter for stored in found]
    mended = mend([(d.key, d.value) for d in letters], [parse_fix(text) for text in fix or ()], jq)
    horizon = Horizon(wall_clock_us())
    tried = [_tried(letter, after, horizon) for letter, after in zip(letters, mended, strict=True)]
    _preview(tried)
    good = [one for one in tried if one.refusal is None]
    if dry_run or not good:
        if good:
            say("nothing was sent: --dry-run")
        raise typer.Exit(EXIT_BAD_INPUT if len(good) < len(tried) else 0 if tried else EXIT_ABSENT)
    if not yes:
        typer.confirm(f"Send {len(good)} record(s) again?", abort=True, err=True)
    with bar("sending") as progress, Producer(settings.kafka, access=kafka_access(settings)) as producer:
        for number, one in enumerate(good, 1):
            producer.send_raw(one.letter.topic, one.after.key, one.after.value)
            progress(number, len(good))
    # Noted after all are stored: a record that is sent twice is harmless, one that is noted and lost is not.
    _mark(client, [one.letter for one in good], "sent_again")
    how = ", ".join([*(f"--fix {text.partition('=')[0]}" for text in fix or ()), *(["--jq"] if jq else [])])
    note(settings, "dead letters sent again", ", ".join(places or filter(None, (reason, source))), how)
    say(
        f"{len(good)} sent again" + (f", {len(tried) - len(good)} left as they are" if len(good) < len(tried) else "")
    )
    if len(good) < len(tried):
        raise typer.Exit(EXIT_BAD_INPUT)


@app.command()
def drop(
    context: typer.Context,
    reason: Annotated[str, typer.Option(help="The reason whose records are given up.")],
    source: Source = None,
    yes: Yes = False,
) -> None:
    """Give up all records of a reason: they stay in the store, marked as dropped, and are no longer listed."""
    client = open_client(context.obj)
    groups = [g for g in letter_groups(client) if g.reason == reason and source in {None, g.source}]
    if not groups:
        say(f"no dead letters with the reason {reason}; `nhip dead-letters list` shows the reasons")
        raise typer.Exit(EXIT_ABSENT)
    for group in groups:
        say(f"{group.records} × {group.reason} from {group.source}, newest {_moment(group.newest_us)}")
    total = sum(group.records for group in groups)
    if not yes:
        typer.confirm(f"Drop {total} record(s)?", abort=True, err=True)
    _mark(client, [stored.letter for stored in _matching(client, reason, source, total)], "dropped")
    note(context.obj, "dead letters dropped", reason, f"{total} from {source or 'any source'}")
    say(f"{total} dropped")


class _Tried(NamedTuple):
    """A record with what would be sent, and why each would be refused now."""

    letter: DeadLetter
    after: Mended
    before: EventError | None
    refusal: str | None


def _tried(letter: DeadLetter, after: Mended, horizon: Horizon) -> _Tried:
    before = verdict(letter.topic, letter.key, letter.value, horizon)
    refused = verdict(letter.topic, after.key, after.value, horizon)
    why = after.error or (f"{refused.reason}: {refused}" if refused else None)
    return _Tried(letter, after, before, why)


def _preview(tried: Sequence[_Tried]) -> None:
    for one in tried[:PREVIEWS]:
        before, after = one.letter, one.after
        was = "valid now" if one.before is None else f"refused, {one.before.reason}: {one.before}"
        say(f"{_place(before)}\n  before ({was})\n    {_text(before.value)}")
        if (after.key, after.value) != (before.key, before.value):
            say(f"  after, key {_text(after.key or b'')}\n    {_text(after.value)}")
        say(f"  → {'will be taken' if one.refusal is None else f'would be refused, {one.refusal}'}")
    counts = Counter("will be taken" if one.refusal is None else one.refusal.partition(":")[0] for one in tried)
    say(f"{len(tried)} record(s): " + (", ".join(f"{n} {what}" for what, n in counts.most_common()) or "none match"))


def _matching(client: Client, reason: str | None, source: str | None, limit: int) -> Iterator[StoredLetter]:
    """Page through what waits, in order of place."""
    after = ("", 0, -1)
    while limit > 0:
        page = dead_letters(client, after=after, limit=min(PAGE, limit), reason=reason, source=source)
        yield from page
        if len(page) < min(PAGE, limit):
            return
        limit -= len(page)
        last = page[-1].letter
        after = (last.topic, last.partition, last.offset)


def _mark(client: Client, letters: Sequence[DeadLetter], state: LetterState) -> None:
    for start in range(0, len(letters), PAGE):
        write_dead_letters(client, letters[start : start + PAGE], state)


def _list_records(stored: Sequence[StoredLetter], *, as_json: bool) -> None:
    if as_json:
        print_json([_document(one, value=False) for one in stored])
        return
    table = Table("place", "reason", "source", "what is wrong")
    for one in stored:
        table.add_row(_place(one.letter), one.letter.reason, one.source, one.letter.error)
    OUT.print(table if stored else "no dead letters")


def _find(client: Client, place: str) -> StoredLetter:
    topic, _, rest = place.partition(":")
    partition, _, offset = rest.partition(":")
    if not (partition.isdigit() and offset.isdigit()):
        raise typer.BadParameter(f"{place!r} is not TOPIC:PARTITION:OFFSET")
    before = (topic, int(partition), int(offset) - 1)
    for found in dead_letters(client, after=before, limit=1, state=None):
        if _place(found.letter) == place:
            return found
    say(f"no dead letter at {place}; `nhip dead-letters list --records` shows them")
    raise typer.Exit(EXIT_ABSENT)


def _place(letter: DeadLetter) -> str:
    return f"{letter.topic}:{letter.partition}:{letter.offset}"


def _moment(time_us: int) -> str:
    return f"{datetime.fromtimestamp(time_us / US_PER_S, ZoneInfo('Asia/Ho_Chi_Minh')):%Y-%m-%d %H:%M}"


def _text(value: bytes) -> str:
    return value[:MAX_SHOWN_BYTES].decode("utf-8", "backslashreplace")


def _document(stored: StoredLetter, *, value: bool) -> dict[str, Any]:
    letter = stored.letter
    document: dict[str, Any] = {
        "place": _place(letter),
        "reason": letter.reason,
        "source": stored.source,
        "error": letter.error,
        "time_us": letter.time_us,
        "state": stored.state,
    }
    return {**document, "value": _text(letter.value)} if value else document
