"""The phaser: a notch for every two stages where the all-pass equation puts it, swept by octaves, stable however it is turned."""

import numpy as np
import pytest

from neuralamp.blocks.phaser import Phaser
from tests.blocks.motion import RATE, click_db, impulse, play
from tests.sound import noise, play_in_cuts

SECONDS = 2


def response(box: Phaser, sample_rate: float = RATE) -> tuple[np.ndarray, np.ndarray]:
    """Frequencies from 20 Hz to 20 kHz, and the complex gain there."""
    y = np.fft.rfft(impulse(box, round(SECONDS * sample_rate), sample_rate))
    band = slice(20 * SECONDS, 20000 * SECONDS)
    return np.arange(y.size)[band] / SECONDS, y[band]


@pytest.mark.parametrize("sample_rate", [44100.0, 48000.0, 96000.0])
@pytest.mark.parametrize("feedback", [0.0, 60.0, -60.0])
@pytest.mark.parametrize("stages", ["2", "4", "6", "8"])
def test_standing_still_it_is_the_equation_of_its_stages(stages, feedback, sample_rate):
    f, y = response(Phaser(stages=stages, frequency=700.0, depth=0.0, feedback=feedback), sample_rate)
    s = 1j * np.tan(np.pi * f / sample_rate) / np.tan(np.pi * 700.0 / sample_rate)
    turned = ((1.0 - s) / (1.0 + s)) ** int(stages)
    assert np.abs(y - (0.5 + 0.5 * turned / (1.0 - feedback / 100.0 * turned))).max() < 2e-5  # float32 of an impulse


@pytest.mark.parametrize("stages", [2, 4, 6, 8])
@pytest.mark.parametrize("frequency", [200.0, 1000.0])
def test_the_notches_are_where_the_stages_turn_by_an_odd_half(stages, frequency):
    f, y = response(Phaser(stages=str(stages), frequency=frequency, depth=0.0))
    g = np.tan(np.pi * frequency / RATE)
    gain = np.abs(y)
    for k in range(stages // 2):
        notch = RATE / np.pi * np.arctan(g * np.tan(np.pi * (2 * k + 1) / (2 * stages)))
        near = (f > notch / 1.1) & (f < notch * 1.1)
        assert f[near][np.argmin(gain[near])] == pytest.approx(notch, abs=0.5)  # the grid
        assert gain[near].min() < 0.02
    dips = np.sum((gain[1:-1] < gain[:-2]) & (gain[1:-1] <= gain[2:]) & (gain[1:-1] < 0.1))
    assert dips == stages // 2


@pytest.mark.parametrize("depth", [1.0, 2.0, 3.0])
def test_the_notches_sweep_by_octaves(depth):
    """Two stages have their notch at the frequency: half the octaves above it at the top of a sweep, where it begins."""
    f, y = response(Phaser(stages="2", frequency=500.0, depth=depth, rate=0.02))
    assert f[np.argmin(np.abs(y))] == pytest.approx(500.0 * 2.0 ** (depth / 2.0), rel=0.003)
    box = Phaser(stages="2", frequency=500.0, depth=depth, rate=1.0)
    node = box.prepare(RATE, 1, 64).node
    node.play(np.zeros((1, RATE // 2), np.float32), 1)  # to the bottom
    tone = 500.0 * 2.0 ** (-depth / 2.0)
    y = node.play(np.sin(2.0 * np.pi * tone / RATE * np.arange(2 * RATE)).astype(np.float32)[None], 1)[0]
    level = np.sqrt(np.convolve(y[RATE // 2 :].astype(np.float64) ** 2, np.ones(480) / 480.0, "valid"))
    assert np.argmin(level) == pytest.approx(RATE // 2 - 240, abs=600)  # the bottom again, a second after the first


def test_at_mix_0_the_sound_passes_bit_for_bit():
    x = noise(2, 9000, seed=1)
    assert np.array_equal(play(Phaser(mix=0.0, feedback=50.0), x), x)


def test_a_sweep_lasts_the_note():
    x = noise(1, 2 * RATE, seed=2, peak=0.3)
    y = play(Phaser(note="1/1", tempo=90.0, rate=7.0), x)
    assert np.allclose(y, play(Phaser(rate=0.375), x), atol=1e-6)


def test_the_right_is_a_quarter_of_a_sweep_behind():
    """The level of one tone at 1 Hz rises and falls alike on both sides, the right a quarter of a second later."""
    x = np.sin(2.0 * np.pi * 600.0 / RATE * np.arange(4 * RATE)).astype(np.float32)[None]
    left, right = (y.astype(np.float64) ** 2 for y in play(Phaser(rate=1.0, stereo=True), x))
    smooth = np.hanning(4800)
    left, right = np.convolve(left, smooth, "valid"), np.convolve(right, smooth, "valid")
    a, b = left[RATE : 3 * RATE], right[RATE + RATE // 4 : 3 * RATE + RATE // 4]
    assert np.abs(a - b).max() < 0.01 * a.max()
    assert np.abs(a - right[RATE : 3 * RATE]).max() > 0.2 * a.max()


def test_knobs_turned_wildly_stay_stable():
    rng, box = np.random.default_rng(3), Phaser(stages="8")
    random = [{name: rng.choice([knob.low, knob.high]) for name, knob in box.knobs().items()} for _ in range(40)]
    turns = {2400 * k: box.goals(values, RATE) for k, values in enumerate(random)}
    y = play_in_cuts(box.prepare(RATE, 1, 64).node, noise(1, 96000, seed=4), 1, [96000], turns)
    assert 0.5 < np.abs(y).max() < 11.0  # 1 / (1 - 0.9) and the dry one


@pytest.mark.parametrize("feedback", [90.0, -90.0])
def test_eight_stages_at_their_lowest_are_silent_after_the_tail_told(feedback):
    box = Phaser(stages="8", frequency=150.0, depth=3.0, rate=0.02, feedback=feedback)
    part = box.prepare(RATE, 1, 64)
    x = np.zeros((1, 26 * RATE + part.tail_frames + 4800), np.float32)
    x[:, 22 * RATE : 26 * RATE] = noise(1, 4 * RATE, seed=5)  # around the bottom of a sweep of 50 s
    y = np.abs(part.node.play(x, 1)[0])
    rings_db = 20.0 * np.log10(y[26 * RATE + part.tail_frames :].max() / y.max())
    assert rings_db < -120.0
    assert feedback < 0.0 or rings_db > -220.0  # -210: the sweep leaves its lowest meanwhile


@pytest.mark.parametrize("knob", [{"rate": 3.0}, {"depth": 0.0}, {"frequency": 3000.0}, {"feedback": -80.0}, {"mix": 100.0}])
def test_a_turned_knob_does_not_click(knob):
    assert click_db(Phaser(), {48077: knob}) < -95.0  # -99 measured, of the mix
