"""What a person reads: both languages, a rate with its n, one line of title, links and the id."""

import re

import msgspec
import pytest

from contract.alert_words import MESSAGE_WORDS
from contract.text import Text
from sinks.links import LinkSigner
from sinks.messages import Message, compose
from sinks.recipients import Language, Recipient
from sinks.wording import figure_text, fill, indicator_text, limit_text, place_text, share_text
from sinks.writer import message_writer
from streams.alerts import Figure, Notice, NoticeKind
from tests.support.notices import AT_US, notice, unit_name


def _written(one: Notice, language: Language = "both") -> Message:
    return compose(
        one, language, unit_name=unit_name, wall_url="http://w", act_url="http://a", now_us=AT_US + 3_000_000
    )


def test_a_message_tells_what_where_since_when_and_what_to_do() -> None:
    """The whole text, Vietnamese first; nothing else is in it."""
    children = tuple(Figure(f"unit:{n}", 3, 10) for n in range(2))

    found = _written(notice("n1", severity="critical", figures=(Figure("unit:25195", 31, 34), *children)))

    assert found.title == "[Nghiêm trọng] Giải quyết đúng hạn: Phường 25195, 91,2 % (31/34)"
    assert found.body.splitlines() == [
        "Phường 25195",
        "Giải quyết đúng hạn, 24 giờ: 91,2 % (31/34)",
        "Ngưỡng: dưới 95 %",
        "Từ 15:15 22/11/2026 (25 phút)",
        "Số liệu lúc 15:40 22/11/2026 (3 giây trước)",
        "Trong đó:",
        "- Phường 0: 30,0 % (3/10)",
        "- Phường 1: 30,0 % (3/10)",
        "",
        "Màn hình: http://w",
        "Nhận hoặc tạm dừng tin: http://a",
        "Mã tin · Message: n1",
        "",
        "[Critical] Finished on time: Ward 25195, 91.2 % (31/34)",
        "Ward 25195",
        "Finished on time, 24 hours: 91.2 % (31/34)",
        "Threshold: below 95 %",
        "Since 15:15 22/11/2026 (25 min)",
        "Figures of 15:40 22/11/2026 (3 s ago)",
        "Caused by:",
        "- Ward 0: 30.0 % (3/10)",
        "- Ward 1: 30.0 % (3/10)",
    ]


@pytest.mark.parametrize(
    ("language", "there", "absent"), [("vi", "Ngưỡng", "Threshold"), ("en", "Threshold", "Ngưỡng")]
)
def test_a_recipient_may_read_one_language(language: Language, there: str, absent: str) -> None:
    """Title, body and links are in that one."""
    found = _written(notice("n1"), language)

    assert there in found.body
    assert absent not in found.body
    assert found.title.startswith("[Cảnh báo]" if language == "vi" else "[Warning]")
    assert "http://a" in found.body


def test_more_than_ten_children_are_counted() -> None:
    """Ten lines, then how many more there are."""
    figures = tuple(Figure(f"unit:{n}", 3, 10) for n in range(15))

    body = _written(notice("n1", figures=figures), "vi").body

    assert body.count("\n- Phường") == 10
    assert "… và 4 nơi khác" in body


KINDS: tuple[NoticeKind, ...] = ("fired", "recovered", "reminder", "escalated", "digest", "test")


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("figures", [(), (Figure("unit:25195", 0, 0),), (Figure("unit:25195", 1, 3),)])
def test_every_kind_of_message_can_be_written(kind: NoticeKind, figures: tuple[Figure, ...]) -> None:
    """With and without figures, and NULL is "–", never 0 %."""
    found = _written(notice("n1", kind=kind, figures=figures))

    assert "n1" in found.body
    assert "\n" not in found.title
    assert "0,0 %" not in found.body
    assert ("http://a" in found.body) == (kind in ("fired", "reminder", "escalated"))


def test_a_rate_is_never_written_without_its_n() -> None:
    """A rule's own words that forget the n get it with the rate, in each language by itself."""
    text = Text("Chỉ {rate} ở {unit}, ngưỡng {threshold}", "Only {rate} of {n} since {since}")

    body = _written(notice("n1", text=text, title=Text("{rate}", "{rate}"))).body

    assert "Chỉ 91,2 % (31/34) ở Phường 25195, ngưỡng 95 %" in body
    assert "Only 91.2 % of 34 since 15:15 22/11/2026" in body
    assert all(re.search(r"\(\d|of 34|Ngưỡng|ngưỡng|Threshold", line) for line in body.splitlines() if " %" in line)


