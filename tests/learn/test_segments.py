"""What a step learns from depends on seed and step alone, and never on the held-out part."""

from dataclasses import replace

import numpy as np
import pytest

torch = pytest.importorskip("torch")

from neuralamp.learn.segments import Segments  # noqa: E402

CPU = torch.device("cpu")


@pytest.fixture
def numbered(small_pair):
    """The small pair with the number of each frame in place of its sound."""
    count = np.arange(small_pair.frames, dtype=np.float32)  # exact in float32 up to 16 million
    return replace(small_pair, di=count, amped=count)


def test_no_segment_hears_or_answers_a_held_out_frame(numbered, small_recipe):
    segments, held_out = Segments(numbered, small_recipe, 0, CPU), numbered.held_out
    lowest, highest = numbered.frames, 0.0
    for step in range(2000):
        di, amped = segments(step)
        assert di.shape == (4, 1, small_recipe.warm_up + 256) and amped.shape == (4, 1, 256)
        assert torch.equal(di[..., small_recipe.warm_up :], amped)
        assert not ((di >= held_out.start) & (di < held_out.stop)).any()
        assert torch.equal(di.diff(), torch.ones_like(di.diff()))  # no segment leaps over the held-out part
        lowest, highest = min(lowest, di.min().item()), max(highest, di.max().item())
    # 8000 starts over 3.6 s: the chance to miss the first or last 1 % is e^-80.
    assert lowest < 0.01 * numbered.frames and highest > 0.99 * numbered.frames


def test_a_step_draws_the_same_whatever_went_before(small_pair, small_recipe):
    walked, leapt = Segments(small_pair, small_recipe, 7, CPU), Segments(small_pair, small_recipe, 7, CPU)
    for step in range(5):
        walked(step)
    assert all(torch.equal(one, other) for one, other in zip(walked(5), leapt(5), strict=True))
    assert not torch.equal(walked(5)[0], walked(6)[0])
    assert not torch.equal(walked(5)[0], Segments(small_pair, small_recipe, 8, CPU)(5)[0])
