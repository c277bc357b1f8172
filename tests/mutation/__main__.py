"""Mutation testing of the pure rooms: ``python -m tests.mutation [contract] [streams.rules] …``.

mutmut changes one thing at a time (an operator, a constant, an argument) inside a function; a change that no test
notices survives. ``[tool.mutmut]`` in ``pyproject.toml`` says which modules are changed and which tests take no
part. Each room is changed in a copy of the tree, ``build/mutation/<room>``, and judged by its own tests alone.
"""

import ast
import difflib
import json
import os
import re
import shutil
import subprocess
import sys
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping
from fnmatch import fnmatch
from pathlib import Path
from typing import Annotated, Final

import pytest
import typer
from mutmut.configuration import config
from mutmut.mutation.file_mutation import mutate_file_contents
from rich.console import Console
from rich.progress import Progress
from rich.table import Table

from tests.mutation.judge import NOTICED, Judge, Verdict

SAY: Final = Console(stderr=True, soft_wrap=True)
ROOMS: Final = ("contract", "streams")
WORK: Final = Path("build", "mutation")
LEFT_OUT: Final = ("build", "dist", "htmlcov", "nhip-data")
"""Folders of the tree that no test reads, beside those whose name begins with a dot."""
NICENESS: Final = 10
TARGET: Final = 0.85
"""Share of mutants that must be noticed in each room."""
# Plugins that play no part in these rooms double the time of a short test.
PLUGINS: Final = ("no:cacheprovider", "no:logging", "_hypothesis_pytestplugin", "pytest_timeout")


def main(
    names: Annotated[
        list[str] | None,
        typer.Argument(help="Rooms, modules or mutants: contract, contract.units, streams.rules.x_*."),
    ] = None,
) -> None:
    """Change the rooms, let their tests judge, print a table; exit code 1 when a whole room is below the target."""
    os.setpriority(os.PRIO_PROCESS, 0, max(NICENESS, os.nice(0)))
    wanted = names or ROOMS
    rooms = asked(wanted)
    if len(rooms) > 1:
        # The modules of one room stay imported, unchanged, while the next is judged: each needs its own process.
        ends = [_alone([name for name in wanted if name.partition(".")[0] == room]) for room in rooms]
        raise typer.Exit(max(ends))
    ((room, patterns),) = rooms.items()
    copy = WORK / room
    copied(copy)
    texts = mutated(room, copy)
    mutants = [name for name in texts if any(fnmatch(name, pattern) for pattern in patterns)]
    found = judged(room, copy, mutants)
    (copy / "survivors.txt").write_text("".join(told(found, texts)), "utf-8")
    by_module = counted(found)
    show(room, by_module)
    SAY.print(f"those not noticed: {copy / 'survivors.txt'}")
    missed = room in wanted and share(sum(by_module.values(), Counter())) < TARGET
    raise typer.Exit(int(missed))


def _alone(names: list[str]) -> int:
    return subprocess.run([sys.executable, "-m", "tests.mutation", *names], check=False).returncode


def asked(names: Iterable[str]) -> Mapping[str, list[str]]:
    """Patterns of mutants' names by room."""
    by_room: defaultdict[str, list[str]] = defaultdict(list)
    for name in names:
        by_room[name.partition(".")[0]].append(name if "*" in name else f"{name}.*")
    return by_room


def copied(copy: Path) -> None:
    """Copy the tree anew."""
    shutil.rmtree(copy, ignore_errors=True)
    copy.mkdir(parents=True)
    for place in Path().iterdir():
        if place.name.startswith(".") or place.name in LEFT_OUT:
            continue
        if place.is_dir():
            shutil.copytree(place, copy / place.name, ignore=shutil.ignore_patterns("__pycache__"))
        else:
            shutil.copy2(place, copy)


