"""The bench of training steps runs, and its answer is made of what it measured."""

import pytest

pytest.importorskip("torch")

from training.bench.recurrent_step import NETS, measure


@pytest.mark.parametrize("name", NETS)
def test_a_step_is_timed_by_torch_and_by_the_kernels(name):
    cost = measure(name, rounds=2, batch=3, warm_up=8, frames=64)
    assert cost.net == name
    assert min(cost.torch_msamples, cost.fused_msamples, cost.one_thread_ms, cost.two_threads_ms) > 0.0
    assert 0.3 < cost.ratio * cost.torch_msamples / cost.fused_msamples < 3.0  # medians of ratios and ratios of medians
