"""Panes: absolute sums into the store, and windows put together from them in one statement."""

# ruff: noqa: S608
# Tables and columns in SQL come from the registry and this program; every value is a parameter.

from collections.abc import Collection, Mapping, Sequence
from typing import Any

import numpy as np
import pyarrow as pa

from contract.indicators import Indicator
from contract.registry import INDICATORS
from contract.windows import Level, Piece, pieces, windows_of
from sinks.client import Client
from sinks.epochs import CURRENT
from sinks.relation import relation
from streams.rows import Column, PaneBatch, PaneBlock, Rate

__all__ = ["sum_panes", "write_panes"]


def write_panes(
    client: Client, topic: str, epochs: Mapping[int, int], flush: Mapping[int, int], panes: PaneBatch
) -> None:
    """Insert absolute panes as one block; ``epochs`` and ``flush`` are given per partition."""
    if panes:
        blocks = [_table(topic, epochs[block.partition], flush[block.partition], block) for block in panes.blocks]
        client.insert("panes", pa.concat_tables(blocks).combine_chunks())


def _table(topic: str, epoch: int, flush: int, block: PaneBlock) -> pa.Table:
    count = len(block.at_s)
    return pa.table(
        {
            "scope": _named(block.scope, block.scopes),
            "indicator": _named(block.indicator, block.indicators),
            "level": np.full(count, block.level, np.uint8),
            "at": block.at_s,
            "topic": _named(np.zeros(count, np.int64), [topic]),
            "partition": np.full(count, block.partition, np.uint16),
            "epoch": np.full(count, epoch, np.uint64),
            "good": block.good,
            "count": block.counted,
            "flush": np.full(count, flush, np.uint64),
        }
    )


def _named(numbers: Column, names: Sequence[str]) -> "pa.Array[Any]":
    return pa.DictionaryArray.from_arrays(numbers, pa.array(names, pa.string())).dictionary_decode()


def sum_panes(
    client: Client,
    now_s: int,
    scopes: frozenset[str] | None,
    indicators: Collection[Indicator] = tuple(INDICATORS.values()),
) -> list[Rate]:
    """Return every indicator and window at ``now_s`` of these scopes (None: of all) that have any pane."""
    if scopes is not None and not scopes:
        return []
    bounds: dict[str, int] = {}
    # Windows of one reading are the same for all its indicators: each sum is computed once.
    sums: dict[tuple[str, str], tuple[int, int]] = {}
    terms: list[str] = []
    for indicator in indicators:
        for window in windows_of(indicator.reading):
            key = (indicator.reading.value, window)
            if key not in sums:
                parts = pieces(indicator.reading, window, now_s)
                sums[key] = (len(terms), len(terms) + 1)
                terms += [_sum(parts, side, bounds) for side in ("numerator", "denominator")]
    asked = ""
    parameters: dict[str, Any] = {}
    if scopes is not None:
        wanted, parameters = relation({"scope": ("String", sorted(scopes))})
        asked = f" AND scope IN ({wanted})"
    columns = client.columns(
        f"""
        SELECT toString(scope), toString(indicator), {", ".join(terms)} FROM
        (
            SELECT scope, indicator, level, at, good, count FROM panes FINAL
            WHERE (topic, `partition`, epoch) IN ({CURRENT}){asked}
        )
        GROUP BY scope, indicator""",
        {**bounds, **parameters},
    )
    if not columns:
        return []
    found = {(scope, marks): n for n, (scope, marks) in enumerate(zip(columns[0], columns[1], strict=True))}
    figures = columns[2:]
    plan = [(i, w, *sums[i.reading.value, w]) for i in indicators for w in windows_of(i.reading)]
    return [
        Rate(scope, indicator.key, window, figures[top][n], figures[bottom][n])
        if (n := found.get((scope, indicator.marks), -1)) >= 0
        else Rate(scope, indicator.key, window, 0, 0)
        for scope in dict.fromkeys(columns[0])
        for indicator, window, top, bottom in plan
    ]


def _sum(parts: Sequence[Piece], side: str, bounds: dict[str, int]) -> str:
    """Return SQL of Σ over the pieces; their bounds are added to the parameters."""
    terms = []
    for piece in parts:
        column = piece.numerator if side == "numerator" else piece.denominator
        if column is None or piece.start_s >= piece.end_s:
            continue
        if piece.level is Level.TOTAL:
            terms.append(f"sumIf({column}, level = {int(piece.level)})")
            continue
        low, high = (_bound(bounds, value) for value in (piece.start_s, piece.end_s))
        terms.append(f"sumIf({column}, level = {int(piece.level)} AND at >= {low} AND at < {high})")
    return f"toInt64({' + '.join(terms) or '0'})"


def _bound(bounds: dict[str, int], value: int) -> str:
    name = next((n for n, v in bounds.items() if v == value), None)
    if name is None:
        name = f"t{len(bounds)}"
        bounds[name] = value
    return f"{{{name}:Int64}}"
