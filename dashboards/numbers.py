"""Numbers and durations as text: those of ``contract.numbers``, which messages share."""

from contract.numbers import count_text, duration_text, percent_text

__all__ = ["count_text", "duration_text", "percent_text"]
