"""Runs a jq program over events in a process of its own: no environment, no files, bounded time and memory.

Started by producers/mend.py as a script. Reads ``{"program": …, "values": [text, …]}``, writes a list of
``{"value": text}`` or ``{"error": text}``.
"""

import itertools
import json
import os
import resource
import sys

import jq  # type: ignore[import-not-found]  # an extension module without type information

__all__ = ["main"]

MEMORY_BYTES = 1_073_741_824
"""Address space of the process; the interpreter alone takes a tenth."""


def main() -> None:
    """Do the work."""
    task = json.load(sys.stdin)
    _shut_in()
    try:
        program = jq.compile(task["program"])
    except ValueError as error:
        answers = [{"error": f"the program is no jq: {_first_line(error)}"}] * len(task["values"])
    else:
        answers = [_answer(program, text) for text in task["values"]]
    json.dump(answers, sys.stdout)


def _answer(program: "jq._Program", text: str) -> dict[str, str]:
    try:
        found = list(itertools.islice(iter(program.input_text(text)), 2))
    except ValueError as error:
        return {"error": _first_line(error)}
    if len(found) != 1:
        many = "nothing" if not found else "more than one value"
        return {"error": f"the program gives {many}: exactly one event is needed"}
    return {"value": json.dumps(found[0], ensure_ascii=False, allow_nan=False)}


def _shut_in() -> None:
    """Give up what a program could reach: the environment, and opening any file."""
    os.environ.clear()
    limits = (
        (resource.RLIMIT_AS, MEMORY_BYTES),
        (resource.RLIMIT_FSIZE, 0),
        (resource.RLIMIT_NOFILE, 3),
    )
    for what, most in limits:
        try:
            resource.setrlimit(what, (most, most))
        except (ValueError, OSError):
            # Not every system lets all of them be set; the forbidden words and the time limit remain.
            continue


def _first_line(error: Exception) -> str:
    return str(error).strip().splitlines()[0] if str(error).strip() else type(error).__name__


if __name__ == "__main__":
    main()
