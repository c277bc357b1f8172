"""What a person sees in the terminal: one console for words, standard output for results."""

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Protocol

import orjson
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

__all__ = ["OUT", "SAY", "Bar", "bar", "print_json", "say"]

OUT = Console()
"""Results: standard output."""
SAY = Console(stderr=True, highlight=False)
"""What happens meanwhile: standard error, so that a pipe gets results alone."""


def say(text: str) -> None:
    """Tell the person one thing."""
    SAY.print(text, markup=False, soft_wrap=True)


def print_json(value: object) -> None:
    """Print a result for a program."""
    sys.stdout.write(orjson.dumps(value, option=orjson.OPT_INDENT_2).decode() + "\n")


class Bar(Protocol):
    """A progress callback."""

    def __call__(self, done: int, total: int, /) -> None:
        """Show how much is done."""
        ...


@contextmanager
def bar(title: str) -> Iterator[Bar]:
    """Show a progress bar on a terminal; nothing elsewhere."""
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    with Progress(*columns, console=SAY, transient=True, disable=not SAY.is_terminal) as progress:
        task = progress.add_task(title, total=None)

        def show(done: int, total: int, /) -> None:
            progress.update(task, completed=done, total=total)

        yield show
