"""The tape delay: echoes in time, darker each time; how far the speed wavers; how the pitch bends when it is turned."""

import numpy as np
import pytest

from neuralamp.blocks.tape_delay import BUMP_HZ, BUMP_Q, TapeDelay
from neuralamp.dsp.echo import FALL_SECONDS
from tests.blocks.motion import RATE, click_db, impulse, play, speed
from tests.sound import at_rest, noise, play_in_cuts, reset, sine

STEADY = {"wow": 0.0, "flutter": 0.0}
QUIET = 1e-4  # of a soft cubic all but 1e-9 is straight there


def tape_pass(f: np.ndarray, tone: float, sample_rate: float) -> np.ndarray:
    """What one pass does to a soft sound: the cut, the resonant high-pass of the head, the mean of the saturation."""
    s = 1j * np.tan(np.pi * f / sample_rate)
    high, low = s / np.tan(np.pi * tone / sample_rate), s / np.tan(np.pi * BUMP_HZ / sample_rate)
    return low**2 / (1 + low / BUMP_Q + low**2) / (1 + np.sqrt(2) * high + high**2) * np.cos(np.pi * f / sample_rate / 2)


@pytest.mark.parametrize("sample_rate", [44100.0, 48000.0, 96000.0])
@pytest.mark.parametrize("time_ms", [30.0, 123.4, 700.0])
def test_the_first_echo_is_in_time_and_sounds_like_one_pass(time_ms, sample_rate):
    box = TapeDelay(time=time_ms, feedback=0.0, mix=100.0, tone=3000.0, **STEADY)
    y = impulse(box, round(sample_rate), sample_rate, QUIET)
    f = np.arange(50.0, 4000.0, 50.0)
    late = np.fft.rfft(y)[50:4000:50] * np.exp(2j * np.pi * f * time_ms / 1000.0) / tape_pass(f, 3000.0, sample_rate)
    assert np.allclose(20.0 * np.log10(np.abs(late)), 0.0, atol=0.03)  # a read between frames: 0.02 dB at 4 kHz of 44.1
    assert np.abs(np.angle(late) / (2.0 * np.pi * f) * sample_rate).max() < 0.05  # frames


def test_each_echo_has_passed_the_tape_once_more():
    """A burst at 1 kHz, its echoes' levels in decibels: feedback 50 % and one pass at this frequency."""
    x = np.zeros((1, 2 * RATE), np.float32)
    x[:, :4800] = sine(1000.0, 4800, RATE, QUIET) * np.hanning(4800)
    y = play(TapeDelay(time=300.0, feedback=50.0, mix=100.0, **STEADY), x)[0]
    levels = [20.0 * np.log10(np.sqrt(np.mean(np.square(y[k * 14400 : k * 14400 + 6000])))) for k in (1, 2, 3, 4, 5)]
    once = 20.0 * np.log10(0.5 * np.abs(tape_pass(np.array([1000.0]), 4500.0, RATE)[0]))
    assert np.allclose(np.diff(levels), once, atol=0.02)  # the burst is 40 Hz wide


def test_the_head_bump_is_where_it_is_said():
    f = np.arange(20.0, 400.0, 1.0)
    curve = 20.0 * np.log10(np.abs(tape_pass(f, 12000.0, RATE)))
    assert f[np.argmax(curve)] == pytest.approx(76.0, abs=2.0)
    assert curve.max() == pytest.approx(2.4, abs=0.1)


