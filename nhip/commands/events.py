"""Events without a running system: ``events validate`` and ``events sample``."""

import random
import time
from collections import Counter
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, Any

import msgspec
import typer
from rich.table import Table

from contract.decode import Horizon
from contract.registry import KINDS, kind
from nhip.console import OUT, bar, print_json, say
from nhip.exits import EXIT_BAD_INPUT
from producers.event_files import Checked, check_file
from producers.examples import examples
from streams.clock import wall_clock_us

__all__ = ["app"]

SHOWN = 50
"""Refusals that are shown one by one to a person; a program gets all."""
PROGRESS_INTERVAL_S = 0.1

app = typer.Typer(help="Events without a running system: check a file, print valid examples.", no_args_is_help=True)


@app.command()
def validate(
    file: Annotated[Path, typer.Argument(help="One event, a JSON array, or NDJSON; gzip too.")],
    json: Annotated[bool, typer.Option("--json", help="Print a document for programs, one record a line.")] = False,
) -> None:
    """Check every event of a file as the stream would: accepted, or refused with path and reason."""
    counts: Counter[str] = Counter()
    table = Table("record", "reason", "path", "what is wrong")
    with bar("checking") as show:
        shown_s = 0.0

        def progress(done: int, total: int) -> None:
            nonlocal shown_s
            if time.monotonic() - shown_s > PROGRESS_INTERVAL_S:
                shown_s = time.monotonic()
                show(done, total)

        for checked in check_file(file, Horizon(wall_clock_us()), progress):
            counts[checked.reason or "accepted"] += 1
            if json:
                OUT.file.write(msgspec.json.encode(_document(checked)).decode() + "\n")
            elif checked.event is None and table.row_count < SHOWN:
                table.add_row(str(checked.number), checked.reason, checked.path or "", checked.text)
    refused = counts.total() - counts["accepted"]
    if not json:
        if table.row_count:
            OUT.print(table)
            say("of each record the first fault is shown; fields, words and reasons: docs/events.md")
        reasons = ", ".join(f"{reason} {n}" for reason, n in counts.most_common() if reason != "accepted")
        OUT.print(f"{counts['accepted']} accepted, {refused} refused" + (f" ({reasons})" if refused else ""))
    if refused:
        raise typer.Exit(EXIT_BAD_INPUT)


@app.command()
def sample(
    name: Annotated[str, typer.Argument(metavar="KIND", help=f"One of {', '.join(k.key for k in KINDS)}.")],
    count: Annotated[int, typer.Option(min=1, max=1_000_000, help="So many, one a line.")] = 1,
    seed: Annotated[int, typer.Option(help="Another seed gives other examples.")] = 1,
) -> None:
    """Print made-up valid events of a kind: one as a readable document, several as NDJSON."""
    try:
        chosen = kind(name)
    except KeyError as error:
        raise typer.BadParameter(str(error.args[0]), param_hint="KIND") from None
    now = datetime.now(UTC).replace(microsecond=0)
    for event in examples(chosen, count, random.Random(seed), now):
        if count == 1:
            print_json(msgspec.to_builtins(event))
        else:
            OUT.file.write(msgspec.json.encode(event).decode() + "\n")
    if count == 1:
        say(f"a valid event of the topic {chosen.topic}; check your own with `nhip events validate FILE`")


def _document(checked: Checked) -> dict[str, Any]:
    event = checked.event
    if event is not None:
        return {"record": checked.number, "accepted": True, "id": event.id, "subject": event.subject}
    return {
        "record": checked.number,
        "accepted": False,
        "reason": checked.reason,
        "path": checked.path,
        "text": checked.text,
    }
