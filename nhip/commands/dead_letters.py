"""Refused records: ``dead-letters list``, ``show`` and ``replay``."""

from typing import Annotated

import typer
from rich.table import Table

from nhip.console import OUT, print_json, say
from nhip.settings import Settings
from nhip.store import open_client
from producers.client import Producer
from sinks.dead_letters import dead_letters, write_dead_letters
from streams.rows import DeadLetter

__all__ = ["app"]

EXIT_ABSENT = 1
MAX_SHOWN_BYTES = 4_000

app = typer.Typer(help="Records that could not be counted: look, mend the source, send again.", no_args_is_help=True)

Place = Annotated[str, typer.Argument(metavar="TOPIC:PARTITION:OFFSET", help="As `list` prints it.")]
Json = Annotated[bool, typer.Option("--json", help="Print a document for programs.")]


@app.command(name="list")
def list_letters(
    context: typer.Context,
    reason: Annotated[str | None, typer.Option(help="Only this reason.")] = None,
    limit: Annotated[int, typer.Option(min=1, max=10_000, help="At most so many.")] = 50,
    json: Json = False,
) -> None:
    """List the records that were refused and not sent again, with reason and place."""
    stored = dead_letters(open_client(context.obj), reason=reason, limit=limit)
    letters = [found.letter for found in stored]
    if json:
        print_json([_document(letter, value=False) for letter in letters])
        return
    table = Table("place", "reason", "what is wrong")
    for letter in letters:
        table.add_row(_place(letter), letter.reason, letter.error)
    OUT.print(table if letters else "no dead letters")


@app.command()
def show(context: typer.Context, place: Place, json: Json = False) -> None:
    """Show one refused record whole."""
    letter = _find(context.obj, place)
    if json:
        print_json(_document(letter, value=True))
        return
    OUT.print(f"{_place(letter)}  {letter.reason}: {letter.error}", markup=False)
    OUT.print(_text(letter.value), markup=False, highlight=False)


@app.command(name="replay")
def replay_letter(context: typer.Context, place: Place) -> None:
    """Send one refused record again, as it was; for records that were refused by a fault since mended."""
    settings: Settings = context.obj
    letter = _find(settings, place)
    with Producer(settings.kafka) as producer:
        producer.send_raw(letter.topic, letter.key, letter.value)
    write_dead_letters(open_client(settings), [letter], "sent_again")
    say(f"{_place(letter)} sent again")


def _find(settings: Settings, place: str) -> DeadLetter:
    topic, _, rest = place.partition(":")
    partition, _, offset = rest.partition(":")
    if not (partition.isdigit() and offset.isdigit()):
        raise typer.BadParameter(f"{place!r} is not TOPIC:PARTITION:OFFSET")
    before = (topic, int(partition), int(offset) - 1)
    for found in dead_letters(open_client(settings), after=before, limit=1, state=None):
        if _place(found.letter) == place:
            return found.letter
    say(f"no dead letter at {place}; `nhip dead-letters list` shows them")
    raise typer.Exit(EXIT_ABSENT)


def _place(letter: DeadLetter) -> str:
    return f"{letter.topic}:{letter.partition}:{letter.offset}"


def _text(value: bytes) -> str:
    return value[:MAX_SHOWN_BYTES].decode("utf-8", "backslashreplace")


def _document(letter: DeadLetter, *, value: bool) -> dict[str, object]:
    document: dict[str, object] = {
        "place": _place(letter),
        "reason": letter.reason,
        "error": letter.error,
        "time_us": letter.time_us,
    }
    return {**document, "value": _text(letter.value)} if value else document
