"""A page of JSON: where its list is, what its rows say, and how the next page is named."""

import json
from collections.abc import Iterator
from typing import Any

from producers.files import NumberedRow
from producers.poll.errors import SourceAnswerError, SourceChangedError
from producers.refusal import Refusal

__all__ = ["listed", "numbered", "parsed", "token_at"]

_SHOWN_KEYS = 10
_DEEPEST = 8
"""So many objects within objects become columns."""


def parsed(where: str, body: bytes) -> Any:
    """Read a body as JSON, numbers as text with their digits. Raises SourceAnswerError."""
    try:
        return json.loads(body.decode("utf-8-sig"), parse_float=str, parse_int=str)
    except UnicodeDecodeError as error:
        raise SourceAnswerError(f"{where}: the answer is not UTF-8 (byte {error.start + 1}): mend it") from None
    except json.JSONDecodeError as error:
        ended = error.pos >= len(error.doc.rstrip()) or error.msg.startswith("Unterminated")
        whole = "is cut off" if ended else "is not JSON"
        raise SourceAnswerError(
            f"{where}: the answer {whole} ({len(body)} bytes, {error}): half a page is no page, the round is dropped"
        ) from None
    except RecursionError:
        raise SourceAnswerError(f"{where}: the JSON is nested too deeply: mend the source") from None


def listed(where: str, found: Any, path: str) -> list[Any]:
    """Return the list at a path such as ``data.items``. Raises SourceChangedError."""
    at = found
    for step in path.split(".") if path else ():
        if not isinstance(at, dict) or step not in at:
            raise SourceChangedError(f"{where}: has nothing at {path!r}; {_keys(at)}: correct rest.list")
        at = at[step]
    if not isinstance(at, list):
        place = f"at {path!r}" if path else "as a whole"
        raise SourceChangedError(f"{where}: is no list {place}; {_keys(at)}: correct rest.list")
    return at


def token_at(found: Any, path: str) -> str | None:
    """Return the text or number at a path; None when it is absent, null or empty."""
    at = found
    for step in path.split("."):
        at = at.get(step) if isinstance(at, dict) else None
    return at if isinstance(at, str) and at else None


def numbered(items: list[Any], before: int) -> Iterator[NumberedRow | Refusal]:
    """Yield the rows of a list, numbered on from ``before``. An object within a row becomes columns ``a.b``."""
    for number, item in enumerate(items, before + 1):
        if not isinstance(item, dict):
            yield Refusal(number, None, f"is a JSON {type(item).__name__}, not an object with columns")
            continue
        cells = dict(_cells(item, "", _DEEPEST))
        try:
            "".join(cells.values()).encode()
        except UnicodeEncodeError:
            yield Refusal(number, None, "holds a lone surrogate (\\ud800 to \\udfff), which is no character")
            continue
        yield number, cells


def _cells(item: dict[str, Any], prefix: str, deep: int) -> Iterator[tuple[str, str]]:
    for name, value in item.items():
        if isinstance(value, dict) and deep:
            yield from _cells(value, f"{prefix}{name}.", deep - 1)
        elif isinstance(value, str):
            yield prefix + name, value
        else:
            yield prefix + name, "" if value is None else json.dumps(value, ensure_ascii=False)


def _keys(at: Any) -> str:
    if not isinstance(at, dict):
        return f"it is a JSON {type(at).__name__}"
    return f"there are {', '.join(map(repr, list(at)[:_SHOWN_KEYS])) or 'no keys'}"
