"""Epochs grow with every claim, and two claims from one look still differ."""

from hypothesis import given
from hypothesis import strategies as st

from streams.epoch import RANDOM_BITS, next_epoch

LARGEST = 2**64 - 1


@given(st.integers(0, 2**63), st.integers(0, 2**RANDOM_BITS - 1))
def test_the_next_epoch_is_larger_whatever_the_random_bits(newest: int, bits: int) -> None:
    """A claim made after a look exceeds everything seen in it."""
    rv = next_epoch(newest, lambda _: bits)

    assert rv > newest
    assert rv >> RANDOM_BITS == (newest >> RANDOM_BITS) + 1


@given(st.integers(0, 2**63), st.sets(st.integers(0, 2**RANDOM_BITS - 1), min_size=2, max_size=2))
def test_two_claims_from_one_look_differ(newest: int, bits: set[int]) -> None:
    """Different random bits give different epochs, hence an order."""
    first, second = (next_epoch(newest, lambda _, b=b: b) for b in bits)  # type: ignore[misc]

    assert first != second


def test_the_first_claim_and_the_last_fit_the_store() -> None:
    """An epoch is above 0, and 2**40 - 1 claims fit a UInt64."""
    first = next_epoch(0, lambda _: 0)
    last = next_epoch((2**40 - 2) << RANDOM_BITS, lambda bits: 2**bits - 1)

    assert first > 0
    assert last == LARGEST
