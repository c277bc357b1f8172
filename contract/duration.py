"""Durations as files of the office write them: ``90s``, ``10m``, ``4h``, ``1d``."""

import re

from contract.days import DAY_S, HOUR_S, MINUTE_S

__all__ = ["seconds_of"]

_FORM = re.compile(r"([0-9]{1,6})([smhd])", re.ASCII)
_UNIT_S = {"s": 1, "m": MINUTE_S, "h": HOUR_S, "d": DAY_S}


def seconds_of(text: str) -> int:
    """Return the seconds of a duration. Raises ValueError that says how to write one."""
    found = _FORM.fullmatch(text)
    if found is None:
        raise ValueError(f"{text!r} is no duration: write a whole number and s, m, h or d, such as 90s, 10m, 4h, 1d")
    return int(found[1]) * _UNIT_S[found[2]]