def mutated(room: str, copy: Path) -> dict[str, str]:
    """Write all mutants of the room into the copy's modules; return what each changes, by its name."""
    texts: dict[str, str] = {}
    for path in sorted(Path(room).rglob("*.py")):
        if not config().should_mutate(path):
            continue
        made = mutate_file_contents(str(path), path.read_text("utf-8"))
        (copy / path).write_text(made.code, "utf-8")
        module = ".".join(path.with_suffix("").parts).removesuffix(".__init__")
        bodies = {
            node.name: ast.unparse(node).replace(node.name, "_")
            for node in ast.walk(ast.parse(made.code))
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) and "__mutmut_" in node.name
        }
        for name in made.mutant_names:
            before = bodies[f"{name.rpartition('__mutmut_')[0]}__mutmut_orig"]
            lines = difflib.unified_diff(before.splitlines(), bodies[name].splitlines(), n=1, lineterm="")
            texts[f"{module}.{name}"] = "\n".join(list(lines)[2:])
    return texts


def judged(room: str, copy: Path, mutants: list[str]) -> Mapping[str, Verdict]:
    """Let the room's own tests judge, inside the copy."""
    arguments = [f"tests/{room}", "--rootdir=.", "--tb=no", "-qs", *config().pytest_add_cli_args]
    os.environ["PYTEST_DISABLE_PLUGIN_AUTOLOAD"] = "1"
    os.environ.pop("PYTHONPATH", None)
    home = Path.cwd()
    with Progress(console=SAY, transient=True, disable=not SAY.is_terminal) as progress:
        task = progress.add_task(room, total=len(mutants))

        def show_done(verdicts: Mapping[str, Verdict]) -> None:
            progress.update(task, completed=len(verdicts))
            if len(verdicts) % 100 == 0:
                Path("verdicts.json").write_text(json.dumps(verdicts), "utf-8")
                alive = sum(verdict.outcome not in NOTICED for verdict in verdicts.values())
                if not SAY.is_terminal:
                    SAY.print(f"{len(verdicts)} of {len(mutants)}, not noticed: {alive}")

        judge = Judge(mutants, show_done)
        os.chdir(copy)
        code = pytest.main([*arguments, *(part for plugin in PLUGINS for part in ("-p", plugin))], plugins=[judge])
        os.chdir(home)
    if code or len(judge.found) < len(mutants):
        SAY.print(f"mutation: pytest ended with {code}: {judge.fault or 'what it says stands above'}")
        raise typer.Exit(2)
    return judge.found


def told(found: Mapping[str, Verdict], texts: Mapping[str, str]) -> Iterable[str]:
    """Yield every mutant that was not noticed, with its change."""
    for name, verdict in found.items():
        if verdict.outcome not in NOTICED:
            yield f"# {name}: {verdict.outcome}\n{texts[name]}\n\n"


def counted(found: Mapping[str, Verdict]) -> Mapping[str, Counter[str]]:
    """Count outcomes by module; a mutant is named ``room.module.x_function__mutmut_n``."""
    outcomes: defaultdict[str, Counter[str]] = defaultdict(Counter)
    for name, verdict in found.items():
        outcomes[re.split(r"\.x[_ǁ]", name, maxsplit=1)[0]][verdict.outcome] += 1
    return outcomes


def share(outcomes: Counter[str]) -> float:
    """Noticed mutants of all mutants."""
    return sum(outcomes[how] for how in NOTICED) / max(1, outcomes.total())


def show(room: str, by_module: Mapping[str, Counter[str]]) -> None:
    """Print the table."""
    table = Table(title=room)
    table.add_column("module", min_width=24)
    columns = ("killed", "timeout", "survived", "no test", "crashed")
    for column in ("mutants", *columns, "noticed"):
        table.add_column(column, justify="right")
    for name, one in [*by_module.items(), ("all", sum(by_module.values(), Counter()))]:
        table.add_row(name, *map(str, (one.total(), *(one[how] for how in columns))), f"{share(one):.1%}")
    Console().print(table)


if __name__ == "__main__":
    typer.run(main)