def test_a_name_with_a_line_break_stays_in_the_title_line() -> None:
    """A unit's name could otherwise begin a header of an e-mail."""
    found = compose(
        notice("n1"),
        "vi",
        unit_name=lambda _: Text("Phường\r\nBcc: x@example.org\u2028", "Ward"),
        wall_url=None,
        act_url=None,
        now_us=AT_US,
    )

    assert found.title == "[Cảnh báo] Giải quyết đúng hạn: Phường Bcc: x@example.org , 91,2 % (31/34)"


@pytest.mark.parametrize(
    ("indicator", "figure", "limit", "written"),
    [
        ("on_time", Figure("unit:1", 952, 1329), 0.95, ("71,6 % (952/1.329)", "trên 95 %")),
        ("overdue", Figure("unit:1", 6, 100), 0.0378, ("6,0 % (6/100)", "trên 3,78 %")),
        ("silence", Figure("source:x", 1500, 900), 1.0, ("im lặng 25 phút", "quá 15 phút")),
        ("behind", Figure("system:stream", 90, 1), 60.0, ("1 phút", "quá 1 phút")),
        ("dead_letters", Figure("source:x", 1434, 1), 10.0, ("1.434", "trên 10")),
    ],
)
def test_figures_and_limits_in_their_units(
    indicator: str, figure: Figure, limit: float, written: tuple[str, str]
) -> None:
    """Rates as percent with counts, gauges as durations and counts."""
    found = figure_text(indicator, figure).vi, limit_text(indicator, limit, figure.denominator, below=False).vi

    assert found == written


def test_the_writer_adds_the_screen_and_a_link_that_is_signed() -> None:
    """The link is for this alert and recipient, and expires a week from now."""
    signer = LinkSigner(b"k" * 32)
    now_us = AT_US + 60_000_000

    found = message_writer(unit_name, signer, "https://nhip.example.org/")(notice("n1"), Recipient("duty"), now_us)

    link = signer.link("https://nhip.example.org", "alert-n1", "duty", now_us // 1_000_000 + 604_800)
    assert "Màn hình: https://nhip.example.org/wall/unit/25195\n" in found.body
    assert f"Nhận hoặc tạm dừng tin: {link}\n" in found.body


def test_without_an_address_of_the_wall_there_are_no_links() -> None:
    """A message says what it knows and invents no address."""
    found = message_writer(unit_name, LinkSigner(b"k" * 32), None)(notice("n1"), Recipient("duty"), AT_US)

    assert "http" not in found.body


def test_the_usual_and_the_number_of_alerts_are_told() -> None:
    """What this weekday was like before, and that more stands behind one message."""
    one = notice("n1")
    facts = msgspec.structs.replace(one.facts, usual=0.97, number=3)

    body = _written(msgspec.structs.replace(one, facts=facts)).body

    assert fill(MESSAGE_WORDS["usual"], usual=share_text(0.97)).vi in body
    assert fill(MESSAGE_WORDS["number"], n="3").en in body
    assert "97" in body


@pytest.mark.parametrize(
    ("scope", "vi"),
    [
        ("unit:25195", "Phường 25195"),
        ("field:land", fill(MESSAGE_WORDS["field"], name="land").vi),
        ("source:bank", fill(MESSAGE_WORDS["source"], name="bank").vi),
        ("planet:mars", "planet:mars"),
    ],
)
def test_every_scope_has_a_name(scope: str, vi: str) -> None:
    """One of a kind that a newer program knows is told as it is written."""
    rv = place_text(scope, unit_name)

    assert rv.vi == vi


def test_every_figure_has_a_name() -> None:
    """Indicators and gauges in both languages, one that nobody knows as it is written."""
    rv = [indicator_text(key) for key in ("on_time", "silence", "made_later")]

    assert [(text.vi != text.en) for text in rv] == [True, True, False]
    assert rv[2] == Text("made_later", "made_later")