@pytest.mark.parametrize("drive", [6.0, 12.0])
def test_the_tape_rounds_off_as_a_cubic_does(drive):
    """A tone of 200 Hz at 0.3: x - 4/27 x^3 leaves a third harmonic of A^3 / 27 beside A - A^3 / 9."""
    g = 10.0 ** (drive / 20.0)
    y = play(TapeDelay(time=30.0, feedback=0.0, mix=100.0, drive=drive, tone=12000.0, **STEADY), sine(200.0, RATE, RATE, 0.3))[0]
    spectrum = np.abs(np.fft.rfft(y[RATE // 2 :] * np.hanning(RATE // 2)))
    a = 0.3 * g
    head = np.abs(tape_pass(np.array([200.0, 600.0]), 12000.0, RATE))
    expected = a**3 / 27.0 / (a - a**3 / 9.0) * head[1] / head[0]
    assert spectrum[300] / spectrum[100] == pytest.approx(expected, rel=0.01)


@pytest.mark.parametrize(
    ("drive", "tone", "alias_db"), [(6.0, 4500.0, -85.0), (12.0, 4500.0, -84.0), (20.0, 4500.0, -68.0), (24.0, 12000.0, -44.0)]
)
def test_what_folds_back_of_a_full_tone_of_5_khz(drive, tone, alias_db):
    """Measured: -87, -87, -70 and -46 dB under the tone. Without twice the frames -131, -64, -31, -29."""
    x = sine(5000.0, 2 * RATE, RATE)
    y = play(TapeDelay(time=30.0, feedback=0.0, mix=100.0, drive=drive, tone=tone, **STEADY), x)[0, RATE:]
    spectrum = np.abs(np.fft.rfft(y * np.blackman(RATE)))
    folded = spectrum[20:18000].copy()
    for harmonic in (5000, 10000, 15000):
        folded[harmonic - 24 : harmonic - 16] = 0.0
    assert 20.0 * np.log10(folded.max() / spectrum.max()) < alias_db


@pytest.mark.parametrize(
    ("knobs", "percent"), [({"wow": 1.0, "flutter": 0.0}, 1.0), ({"wow": 0.0, "flutter": 0.3}, 0.3), (STEADY, 0.0)]
)
def test_the_speed_wavers_by_as_much_as_the_knob_says(knobs, percent):
    """Half a minute: 11 turns of the slowest."""
    y = play(TapeDelay(time=100.0, feedback=0.0, mix=100.0, **knobs), sine(1000.0, 31 * RATE, RATE, 0.01))[0, RATE:]
    bent = speed(y, 1000.0)[RATE:-RATE]
    assert 100.0 * np.std(bent) == pytest.approx(percent, rel=0.05, abs=0.003)  # a tone in float32 measures 0.002
    assert np.mean(bent) == pytest.approx(1.0, abs=0.001)


def test_every_take_wavers_alike_and_both_sides_together():
    x = np.repeat(noise(1, 60000, seed=1, peak=0.3), 2, axis=0)
    box = TapeDelay(wow=2.0, flutter=1.0)
    y = play(box, x)
    assert np.array_equal(play(box, x), y)
    assert np.array_equal(y[0], y[1])


@pytest.mark.parametrize(("before", "after", "bent"), [(300.0, 900.0, 0.5), (900.0, 300.0, 2.0)])
def test_a_turn_of_the_time_bends_the_pitch_by_an_octave_and_arrives(before, after, bent):
    box = TapeDelay(time=before, feedback=0.0, mix=100.0, **STEADY)
    turns = {2 * RATE: box.goals(box.values | {"time": after}, RATE)}
    node = box.prepare(RATE, 1, 64).node
    pitch = speed(play_in_cuts(node, sine(500.0, 5 * RATE, RATE, 0.1), 1, [5 * RATE], turns)[0], 500.0)
    assert np.median(pitch[2 * RATE + 9600 : 2 * RATE + 19200]) == pytest.approx(bent, abs=0.001)  # 0.2 to 0.4 s after it
    assert pitch[RATE : -RATE // 2].min() > 0.495  # the ends of the take leak into the measure
    assert pitch[RATE : -RATE // 2].max() < 2.01
    assert np.allclose(pitch[4 * RATE : -RATE // 2], 1.0, atol=5e-3)
    assert node.record["delay"][0] == pytest.approx(after * RATE / 1000.0, abs=0.01)


@pytest.mark.parametrize(("note", "tempo", "seconds"), [("1/4", 120.0, 0.5), ("1/8t", 90.0, 2 / 9), ("1/2", 40.0, 3.0)])
def test_a_note_lasts_as_long_as_at_this_tempo(note, tempo, seconds):
    y = impulse(TapeDelay(note=note, tempo=tempo, feedback=0.0, mix=100.0, tone=12000.0, **STEADY), 4 * RATE, height=QUIET)
    assert np.argmax(np.abs(y)) == pytest.approx(seconds * RATE, abs=4.0)  # the cut at 12 kHz is 2 frames late


@pytest.mark.parametrize(
    "knob", [{"time": 400.0}, {"feedback": 90.0}, {"drive": 12.0}, {"tone": 1000.0}, {"wow": 1.0}, {"mix": 100.0}]
)
def test_a_turned_knob_does_not_click(knob):
    """A soft low tone, whose third harmonic of the tape lies far below 5 kHz."""
    assert click_db(TapeDelay(mix=50.0, drive=0.0, **STEADY), {48077: knob}, peak=0.1) < -90.0  # -93 measured, of the drive


@pytest.mark.parametrize("time_ms", [30.0, 400.0, 1500.0])
def test_at_full_feedback_even_the_bump_dies_away(time_ms):
    """Each echo of the loudest frequency is softer than the last by what the end in half a minute asks for."""
    x = np.zeros((1, 8 * RATE), np.float32)
    x[:, :24000] = sine(76.0, 24000, RATE, 0.2) * np.hanning(24000)
    y = play(TapeDelay(time=time_ms, feedback=95.0, mix=100.0, drive=0.0, **STEADY), x)[0]
    window = max(0.5, time_ms / 1000.0)  # of whole echoes, far apart
    early, late = (np.sqrt(np.mean(np.square(y[round(t * RATE) : round((t + window) * RATE)]))) for t in (2.0, 6.5))
    assert 20.0 * np.log10(late / early) < -120.0 * 4.5 / FALL_SECONDS + 1.5  # echoes of 1.5 s fall in steps


def test_the_hardest_drive_stays_bounded():
    y = play(TapeDelay(time=30.0, feedback=95.0, mix=100.0, drive=24.0, tone=12000.0), noise(2, 96000, seed=3))
    assert 0.02 < np.abs(y).max() < 0.3  # the tape itself holds 10^(-24/20) = 0.06


def test_a_reset_forgets_even_what_is_no_number_without_clearing_the_line():
    node = TapeDelay(time=100.0, mix=100.0, wow=2.0).prepare(RATE, 1, 64).node
    rest = at_rest(node)
    node.play(np.full((1, 4000), np.nan, np.float32), 1)
    reset(node, rest)
    assert not node.play(np.zeros((1, 20000), np.float32), 1).any()
    assert sum(map(len, rest)) < 2500  # bytes that a reset copies in the audio thread
