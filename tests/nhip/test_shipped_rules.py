"""The rules that are shipped, through a week: every look is taken, every message can be written."""

from random import Random

from contract.days import DAY_S, HOUR_S, MINUTE_S, local_date
from contract.text import Text
from nhip.alerting import load_office_recipients, load_rules, resolve, rules_path
from nhip.settings import Settings, load_calendar, load_office_sources, load_tree
from sinks.messages import compose
from streams.alerts import Notice
from streams.clock import US_PER_S
from streams.notices import notices_of
from streams.rules import Rules
from tests.support.rules import local_us

MONDAY_S = local_us(2) // US_PER_S
LOOK_S = 5 * MINUTE_S
UNITS = 30


def test_a_week_of_the_shipped_rules() -> None:
    """Figures under plain tuples, as roll publishes them, that become bad and good again; lists come at 08:00."""
    settings, rng = Settings(), Random(7)
    tree, sources = load_tree(settings), load_office_sources(settings)
    recipients, _ = load_office_recipients(settings, tree)
    shipped = load_rules(rules_path(settings), tree, recipients)
    rules = Rules(shipped, tree, load_calendar())
    (province,) = (code for code in tree.by_kind("province") if code == "75")
    units = tree.subtree(province)[:UNITS]
    watched = sorted({(rule.indicator, rule.window) for rule in shipped})
    figures = {(f"unit:{unit}", *which): (50, 100) for unit in units for which in watched}
    notices: list[Notice] = []

    for at_s in range(MONDAY_S, MONDAY_S + 7 * DAY_S, LOOK_S):
        for key in rng.sample(sorted(figures), 20):
            figures[key] = (rng.choice((0, 2, 50, 99)), 100)
        told = rules.evaluate(at_s * US_PER_S, figures).announcements
        notices += notices_of(
            told, lambda target, scope: resolve(recipients, sources, tree, target, scope, MONDAY_S * US_PER_S)
        )

    kinds = {notice.kind for notice in notices}
    assert {"fired", "recovered", "digest"} <= kinds
    daily = {rule.id for rule in shipped if rule.daily_min is not None}
    lists = [notice for notice in notices if notice.kind == "digest"]
    assert {notice.rule for notice in lists} == daily
    assert {(notice.at_us // US_PER_S - MONDAY_S) % DAY_S for notice in lists} == {8 * HOUR_S}
    assert {local_date(notice.at_us // US_PER_S).weekday() for notice in lists} == set(range(5))
    for notice in notices:
        written = compose(
            notice,
            "vi",
            unit_name=lambda code: Text(tree.name(code, "vi"), tree.name(code, "en")),
            wall_url=None,
            act_url=None,
            now_us=notice.at_us,
        )
        assert written.title.strip()
        assert written.body.strip()
