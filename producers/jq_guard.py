"""Which jq programs may run: those that only turn one event into another.

jq itself has words that read the environment and files. A program with one of them is refused before it is compiled;
producers/jq_child.py takes the environment and the files away as well.
"""

import re
from typing import Final

__all__ = ["FORBIDDEN", "forbidden_word"]

FORBIDDEN: Final = frozenset(
    {
        "env",
        "$ENV",
        "import",
        "include",
        "modulemeta",
        "get_search_list",
        "input",
        "inputs",
        "input_filename",
        "input_line_number",
        "debug",
        "stderr",
        "halt",
        "halt_error",
        "$__prog_args",
    }
)
"""Words that reach beyond the event: environment, other files, other output, the end of the process."""

_CODE: Final = re.compile(r"""(?P<comment>\#[^\n\r]*)|(?P<quote>")|(?P<open>\()|(?P<close>\))
    |(?P<field>\.[A-Za-z_]\w*)|(?P<word>\$?\s*[A-Za-z_]\w*)""", re.VERBOSE)  # fmt: skip
_TEXT: Final = re.compile(r'\\\(|\\.|"', re.DOTALL)


def forbidden_word(program: str) -> str | None:
    """Return the first forbidden word of a program, None if it has none.

    Comments, the text of strings and names of fields (``.env``) do not count; what is interpolated into a string
    does.
    """
    at = 0
    depth, texts = 0, list[int]()  # at which depths of parentheses a string goes on
    while found := _CODE.search(program, at):
        at = found.end()
        if found["word"]:
            word = "".join(found["word"].split())
            if word in FORBIDDEN:
                return word
        elif found["quote"]:
            at, inside = _skip_text(program, at)
            if inside:
                texts.append(depth)
                depth += 1
        elif found["open"]:
            depth += 1
        elif found["close"]:
            depth -= 1
            if texts and texts[-1] == depth:
                at, inside = _skip_text(program, at)
                if inside:
                    depth += 1
                else:
                    texts.pop()
    return None


def _skip_text(program: str, at: int) -> tuple[int, bool]:
    """Pass over the text of a string; say whether it ended at an interpolation rather than a quotation mark."""
    while found := _TEXT.search(program, at):
        at = found.end()
        if found[0] == '"':
            return at, False
        if found[0] == "\\(":
            return at, True
    return len(program), False
