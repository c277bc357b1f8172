"""Is this JSON what Grafana's own types say? The SDK's types, generated from Grafana's schemas, decide.

Two questions. What the SDK does not know is lost when it reads a document and writes it again, so the round trip
must give the same document. What has a wrong type is found by holding every value against the type the SDK
declares, which reading does not do.
"""

import json
import types
from collections.abc import Callable, Iterator, Mapping
from enum import Enum
from typing import Any, Final, Literal, Union, get_args, get_origin, get_type_hints

from grafana_foundation_sdk.cog.plugins import register_default_plugins
from grafana_foundation_sdk.cog.runtime import register_dataquery_variant
from grafana_foundation_sdk.cog.variants import Dataquery
from grafana_foundation_sdk.models import alerting, dashboard

from dashboards.grafana.boards import encode
from dashboards.grafana.query import variant_config

__all__ = ["misfits_of_board", "misfits_of_group"]

_SDK: Final = "grafana_foundation_sdk"


def misfits_of_board(board: Mapping[str, Any]) -> list[str]:
    """Return what of a dashboard does not fit Grafana's types."""
    return _misfits(board, dashboard.Dashboard)


def misfits_of_group(group: Mapping[str, Any]) -> list[str]:
    """Return what of a group of alert rules does not fit Grafana's types."""
    # The SDK always writes an organisation, which ours leave to the token.
    rules = [{"orgID": 0, **rule} for rule in group["rules"]]
    return _misfits({**group, "rules": rules}, alerting.RuleGroup)


def _misfits(document: Mapping[str, Any], kind: Any) -> list[str]:
    register_default_plugins()
    register_dataquery_variant(variant_config())
    read = kind.from_json(json.loads(json.dumps(document)))
    found = list(_wrong(read, kind, kind.__name__))
    return found + list(_different(document, json.loads(encode(read)), kind.__name__))


def _different(before: Any, after: Any, where: str) -> Iterator[str]:
    """Yield where two documents differ."""
    if isinstance(before, Mapping) and isinstance(after, Mapping):
        for key in sorted(before.keys() | after.keys()):
            if key not in after:
                yield f"{where}.{key}: unknown to Grafana"
            elif key not in before:
                yield f"{where}.{key}: left out"
            else:
                yield from _different(before[key], after[key], f"{where}.{key}")
    elif isinstance(before, list) and isinstance(after, list) and len(before) == len(after):
        for n, pair in enumerate(zip(before, after, strict=True)):
            yield from _different(*pair, f"{where}[{n}]")
    elif before != after:
        yield f"{where}: {before!r} is read as {after!r}"


def _wrong(value: Any, kind: Any, where: str) -> Iterator[str]:
    """Yield where a value has another type than declared."""
    origin = get_origin(kind)
    if origin in _INSIDE:
        yield from _INSIDE[origin](value, get_args(kind), where)
    elif not isinstance(kind, type) or kind is object:
        return
    elif issubclass(kind, Enum):
        if value not in {member.value for member in kind}:
            yield f"{where}: {value!r} is no {kind.__name__}"
    elif not _fits(value, kind):
        yield f"{where}: {value!r} is no {kind.__name__}"
    elif type(value).__module__.startswith(_SDK) and not isinstance(value, Dataquery):
        for name, hint in get_type_hints(type(value)).items():
            yield from _wrong(getattr(value, name, None), hint, f"{where}.{name}")


def _one_of(value: Any, inner: tuple[Any, ...], where: str) -> Iterator[str]:
    answers = [list(_wrong(value, one, where)) for one in inner]
    if all(answers):
        yield min(answers, key=len)[0]


def _literal(value: Any, inner: tuple[Any, ...], where: str) -> Iterator[str]:
    if value not in inner:
        yield f"{where}: {value!r} is none of {', '.join(map(repr, inner))}"


def _list(value: Any, inner: tuple[Any, ...], where: str) -> Iterator[str]:
    if not isinstance(value, list):
        yield f"{where}: {value!r} is no list"
        return
    for n, item in enumerate(value):
        yield from _wrong(item, inner[0], f"{where}[{n}]")


def _mapping(value: Any, _: tuple[Any, ...], where: str) -> Iterator[str]:
    if not isinstance(value, dict):
        yield f"{where}: {value!r} is no object"


_INSIDE: Final[dict[Any, Callable[[Any, tuple[Any, ...], str], Iterator[str]]]] = {
    Union: _one_of,
    types.UnionType: _one_of,
    Literal: _literal,
    list: _list,
    dict: _mapping,
}


def _fits(value: Any, kind: type) -> bool:
    if kind is float:
        return isinstance(value, int | float) and not isinstance(value, bool)
    if kind is int:
        return isinstance(value, int) and not isinstance(value, bool)
    return isinstance(value, kind)
