"""Long lists as query parameters: a small relation beside the tables."""

# ruff: noqa: S608
# Tables and columns in SQL come from the registry and this program; every value is a parameter.

from collections.abc import Mapping, Sequence
from typing import Any

__all__ = ["relation"]

# A server refuses form fields above http_max_field_value_size, 128 KiB unless configured: stay below it.
_MAX_FIELD_BYTES = 100_000
_BYTES_PER_CHAR = 4


def relation(columns: Mapping[str, tuple[str, Sequence[Any]]]) -> tuple[str, dict[str, Any]]:
    """Return SQL of a subquery with these columns (name → ClickHouse type, values) and its parameters.

    Names and types come from the program; values may be anything. They are bound as arrays, cut into as many
    parameters as the limit for one form field asks for, and unfolded by arrayJoin: the engine (26.9) folds
    ``IN {ids:Array(String)}`` with 50,000 ids into a literal and then plans for minutes instead of 0.5 s.
    """
    rows = len(next(iter(columns.values()))[1])
    longest = max((len(str(v)) for _, values in columns.values() for v in values), default=0)
    step = max(1, _MAX_FIELD_BYTES // ((longest + 1) * _BYTES_PER_CHAR))
    parameters: dict[str, Any] = {}
    parts = []
    for n, start in enumerate(range(0, max(rows, 1), step)):
        arrays = []
        for name, (kind, values) in columns.items():
            parameters[f"{name}_{n}"] = list(values[start : start + step])
            arrays.append(f"{{{name}_{n}:Array({kind})}}")
        parts.append(f"SELECT arrayJoin(arrayZip({', '.join(arrays)})) AS r")
    named = ", ".join(f"r.{i} AS `{name}`" for i, name in enumerate(columns, 1))
    return f"SELECT {named} FROM ({' UNION ALL '.join(parts)})", parameters
