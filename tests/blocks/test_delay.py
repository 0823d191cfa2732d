"""The digital delay: echoes at their frame, at their level, on their side, in time; a turned knob does not click."""

import numpy as np
import pytest

from neuralamp.blocks.delay import Delay
from neuralamp.dsp.echo import FALL_SECONDS
from tests.blocks.motion import RATE, click_db, low_tone
from tests.sound import at_rest, noise, play_in_cuts, reset


def echoes(box: Delay, frames: int = 96000, channels: int = 1, sample_rate: float = RATE) -> np.ndarray:
    """The answer to one frame of 1 on the first channel."""
    x = np.zeros((channels, frames), np.float32)
    x[0, 0] = 1.0
    part = box.prepare(sample_rate, channels, 64)
    return part.node.play(x, part.channels)


@pytest.mark.parametrize("sample_rate", [44100.0, 48000.0, 96000.0])
@pytest.mark.parametrize("time_ms", [1.0, 10.01, 350.0])
def test_each_echo_is_at_its_frame_and_feedback_softer_than_the_last(time_ms, sample_rate):
    y = echoes(Delay(time=time_ms, feedback=50.0, mix=50.0), frames=round(2 * sample_rate), sample_rate=sample_rate)[0]
    first = round(time_ms * sample_rate / 1000.0)
    at = np.flatnonzero(y)[:5]
    assert at.tolist() == [0, first, 2 * first, 3 * first, 4 * first]
    assert np.allclose(20.0 * np.log10(y[at[1:]]), [0.0, -6.0206, -12.0412, -18.0618], atol=1e-3)


@pytest.mark.parametrize(
    ("mix", "dry", "wet"), [(0.0, 1.0, 0.0), (25.0, 1.0, 0.5), (50.0, 1.0, 1.0), (75.0, 0.5, 1.0), (100, 0.0, 1.0)]
)
def test_the_dry_sound_stays_whole_up_to_half_and_the_echoes_from_there(mix, dry, wet):
    y = echoes(Delay(time=100.0, mix=mix))[0]
    assert (y[0], y[4800]) == (dry, wet)


def test_the_dry_sound_is_untouched_bit_for_bit():
    x = noise(2, 9000, seed=1)
    y = Delay(time=200.0, mix=40.0).prepare(RATE, 2, 64).node.play(x, 2)
    assert np.array_equal(y, x)  # the first echo comes at 9600


@pytest.mark.parametrize(
    ("note", "tempo", "seconds"),
    [
        ("1/4", 120.0, 0.5),
        ("1/8.", 120.0, 0.375),
        ("1/8t", 120.0, 1 / 6),
        ("1/1", 40.0, 6.0),
        ("1/16", 300.0, 0.05),
        ("1/2.", 90.0, 2.0),
    ],
)
def test_a_note_lasts_as_long_as_at_this_tempo(note, tempo, seconds):
    y = echoes(Delay(note=note, tempo=tempo, time=77.0, mix=50.0), frames=300000)[0]
    assert np.flatnonzero(y)[1] == round(seconds * RATE)


def test_tapping_another_tempo_moves_the_echo():
    box = Delay(note="1/4", mix=100.0, feedback=0.0)
    x = np.zeros((1, 120000), np.float32)
    x[0, 50000] = 1.0
    turns = {10000: box.goals(box.values | {"tempo": 100.0}, RATE)}
    y = play_in_cuts(box.prepare(RATE, 1, 64).node, x, 1, [120000], turns)[0]
    assert np.flatnonzero(y).tolist() == [50000 + 28800]


@pytest.mark.parametrize("channels", [1, 2])
def test_ping_pong_goes_left_right_left(channels):
    y = echoes(Delay(time=100.0, feedback=50.0, mix=50.0, ping_pong=True), channels=channels)
    assert y.shape[0] == 2
    heard = 1.0 if channels == 1 else 0.5  # of two channels their mean
    assert np.flatnonzero(y[0]).tolist()[1:3] == [4800, 3 * 4800]
    assert np.allclose(y[0, [4800, 3 * 4800]], [heard, 0.25 * heard])
    assert np.allclose(y[1, [2 * 4800, 4 * 4800]], [0.5 * heard, 0.125 * heard])
    assert not y[1, [4800, 3 * 4800]].any()


