"""Numbers and durations as text, the Vietnamese and the English way."""

from contract.words import Text

__all__ = ["count_text", "duration_text", "percent_text"]

_MINUTE_S, _HOUR_S, _DAY_S = 60, 3_600, 86_400


def count_text(number: int) -> Text:
    """Write a whole number with its thousands apart: 1.434 and 1,434."""
    english = f"{number:,}"
    return Text(english.replace(",", "."), english)


def percent_text(rate: float | None, digits: int = 1) -> Text:
    """Write a share as percent: 95,3 % and 95.3 %; a share that is not known is "–"."""
    if rate is None:
        return Text("–", "–")
    english = f"{100 * rate:.{digits}f} %"
    return Text(english.replace(".", ","), english)


def duration_text(seconds: float) -> Text:
    """Write a duration in its largest whole unit: 12 phút and 12 min. What lies ahead counts as nothing."""
    whole = max(0, int(seconds))
    for size, vi, en in ((_DAY_S, "ngày", "d"), (_HOUR_S, "giờ", "h"), (_MINUTE_S, "phút", "min")):
        if whole >= 2 * size or (whole >= size and size != _DAY_S):
            return Text(f"{whole // size} {vi}", f"{whole // size} {en}")
    return Text(f"{whole} giây", f"{whole} s")
