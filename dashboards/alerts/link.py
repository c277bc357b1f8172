"""A signed link as it comes: in an address, or in a form."""

from typing import Literal, NamedTuple

__all__ = ["Link", "LinkState"]

LinkState = Literal["good", "forged", "expired"]
"""What a link is worth. One that was signed for another alert is forged."""


class Link(NamedTuple):
    """The parts of a signed link, all as text, none of them checked."""

    alert: str
    recipient: str
    expires: str
    signature: str
