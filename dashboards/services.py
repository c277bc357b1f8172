"""What the handlers of the application share."""

from dataclasses import dataclass
from typing import Final

from contract.words import Text
from dashboards.access import Access
from dashboards.answers import RETRY_AFTER_S, Refusal
from dashboards.data import Data
from dashboards.pictures import Pictures
from dashboards.reader import Reader
from dashboards.series import Series
from dashboards.targets import Targets
from dashboards.view import Place, View
from streams.clock import Now

__all__ = ["ADMITS_ITSELF", "Services", "store_down"]

ADMITS_ITSELF: Final = "admits_itself"
"""Option of a route that needs no wall token: what it asks for instead is its own affair."""


@dataclass(frozen=True, slots=True)
class Services:
    """The parts of one application."""

    reader: Reader
    pictures: Pictures
    series: Series
    place: Place
    targets: Targets
    access: Access
    wall_us: Now

    def live(self) -> Data:
        """Return the newest data; raises Refusal (503) when the store does not answer."""
        if not self.reader.up:
            raise store_down()
        return self.reader.data

    def view(self) -> View:
        """Return the newest data of the whole place at this moment."""
        return View(self.reader.data, self.place, self.targets, self.wall_us())


def store_down() -> Refusal:
    """Return the answer while the store is away."""
    words = Text("kho số liệu đang không trả lời; thử lại sau ít giây", "the store does not answer; try again soon")
    return Refusal(503, words, {"Retry-After": str(RETRY_AFTER_S)})
