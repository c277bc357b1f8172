"""Mending the bytes of refused records: single fields, or a jq program; and whether the result would be taken."""

import json
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final, NamedTuple

from contract.decode import EventError, Horizon, decode
from contract.registry import KIND_OF_TOPIC
from producers.jq_guard import FORBIDDEN, forbidden_word

__all__ = ["Fix", "MendError", "Mended", "mend", "parse_fix", "run_jq", "verdict"]

JQ_TIMEOUT_S: Final = 10.0
"""Longest run of a jq program over one batch of records, in seconds; ordinary programs take milliseconds."""
BATCH: Final = 1_000
"""So many records go through one process."""

_CHILD: Final = Path(__file__).with_name("jq_child.py")


class MendError(ValueError):
    """A fix or a program that cannot be applied. The text says what is wrong and what to do."""


class Fix(NamedTuple):
    """One field set to a value; ``path`` leads into the event from the outside."""

    path: tuple[str, ...]
    value: Any


class Mended(NamedTuple):
    """A record as it would be sent. ``error``: why no value could be made; then the bytes are the old ones."""

    key: bytes | None
    value: bytes
    error: str | None = None


def parse_fix(text: str) -> Fix:
    """Read ``data.unit=H19.01``: a dotted path and a JSON value, or text if it is no JSON. Raises MendError."""
    path, sign, value = text.partition("=")
    parts = tuple(path.strip().split("."))
    if not sign or not all(parts):
        raise MendError(f"{text!r} is not FIELD=VALUE, e.g. data.unit=H19.01 or data.fee_vnd=15000")
    try:
        return Fix(parts, json.loads(value))
    except ValueError:
        return Fix(parts, value)


def mend(records: Sequence[tuple[bytes | None, bytes]], fixes: Sequence[Fix], program: str | None) -> list[Mended]:
    """Apply fixes, then a jq program, to (key, value) records; the key becomes the subject of the result.

    Without either the records are as they were. A record that cannot be mended comes with its error. Raises
    MendError for a program that is not allowed, is no jq, or takes too long.
    """
    if not fixes and program is None:
        return [Mended(key, value) for key, value in records]
    found = [_fixed(key, value, fixes) for key, value in records]
    if program is not None:
        whole = [number for number, one in enumerate(found) if one.error is None]
        answers = run_jq(program, [found[number].value.decode() for number in whole])
        for number, answer in zip(whole, answers, strict=True):
            one = found[number]
            if isinstance(answer, MendError):
                found[number] = Mended(records[number][0], records[number][1], str(answer))
            else:
                found[number] = one._replace(value=answer.encode())
    return [one if one.error else one._replace(key=_key(one)) for one in found]


def verdict(topic: str, key: bytes | None, value: bytes, horizon: Horizon) -> EventError | None:
    """Return why the stream would refuse a record, by its rules of today; None if it would take it."""
    kind = KIND_OF_TOPIC.get(topic)
    if kind is None:
        return EventError("topic", f"{topic} is no topic of events; known: {', '.join(KIND_OF_TOPIC)}")
    try:
        event = decode(kind, value, horizon)
    except EventError as error:
        return error
    if key != event.subject.encode():
        return EventError("key", f"the key {key!r} is not the subject {event.subject!r}")
    return None


def run_jq(program: str, values: Sequence[str]) -> list[str | MendError]:
    """Return what a program makes of each JSON text, or why it makes nothing of it. Raises MendError."""
    word = forbidden_word(program)
    if word is not None:
        known = ", ".join(sorted(FORBIDDEN))
        raise MendError(f"the jq program uses {word}, which reaches beyond the event: not allowed are {known}")
    answers: list[dict[str, str]] = []
    for start in range(0, len(values), BATCH):
        answers += _batch(program, values[start : start + BATCH])
    return [answer["value"] if "value" in answer else MendError(answer["error"]) for answer in answers]


def _batch(program: str, values: Sequence[str]) -> list[dict[str, str]]:
    task = json.dumps({"program": program, "values": list(values)})
    try:
        done = subprocess.run(  # noqa: S603 - our own script; the program travels as data
            [sys.executable, "-I", str(_CHILD)],
            input=task.encode(),
            capture_output=True,
            timeout=JQ_TIMEOUT_S,
            check=False,
        )
    except subprocess.TimeoutExpired:
        raise MendError(f"the jq program took longer than {JQ_TIMEOUT_S:g} s: make it simpler") from None
    if done.returncode != 0:
        last = done.stderr.decode(errors="replace").strip().splitlines()[-1:] or ["no words"]
        raise MendError(f"the jq program could not be run to its end ({last[0]}): make it simpler")
    answers: list[dict[str, str]] = json.loads(done.stdout)
    return answers


def _fixed(key: bytes | None, value: bytes, fixes: Sequence[Fix]) -> Mended:
    try:
        document = json.loads(value)
        if not isinstance(document, dict):
            return Mended(key, value, "the value is no JSON object: no field can be set")
        for fix in fixes:
            _set(document, fix)
        return Mended(key, json.dumps(document, ensure_ascii=False).encode())
    except (ValueError, RecursionError) as error:
        return Mended(key, value, f"cannot be mended: {error}")


def _set(document: dict[str, Any], fix: Fix) -> None:
    place = document
    for name in fix.path[:-1]:
        below = place.setdefault(name, {})
        if not isinstance(below, dict):
            raise MendError(f"{name} is no object, so {'.'.join(fix.path)} cannot be set")
        place = below
    place[fix.path[-1]] = fix.value


def _key(one: Mended) -> bytes | None:
    document = json.loads(one.value)
    subject = document.get("subject") if isinstance(document, dict) else None
    return subject.encode() if isinstance(subject, str) and subject else one.key
