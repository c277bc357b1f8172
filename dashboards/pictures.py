"""Screens as bytes: drawn once for every change and shared by all who look at them."""

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import orjson

from dashboards.picture import content_of, screen_document
from dashboards.reader import Reader
from dashboards.screens import SCREENS, UNIT_SCREEN
from dashboards.targets import Targets
from dashboards.view import Place, View, text
from streams.clock import US_PER_S, Now

__all__ = ["UNIT", "Frame", "Pictures"]

UNIT = "unit"
REFRESH_S = 5.0
"""A screen whose figures have not changed is sent again after so long: its ages are true to this."""
KEPT_S = 60.0
"""A picture nobody asked for is forgotten after so long, in seconds."""
MOST_KEPT = 500


@dataclass(frozen=True, slots=True)
class Frame:
    """One screen as it was drawn. ``version`` grows with each drawing that is sent; ``etag`` is of the figures."""

    document: Mapping[str, Any]
    body: bytes
    event: bytes
    etag: str
    version: int
    drawn_us: int
    tick: int


class Pictures:
    """Draws screens from the reader's data; implements what the pages of the wall need.

    ``build`` names the running program: a page that was made by another reloads itself.
    """

    def __init__(self, reader: Reader, place: Place, targets: Targets, wall_us: Now, build: str) -> None:
        self._reader = reader
        self._place = place
        self._targets = targets
        self._wall_us = wall_us
        self._build = build
        self._frames: dict[tuple[str, str | None], Frame] = {}
        self._asked_us: dict[tuple[str, str | None], int] = {}
        self._beat: tuple[int, bytes] = (-1, b"")
        self._known = {screen.key: screen for screen in SCREENS}

    @property
    def build(self) -> str:
        """The running program."""
        return self._build

    def screens(self, units: Sequence[str] | None = None) -> Sequence[Mapping[str, Any]]:
        """Return keys and names of the screens in the order of rotation; ``units``: of who is limited to these."""
        if units is not None:
            return [{"id": f"{UNIT}/{code}", "title": text(self._place.name(code))} for code in units]
        return [{"id": found.key, "title": text(found.names)} for found in SCREENS]

    def known(self, screen: str, unit: str | None = None) -> bool:
        """Whether there is such a screen. Any unit that is listed or has figures has one."""
        if screen != UNIT:
            return screen in self._known and unit is None
        return unit is not None and (
            self._place.tree.known(unit)
            # Roll writes every indicator of a scope that has any mark.
            or (f"unit:{unit}", "online", "all") in self._reader.data.rates
        )

    def document(self, screen: str, unit: str | None = None) -> dict[str, Any] | None:
        """Return the newest document of a screen; None when there is no such screen."""
        frame = self.frame(screen, unit)
        return None if frame is None else dict(frame.document)

    def frame(self, screen: str, unit: str | None = None) -> Frame | None:
        """Return the newest picture, drawn at most once for each look of the reader; None for an unknown screen."""
        if not self.known(screen, unit):
            return None
        key, now_us = (screen, unit), self._wall_us()
        self._asked_us[key] = now_us
        if unit is not None:
            self._reader.watch(f"unit:{unit}")
        before = self._frames.get(key)
        if before is not None and before.tick == self._reader.ticks:
            return before
        view = View(self._reader.data, self._place, self._targets, now_us, unit)
        document = screen_document(UNIT_SCREEN if unit is not None else self._known[screen], view, self._build)
        etag = hashlib.sha256(orjson.dumps(content_of(document))).hexdigest()[:20]
        if before is not None and before.etag == etag and now_us - before.drawn_us < REFRESH_S * US_PER_S:
            frame = Frame(
                before.document,
                before.body,
                before.event,
                etag,
                before.version,
                before.drawn_us,
                self._reader.ticks,
            )
        else:
            body = orjson.dumps(document)
            version = 1 if before is None else before.version + 1
            frame = Frame(document, body, _event("screen", body), etag, version, now_us, self._reader.ticks)
        self._frames[key] = frame
        self._forget(now_us)
        return frame

    def beat(self) -> bytes:
        """Return the event that says that the server lives, the same for all until the next tick."""
        if self._beat[0] != self._reader.ticks:
            body = orjson.dumps({"now_us": self._wall_us(), "build": self._build})
            self._beat = (self._reader.ticks, _event("beat", body))
        return self._beat[1]

    def _forget(self, now_us: int) -> None:
        old = [key for key, asked_us in self._asked_us.items() if now_us - asked_us > KEPT_S * US_PER_S]
        surplus = len(self._asked_us) - len(old) - MOST_KEPT
        if surplus > 0:
            old += sorted(self._asked_us.keys() - set(old), key=lambda key: self._asked_us[key])[:surplus]
        for key in old:
            del self._asked_us[key]
            self._frames.pop(key, None)


def _event(name: str, data: bytes) -> bytes:
    # JSON of orjson has no line breaks, so that one data line holds it.
    return b"event: " + name.encode() + b"\ndata: " + data + b"\n\n"
