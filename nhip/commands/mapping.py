"""Mappings for files of an unknown system: ``mapping new`` proposes one, ``mapping test`` tries it."""

from collections.abc import Mapping as Words
from pathlib import Path
from typing import Annotated

import msgspec
import typer
from rich.table import Table

from contract.decode import Horizon
from contract.kind import Event
from contract.registry import KINDS, kind
from contract.units import UnitTree
from nhip.console import OUT, SAY, print_json, say
from nhip.exits import EXIT_BAD_INPUT, EXIT_CANNOT_WRITE
from nhip.settings import Settings, load_tree
from producers.mapping import load_mapping
from producers.propose.answers import answered
from producers.propose.proposal import Proposal, Question
from producers.propose.propose import propose
from producers.propose.reading import look_at
from producers.propose.vocabulary import plain
from producers.propose.write import as_toml
from producers.replay import read_events
from producers.trial import Trial, try_out
from streams.clock import wall_clock_us

__all__ = ["app"]

EVENTS_SHOWN = 10

app = typer.Typer(help="Mappings: propose one for a file, try it before anything is sent.", no_args_is_help=True)

FileArgument = Annotated[Path, typer.Argument(help="CSV, JSON array or JSON lines; gzip too.")]


@app.command()
def new(
    context: typer.Context,
    file: FileArgument,
    out: Annotated[Path | None, typer.Option("--out", "-o", help="Where to write; FILE.toml here if absent.")] = None,
    kind_key: Annotated[
        str | None, typer.Option("--kind", help=f"One of {', '.join(k.key for k in KINDS)}; else the best fit.")
    ] = None,
    yes: Annotated[bool, typer.Option("--yes", help="Take the proposals; what is open is marked `# ?`.")] = False,
    force: Annotated[bool, typer.Option("--force", help="Overwrite a file that is there.")] = False,
) -> None:
    """Look at the columns of an export and write a commented mapping for it; asks what it cannot know."""
    target = out or Path(f"{file.name.split('.')[0]}.toml")
    if target.suffix != ".toml":
        raise typer.BadParameter(
            f"{target} must end in .toml: so it is told from a shipped mapping", param_hint="--out"
        )
    if target.exists() and not force:
        say(f"{target} is there already: choose another name with --out, or overwrite it with --force")
        raise typer.Exit(EXIT_CANNOT_WRITE)
    try:
        chosen = None if kind_key is None else kind(kind_key)
    except KeyError as error:
        raise typer.BadParameter(str(error.args[0]), param_hint="--kind") from None
    look = look_at(file)
    units = _units(load_tree(context.obj), context.obj)
    proposal = propose(look.rows, file.name.split(".")[0], look.form, units, chosen)
    say(f"{file.name}: {look.form.why}; {len(look.rows)} rows looked at, {look.malformed} of them malformed")
    _tell(proposal)
    if not yes:
        proposal = answered(proposal, {q.key: _ask(q) for q in proposal.questions})
    text = as_toml(proposal, file.name)
    target.write_text(text, "utf-8")
    load_mapping(target)
    still = sum("# ? " in line for line in text.splitlines())
    points = "1 open point is" if still == 1 else f"{still} open points are"
    say(f"written: {target}" + (f"; {points} marked `# ?`: look at each" if still else ""))
    say(f"next: nhip mapping test {file} --mapping {target}")


@app.command(name="test")
def try_mapping(
    file: FileArgument,
    mapping: Annotated[str, typer.Option("--mapping", "-m", help="Name of a shipped mapping, or a path.")],
    json: Annotated[bool, typer.Option("--json", help="Print a document for programs.")] = False,
) -> None:
    """Show the first ten events that a mapping makes of a file, and what would be refused and why."""
    trial = try_out(read_events(file, load_mapping(mapping)), Horizon(wall_clock_us()))
    if json:
        print_json(
            {
                "events": len(trial.events),
                "refused": trial.refused,
                "groups": msgspec.to_builtins(trial.groups),
                "first": [msgspec.to_builtins(event) for event in trial.events[:EVENTS_SHOWN]],
            }
        )
    else:
        _show(trial)
    if trial.refused or not trial.events:
        raise typer.Exit(EXIT_BAD_INPUT)


def _tell(proposal: Proposal) -> None:
    """Say what each column is taken for."""
    table = Table("column", "taken for", "sure", "why", title=f"{proposal.kind} · {proposal.layout}")
    for guess in proposal.guesses:
        sure = f"{guess.confidence:.0%}" if guess.role else ""
        table.add_row(guess.column, guess.role or "–", sure, guess.why)
    SAY.print(table)
    for doubt in proposal.open:
        say(f"? {doubt}")


def _show(trial: Trial) -> None:
    for event in trial.events[:EVENTS_SHOWN]:
        OUT.print(_readable(event), markup=False, highlight=False, soft_wrap=True)
    OUT.print(f"{len(trial.events)} events, {trial.refused} refused", highlight=False)
    if trial.groups:
        table = Table("refused", "column", "why", "first")
        for group in trial.groups:
            table.add_row(str(group.count), group.column or "", group.reason, group.first)
        OUT.print(table)


def _readable(event: Event) -> str:
    values = {name: value for name, value in msgspec.to_builtins(event.data).items() if value is not None}
    status = values.pop("status", "")
    told = ", ".join(f"{name} {value}" for name, value in values.items())
    return f"{event.time.isoformat(sep=' ', timespec='seconds')}  {event.subject}  {status}: {told}"


def _ask(question: Question) -> str:
    choices = f" ({', '.join(question.choices)})" if question.choices else ""
    while True:
        text = f"{question.text}{choices}" + ("" if question.default else " [Enter leaves it open]")
        shown = bool(question.default)
        answer: str = typer.prompt(text, default=question.default, show_default=shown, err=True).strip()
        if not answer or not question.choices or answer in question.choices:
            return answer
        say(f"{answer!r} is none of {', '.join(question.choices)}; empty leaves it open")


def _units(tree: UnitTree, settings: Settings) -> Words[str, str]:
    """Codes by plain name and by themselves: those of the province first, others where a name is unique."""
    found: dict[str, str] = {}
    double: set[str] = set()
    inside = tree.subtree(settings.province)
    others = [code for root in tree.children(None) for code in tree.subtree(root)]
    for code in (*inside, *others):
        found.setdefault(code, code)
        for name in {plain(tree.name(code, "vi")), plain(tree.name(code, "en"))}:
            if found.setdefault(name, code) != code and found[name] not in inside:
                double.add(name)
    return {name: code for name, code in found.items() if name not in double}
