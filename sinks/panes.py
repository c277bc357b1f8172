"""Panes: absolute sums into the store, and windows put together from them in one statement."""

# ruff: noqa: S608
# Tables and columns in SQL come from the registry and this program; every value is a parameter.

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import numpy as np
import pyarrow as pa

from contract.indicators import Indicator
from contract.registry import INDICATORS
from sinks.client import Client
from sinks.epochs import CURRENT
from sinks.relation import relation
from sinks.window_sums import WindowSums
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
    indicators: Iterable[Indicator] = tuple(INDICATORS.values()),
) -> list[Rate]:
    """Return every indicator and window at ``now_s`` of these scopes (None: of all) that have any pane."""
    if scopes is not None and not scopes:
        return []
    windows = WindowSums.at(now_s, indicators)
    asked = ""
    parameters: dict[str, Any] = {"cuts": windows.cuts}
    if scopes is not None:
        wanted, more = relation({"scope": ("String", sorted(scopes))})
        asked, parameters = f" AND scope IN ({wanted})", parameters | more
    return windows.rates(
        client.columns(
            f"""
            SELECT toString(scope), toString(indicator), level,
                   arrayCount(border -> border <= at, {{cuts:Array(Array(Int64))}}[level + 1]) AS slot,
                   sum(good), sum(count)
            FROM (SELECT scope, indicator, level, at, good, count FROM panes FINAL
                  WHERE (topic, `partition`, epoch) IN ({CURRENT}){asked})
            GROUP BY scope, indicator, level, slot""",
            parameters,
        )
    )
