"""The fold stays exact through kills, zombies, late inserts and restored stores, and needs each of its rules."""

import asyncio

import pytest

from tests.streams.panes_model import Rules, Verdict, schedule, switched

SCHEDULES = 1_500
"""Random schedules with the code as it is, with and without a restored back-up."""
UNTIL_WRONG = 1_500
"""So many schedules at most to find one that goes wrong without a rule."""


@pytest.mark.parametrize("restore", [False, True], ids=["no restore", "restored from a back-up"])
def test_every_schedule_ends_with_the_right_figures(restore: bool) -> None:
    """The newest complete panes and the rates equal the recomputation from the newest snapshots."""
    rules = Rules()

    with switched(rules), asyncio.Runner() as runner:
        verdicts = {seed: runner.run(schedule(seed, rules, restore=restore)) for seed in range(SCHEDULES)}

    assert {seed: v.value for seed, v in verdicts.items() if v is not Verdict.RIGHT} == {}


@pytest.mark.parametrize(
    ("rules", "restore"),
    [
        pytest.param(Rules(epochs=False), False, id="epochs"),
        pytest.param(Rules(late_inserts_seen=False), False, id="late inserts of a predecessor"),
        pytest.param(Rules(owner_reasserts=False), False, id="the owner re-asserts"),
        pytest.param(Rules(position_from_store=False), True, id="position from the store"),
        pytest.param(Rules(commit_before_claim=False), False, id="commit before claim"),
    ],
)
def test_no_rule_can_be_left_out(rules: Rules, restore: bool) -> None:
    """Without the rule some schedule ends with wrong figures or never comes to rest."""
    with switched(rules), asyncio.Runner() as runner:
        wrong = next(
            (
                seed
                for seed in range(UNTIL_WRONG)
                if runner.run(schedule(seed, rules, restore=restore)) is not Verdict.RIGHT
            ),
            None,
        )

    assert wrong is not None
