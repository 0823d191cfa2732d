"""The size is turned while a note rings: the new part comes in without a gap, and the past of the old one is heard no more."""

import numpy as np
import pytest

from neuralamp.errors import NetError
from neuralamp.nets import stream_at_rest
from neuralamp.nets.in_the_wild import IN_THE_WILD
from neuralamp.nets.lstm.config import LstmConfig
from neuralamp.nets.slimmable.config import FADE_FRAMES, Part, SlimmableConfig
from tests.nets.random_nets import learned_net
from tests.sound import cuts, play_in_cuts, sine

NETS = {"nano": IN_THE_WILD["A1 nano"], "lite": IN_THE_WILD["A2 lite"]}
CONFIG = SlimmableConfig((Part(0.5, NETS["nano"]), Part(1.0, NETS["lite"])))
SETTLING = NETS["nano"].settling_frames
FRAMES = 24_000
TURNED = 6000


@pytest.fixture(scope="module")
def weights():
    x = np.vstack([sine(220.0, 2000, 48000, 0.3), np.ones((1, 2000), np.float32)])
    return learned_net(CONFIG, x, seed=2)[0]


def part_alone(weights, name: str, x: np.ndarray) -> np.ndarray:
    prefix = {"nano": "parts.0.", "lite": "parts.1."}[name]
    own = {key.removeprefix(prefix): value for key, value in weights.items() if key.startswith(prefix)}
    return stream_at_rest(NETS[name], own).play(x[:1], 1)[0]


def tone(size_after: float = 0.2) -> np.ndarray:
    """A steady note, at full size until frame TURNED."""
    sizes = np.ones(FRAMES, np.float32)
    sizes[TURNED:] = size_after
    return np.vstack([sine(220.0, FRAMES, 48000, 0.3), sizes])


def test_the_new_size_is_heard_once_it_has_settled_and_not_before(weights):
    x = tone()
    y = stream_at_rest(CONFIG, weights, (1.0,)).play(x, 1)[0]
    large, small = part_alone(weights, "lite", x), part_alone(weights, "nano", x)
    begin, end = TURNED + SETTLING, TURNED + SETTLING + FADE_FRAMES
    assert np.array_equal(y[:begin], large[:begin])
    assert np.array_equal(y[end:], small[end:])  # bit for bit: nothing of another past is in it
    share = np.arange(1, FADE_FRAMES + 1) / FADE_FRAMES
    expected = large[begin:end] + share * (small[begin:end] - large[begin:end])
    assert np.abs(y[begin:end] - expected).max() < 1e-5 * np.abs(large).max()  # float32's rounding


def test_no_step_is_larger_than_a_steady_note_s(weights):
    x = tone()
    y = stream_at_rest(CONFIG, weights, (1.0,)).play(x, 1)[0]
    steady = max(np.abs(np.diff(part_alone(weights, name, x)[2000:])).max() for name in NETS)
    assert np.abs(np.diff(y[2000:])).max() < 1.5 * steady


def test_a_size_turned_back_before_it_was_heard_never_is(weights):
    x = tone()
    x[1, TURNED + SETTLING // 2 :] = 1.0
    y = stream_at_rest(CONFIG, weights, (1.0,)).play(x, 1)[0]
    assert np.array_equal(y, part_alone(weights, "lite", x))


@pytest.mark.parametrize("seed", range(4))
def test_any_cut_of_the_stream_sounds_the_same_while_the_size_is_turned(weights, seed):
    x = tone()
    rng = np.random.default_rng(seed)
    for frame in rng.integers(TURNED, FRAMES, 8):
        x[1, frame:] = rng.uniform()
    whole = stream_at_rest(CONFIG, weights, (1.0,)).play(x, 1)
    assert np.array_equal(play_in_cuts(stream_at_rest(CONFIG, weights, (1.0,)), x, 1, cuts(FRAMES, rng)), whole)


def test_a_net_rests_at_the_size_it_is_given(weights):
    x = tone(0.2)
    x[1] = 0.2
    y = stream_at_rest(CONFIG, weights, (0.2,)).play(x, 1)[0]
    assert np.array_equal(y, part_alone(weights, "nano", x))


@pytest.mark.parametrize(
    "parts, says",
    [
        ((), "0 parts; 1 to 64"),
        ((Part(0.5, LstmConfig(2)), Part(0.5, LstmConfig(3)), Part(1.0, LstmConfig(4))), "rising order"),
        ((Part(0.5, LstmConfig(2)),), "the last at 1 or more"),
        ((Part(float("nan"), LstmConfig(2)), Part(1.0, LstmConfig(2))), "rising order"),
        ((Part(0.5, LstmConfig(2, knobs=("gain",))), Part(1.0, LstmConfig(2))), "the same knobs"),
    ],
)
def test_parts_that_make_no_slimmable_net_are_refused(parts, says):
    with pytest.raises(NetError, match=says):
        SlimmableConfig(parts)
