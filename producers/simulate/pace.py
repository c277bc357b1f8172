"""Sending what is simulated: as fast as it is taken, or at the pace at which it happens."""

from collections.abc import Callable, Iterable

from contract.kind import Event
from producers.replay import Target
from producers.simulate.truth import Truth

__all__ = ["play"]

PROGRESS_EVERY = 500
"""At full speed progress is reported after so many events."""
LONGEST_SLEEP_S = 1.0
"""A pause in which nothing happens (a night) is waited for in pieces, so that progress goes on."""


def play(
    events: Iterable[tuple[int, Event]],
    target: Target,
    truth: Truth,
    *,
    start_s: int,
    until_s: float,
    clock: Callable[[], float],
    sleep: Callable[[float], None],
    speed: float | None = None,
    rate_per_s: float | None = None,
    on_progress: Callable[[int], None] = lambda _: None,
) -> None:
    """Send what happens before ``until_s`` (seconds since 1970), then wait until all is stored.

    ``speed`` 1 keeps the pace, 3600 plays an hour each second; None is as fast as ``target`` takes them, at most
    ``rate_per_s``. ``clock`` gives seconds that only grow. ``on_progress`` gets the simulated second reached.
    ``truth`` knows exactly what was sent, also when the sending is interrupted. Raises what ``target`` raises.
    """
    began_s = clock()
    for sent, (moment_s, event) in enumerate(events):
        if moment_s >= until_s:
            break
        due_s = began_s
        if speed is not None:
            due_s += (moment_s - start_s) / speed
        elif rate_per_s is not None:
            due_s += sent / rate_per_s
        while (wait_s := due_s - clock()) > 0:
            if speed is not None:
                on_progress(int(start_s + (clock() - began_s) * speed))
            sleep(min(wait_s, LONGEST_SLEEP_S))
        target.send(event)
        truth.add(event)
        if speed is not None or sent % PROGRESS_EVERY == 0:
            on_progress(moment_s)
    target.flush()
