"""The trail of administrative acts: ``audit list``."""

from typing import Annotated

import msgspec
import typer
from rich.markup import escape
from rich.table import Table

from nhip.console import OUT, print_json
from nhip.store import open_client
from sinks.audit import acts
from sinks.wording import moment_text

__all__ = ["app"]

app = typer.Typer(help="Who did what by command, and about alerts.", no_args_is_help=True)


@app.callback()
def _group() -> None:
    """Keep ``list`` a command of its own."""


@app.command(name="list")
def list_acts(
    context: typer.Context,
    limit: Annotated[int, typer.Option(min=1, max=100_000, help="At most so many.")] = 100,
    json: Annotated[bool, typer.Option("--json", help="Print a document for programs.")] = False,
) -> None:
    """List administrative acts, the newest first: tokens, refused records, rebuilds, rules, alerts."""
    found = acts(open_client(context.obj, reading=True), limit)
    if json:
        print_json([msgspec.to_builtins(act) for act in found])
        return
    table = Table("when", "who", "on", "what", "to what", "how")
    for act in found:
        table.add_row(moment_text(act.at_us), *map(escape, (act.who, act.host, act.act, act.subject, act.detail)))
    OUT.print(table if found else "nothing was done yet")
