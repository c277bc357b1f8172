"""A notice as the text that a person reads: Vietnamese, English below, or one of the two. Pure."""

from collections.abc import Callable, Sequence

import msgspec

from contract.alert_words import MESSAGE_WORDS, NOTICE_WORDS, SEVERITY_WORDS
from contract.numbers import count_text, duration_text, percent_text
from contract.registry import INDICATORS
from contract.text import Text, same
from contract.words import WINDOW_WORDS
from sinks.recipients import Language
from sinks.wording import (
    figure_text,
    fill,
    indicator_text,
    limit_text,
    limit_value,
    moment_text,
    place_text,
    share_text,
)
from streams.alerts import Figure, Notice
from streams.clock import US_PER_S
from streams.rule import Severity

__all__ = ["Message", "compose", "heading"]

MOST_CHILDREN = 10
MOST_LINES = 40
"""Lines of a digest; Apprise cuts what is longer than a service takes, from the end, where English stands."""
_LISTS = ("digest", "overflow")
_ACTED_ON = ("fired", "reminder", "escalated")


class Message(msgspec.Struct, frozen=True):
    """What is sent: ``id`` is the notice's, the title is one line, the body plain text that names it too."""

    id: str
    title: str
    body: str
    severity: Severity
    kind: str


def compose(
    notice: Notice,
    language: Language,
    *,
    unit_name: Callable[[str], Text],
    wall_url: str | None,
    act_url: str | None,
    now_us: int,
) -> Message:
    """Write the message of a notice as of ``now_us``.

    ``wall_url`` leads to the screen of its scope, ``act_url`` to the page that acknowledges and mutes.
    """
    lines = _list_lines(notice, unit_name) if notice.kind in _LISTS else _alert_lines(notice, unit_name, now_us)
    links = [fill(MESSAGE_WORDS["wall"], url=wall_url)] if wall_url else []
    if act_url and notice.kind in _ACTED_ON:
        links.append(fill(MESSAGE_WORDS["act"], url=act_url))
    links.append(fill(MESSAGE_WORDS["id"], id=notice.id))
    title = heading(notice, unit_name)
    if language == "both":
        # Links and id stand before the English part: a service that cuts long texts cuts the end.
        parts = [_join(lines, "vi"), _join(links, "vi"), _join([title, *lines], "en")]
    else:
        parts = [_join(lines, language), _join(links, language)]
    return Message(
        id=notice.id,
        title=_one_line(title.en if language == "en" else title.vi),
        body="\n\n".join(part for part in parts if part),
        severity=notice.severity,
        kind=notice.kind,
    )


def heading(notice: Notice, unit_name: Callable[[str], Text]) -> Text:
    """Return the title in both languages; it names severity or kind, what, where and the figure."""
    facts = notice.facts
    tag = SEVERITY_WORDS[notice.severity] if notice.kind == "fired" else NOTICE_WORDS[notice.kind]
    title = _own(facts.title, notice, unit_name) if facts.title else indicator_text(facts.indicator)
    if notice.kind == "overflow":
        return fill(same("[{tag}] {title}"), tag=tag, title=title)
    if notice.kind == "digest":
        return fill(MESSAGE_WORDS["heading_lines"], tag=tag, title=title, n=count_text(len(facts.figures)))
    if not facts.figures:
        return fill(same("[{tag}] {title}: {place}"), tag=tag, title=title, place=place_text(notice.scope, unit_name))
    return fill(
        MESSAGE_WORDS["heading"],
        tag=tag,
        title=title,
        place=place_text(notice.scope, unit_name),
        figure=figure_text(facts.indicator, facts.figures[0]),
    )


def _alert_lines(notice: Notice, unit_name: Callable[[str], Text], now_us: int) -> list[Text]:
    facts = notice.facts
    lines = [MESSAGE_WORDS[notice.kind]] if notice.kind in ("recovered", "escalated", "test") else []
    if facts.text:
        lines.append(_own(facts.text, notice, unit_name))
    if facts.figures:
        own = facts.figures[0]
        lines.append(
            fill(
                MESSAGE_WORDS["what"],
                place=place_text(notice.scope, unit_name),
                indicator=indicator_text(facts.indicator),
                window=WINDOW_WORDS.get(facts.window, same(facts.window)),
                figure=figure_text(facts.indicator, own),
            )
        )
        limit = limit_text(facts.indicator, facts.threshold, own.denominator, below=facts.below)
        lines.append(fill(MESSAGE_WORDS["limit"], limit=limit))
    if facts.usual is not None:
        lines.append(fill(MESSAGE_WORDS["usual"], usual=share_text(facts.usual)))
    age = duration_text((notice.at_us - facts.since_us) / US_PER_S)
    lines.append(fill(MESSAGE_WORDS["since"], since=moment_text(facts.since_us), age=age))
    old = duration_text((now_us - notice.at_us) / US_PER_S)
    lines.append(fill(MESSAGE_WORDS["as_of"], at=moment_text(notice.at_us), age=old))
    if facts.number > 1:
        lines.append(fill(MESSAGE_WORDS["number"], n=str(facts.number)))
    if children := facts.figures[1:]:
        lines.append(MESSAGE_WORDS["children"])
        lines += _figures(facts.indicator, children, MOST_CHILDREN, unit_name)
    return lines


def _list_lines(notice: Notice, unit_name: Callable[[str], Text]) -> list[Text]:
    facts = notice.facts
    lines = []
    if facts.text:
        lines.append(facts.text if notice.kind == "overflow" else _own(facts.text, notice, unit_name))
    if notice.kind == "digest":
        lines += _figures(facts.indicator, facts.figures, MOST_LINES, unit_name) or [MESSAGE_WORDS["none"]]
    return lines


def _figures(indicator: str, figures: Sequence[Figure], most: int, unit_name: Callable[[str], Text]) -> list[Text]:
    lines = [
        fill(same("- {place}: {figure}"), place=place_text(one.scope, unit_name), figure=figure_text(indicator, one))
        for one in figures[:most]
    ]
    if len(figures) > most:
        lines.append(fill(MESSAGE_WORDS["more"], n=count_text(len(figures) - most)))
    return lines


def _own(words: Text, notice: Notice, unit_name: Callable[[str], Text]) -> Text:
    """Fill the placeholders of the rule's own words (``streams.rule_values.PLACEHOLDERS``)."""
    facts = notice.facts
    own = facts.figures[0] if facts.figures else Figure(notice.scope, 0, 0)
    whole = figure_text(facts.indicator, own)
    bare = percent_text(own.numerator / own.denominator if own.denominator else None)
    share = facts.indicator in INDICATORS
    # A rate never stands without its n.
    rate = Text(
        bare.vi if share and "{n}" in words.vi else whole.vi, bare.en if share and "{n}" in words.en else whole.en
    )
    return fill(
        words,
        unit=place_text(notice.scope, unit_name),
        indicator=indicator_text(facts.indicator),
        window=WINDOW_WORDS.get(facts.window, same(facts.window)),
        rate=rate,
        numerator=count_text(own.numerator),
        n=count_text(own.denominator),
        threshold=limit_value(facts.indicator, facts.threshold, own.denominator),
        usual=share_text(facts.usual) if facts.usual is not None else same("–"),
        since=moment_text(facts.since_us),
    )


def _join(lines: Sequence[Text], language: str) -> str:
    return "\n".join(line.vi if language == "vi" else line.en for line in lines)


def _one_line(text: str) -> str:
    """Keep a title on one line: a line break would begin a header of an e-mail."""
    return " ".join("".join(sign if sign.isprintable() else " " for sign in text).split())
