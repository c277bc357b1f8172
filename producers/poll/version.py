"""Which version a changed entity gets: the one rule by which a later change never loses."""

__all__ = ["next_version"]


def next_version(stated: int | None, last: int | None, began: int, *, first_pass: bool) -> int:
    """Return the version of an event, µs since 1970; it is larger than ``last``, what was sent before.

    ``stated``: what the row says (a version or a moment); ``began``: when the round began, by our own clock.
    The row is believed where its version grows and does not lie ahead of us: a clock that runs ahead would
    else win against every change of the next hour. In the first pass over a source it is not believed either:
    what a lost state file had sent is unknown then, and must not win against what the source says now.
    """
    if stated is not None and not first_pass and stated <= began and (last is None or stated > last):
        return stated
    return began if last is None else max(began, last + 1)