def test_without_ping_pong_each_side_has_its_own_echoes():
    y = echoes(Delay(time=100.0, mix=50.0), channels=2)
    assert y[0, 4800] == 1.0
    assert not y[1].any()


def test_each_echo_goes_through_the_cuts_once_more():
    """The third echo's spectrum is the second's times that of one pass: analog Butterworth cuts on the bilinear axis."""
    y = echoes(Delay(time=500.0, feedback=70.0, mix=100.0, low_cut=200.0, high_cut=3000.0))[0].astype(np.float64)
    second, third = (np.fft.rfft(y[k * 24000 : (k + 1) * 24000]) for k in (2, 3))
    f = np.fft.rfftfreq(24000, 1.0 / RATE)[20:8000:40]
    bent = np.tan(np.pi * f / RATE)
    low, high = 1j * bent / np.tan(np.pi * 200.0 / RATE), 1j * bent / np.tan(np.pi * 3000.0 / RATE)
    once = 0.7 * low**2 / (1 + np.sqrt(2) * low + low**2) / (1 + np.sqrt(2) * high + high**2)
    assert np.allclose(20.0 * np.log10(np.abs(third / second)[20:8000:40] / np.abs(once)), 0.0, atol=0.02)  # float32 at -60 dB


@pytest.mark.parametrize(("time_ms", "most"), [(10.0, 0.98), (350.0, 0.830), (1000.0, 0.588), (2000.0, 0.345)])
def test_at_full_feedback_echoes_end_in_half_a_minute(time_ms, most):
    y = echoes(Delay(time=time_ms, feedback=98.0, mix=100.0), frames=5 * RATE)[0]
    step = round(time_ms * RATE / 1000.0)
    assert y[2 * step] / y[step] == pytest.approx(most, abs=0.001)
    assert y[2 * step] / y[step] == pytest.approx(min(0.98, 10.0 ** (-6.0 * time_ms / 1000.0 / FALL_SECONDS)), rel=1e-5)


@pytest.mark.parametrize(
    "knob", [{"time": 351.0}, {"time": 90.0}, {"feedback": 90.0}, {"mix": 100.0}, {"high_cut": 2000.0}, {"low_cut": 300.0}]
)
def test_a_turned_knob_does_not_click(knob):
    """A low tone, the knob turned in its middle: what stands above 5 kHz. Jumps instead of glides leave -45 to -85 dB."""
    assert click_db(Delay(mix=50.0), {48077: knob}) < -95.0  # -97 measured, of the feedback


def test_sweeping_the_time_does_not_click_and_arrives():
    """A hundred turns in half a second, as a hand makes them."""
    box = Delay(mix=100.0, feedback=60.0)
    knobs = {48000 + 240 * k: {"time": time} for k, time in enumerate(np.geomspace(350.0, 700.0, 100))}
    assert click_db(box, knobs, frames=144000) < -95.0
    node = box.prepare(RATE, 1, 64).node
    goals = {frame: box.goals(box.values | turned, RATE) for frame, turned in knobs.items()}
    play_in_cuts(node, low_tone(96000), 1, [96000], goals)
    assert node.record["delay"][0] == round(0.7 * RATE)


def test_a_reset_forgets_even_what_is_no_number_without_clearing_the_line():
    node = Delay(time=100.0, mix=100.0).prepare(RATE, 1, 64).node
    rest = at_rest(node)
    node.play(np.full((1, 4000), np.nan, np.float32), 1)
    reset(node, rest)
    assert not node.play(np.zeros((1, 20000), np.float32), 1).any()
    assert sum(map(len, rest)) < 1000  # bytes that a reset copies in the audio thread
