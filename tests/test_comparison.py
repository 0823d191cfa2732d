"""Two captures against each other."""

import numpy as np
import pytest

from neuralamp.comparison import comparison
from neuralamp.engine import render
from neuralamp.messages import Event, Recall
from neuralamp.rig import capture_rig
from tests.reamp.studio import wire
from tests.sound import noise

RATE = 48000


@pytest.fixture
def pair(tmp_path):
    return wire(tmp_path / "one.onnx"), wire(tmp_path / "two.onnx", gain=3.0)


def alone(capture, x: np.ndarray) -> np.ndarray:
    rig = capture_rig(capture)
    rig.suggest(loudness_db=-18.0)
    return render(rig, x, RATE)


def test_a_is_the_one_and_b_the_other_equally_loud(pair):
    x = noise(1, 20000, seed=1, peak=0.3)
    y = render(comparison(*pair), x, RATE, [Event(10000, Recall("B"))])
    assert np.array_equal(y[:, :10000], alone(pair[0], x)[:, :10000])
    # 100 ms behind the change the glide of 8 ms has fallen by 108 dB
    assert np.abs(y[:, 14800:] - alone(pair[1], x)[:, 14800:]).max() < 1e-5


def test_turned_they_change_places(pair):
    x = noise(1, 5000, seed=2, peak=0.3)
    assert np.array_equal(render(comparison(*pair, turned=True), x, RATE), alone(pair[1], x))


def test_the_change_makes_no_step(pair):
    x = 0.3 * np.sin(2.0 * np.pi * 110.0 / RATE * np.arange(60000))[np.newaxis].astype(np.float32)
    steady = max(np.abs(np.diff(alone(capture, x)[:, 10000:])).max() for capture in pair)
    events = [Event(frame, Recall("next")) for frame in range(10000, 59000, 1700)]
    assert np.abs(np.diff(render(comparison(*pair), x, RATE, events)[:, 10000:])).max() < 1.5 * steady
