"""Epochs: numbers for tenures over partitions, unique even when two workers claim at the same moment."""

from collections.abc import Callable

__all__ = ["next_epoch"]

RANDOM_BITS = 24
"""The lower bits are random: two claims made from the same look at the store still differ and have an order."""


def next_epoch(newest: int, randbits: Callable[[int], int]) -> int:
    """Return an epoch greater than ``newest`` (0: never claimed). Fits UInt64 for 2**40 claims."""
    return (((newest >> RANDOM_BITS) + 1) << RANDOM_BITS) | randbits(RANDOM_BITS)
