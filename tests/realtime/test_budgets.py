"""Every net and box stays within what it may cost."""

import pytest

from neuralamp.app.bench import FULL_RIG
from neuralamp.blocks import boxes
from neuralamp.dsp.jit import LANES
from neuralamp.nets.in_the_wild import IN_THE_WILD
from realtime.bench import budgets
from tests.blocks.samples import EXEMPT


@pytest.mark.alone  # what runs beside it would be measured too
@pytest.mark.skipif(LANES < 8, reason="the budgets were measured with vectors of 8 and of 16 numbers")
def test_nothing_costs_more_than_its_budget():
    found = list(budgets.costs())
    assert [cost for cost in found if cost.cost > cost.budget] == []
    assert [cost for cost in found if cost.cost < cost.budget / 4] == []  # what is never reached is no budget


def test_every_net_and_every_box_has_a_budget_and_nothing_else_has():
    assert set(budgets.read_budgets()) == {*IN_THE_WILD, *boxes(), FULL_RIG} - {"amp", *EXEMPT}
