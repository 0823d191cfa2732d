"""The equaliser: what its knobs say is what the spectrum shows."""

import numpy as np
import pytest

from neuralamp.blocks.eq import Eq
from tests.sound import noise, play_in_cuts, sine

RATES = [44100.0, 48000.0, 96000.0]
SIZE = 1 << 17  # frames of an impulse response: a bin every 0.37 Hz at 48 kHz


def response(sample_rate: float, **knobs: float) -> tuple[np.ndarray, np.ndarray]:
    """Frequencies in hertz and gain in decibels, of what the kernel plays."""
    x = np.zeros((1, SIZE), np.float32)
    x[0, 0] = 1.0
    y = Eq(**knobs).prepare(sample_rate, 1, SIZE).node.play(x, 1)[0].astype(np.float64)
    return np.fft.rfftfreq(SIZE, 1.0 / sample_rate), 20.0 * np.log10(np.abs(np.fft.rfft(y)) + 1e-12)


def analog_db(frequencies: np.ndarray, corner: float, sample_rate: float, numerator, denominator) -> np.ndarray:
    """The prototype at s = j tan(pi f / rate) / tan(pi corner / rate): polynomials from s^2 down."""
    s = 1j * np.tan(np.pi * frequencies / sample_rate) / np.tan(np.pi * corner / sample_rate)
    return 20.0 * np.log10(np.abs(np.polyval(numerator, s) / np.polyval(denominator, s)) + 1e-12)


def audible(frequencies: np.ndarray) -> np.ndarray:
    return (frequencies > 10.0) & (frequencies < 20000.0)


@pytest.mark.parametrize("sample_rate", RATES)
@pytest.mark.parametrize("channels", [1, 2])
def test_with_all_knobs_at_their_defaults_the_sound_passes_bit_for_bit(sample_rate, channels):
    x = noise(channels, 20000, seed=1)
    assert np.array_equal(Eq().prepare(sample_rate, channels, 64).node.play(x, channels), x)


@pytest.mark.parametrize("sample_rate", RATES)
@pytest.mark.parametrize("gain_db", [-18.0, -3.0, 6.0, 18.0])
@pytest.mark.parametrize(
    ("band", "frequency", "width"),
    [("low_mid", 100.0, 0.5), ("mid", 1000.0, 2.0), ("high_mid", 4000.0, 1.0), ("high_mid", 8000.0, 4.0)],
)
def test_a_peak_has_its_decibels_at_its_frequency(sample_rate, gain_db, band, frequency, width):
    knobs = {band: gain_db, f"{band}_frequency": frequency, f"{band}_width": width}
    frequencies, db = response(sample_rate, **knobs)
    top = np.argmax(db * np.sign(gain_db))
    a, b, c = db[top - 1 : top + 2]
    found = frequencies[top] + 0.5 * (a - c) / (a - 2.0 * b + c) * frequencies[1]
    assert found == pytest.approx(frequency, rel=0.01)
    assert db[top] == pytest.approx(gain_db, abs=0.1)
    root, q = 10.0 ** (gain_db / 40.0), 0.5 / np.sinh(0.5 * np.log(2.0) * width)
    expected = analog_db(frequencies, frequency, sample_rate, [1.0, root / q, 1.0], [1.0, 1.0 / (root * q), 1.0])
    # 0.01 dB: a float32 output of an impulse, measured through a spectrum of its first 1.4 to 3 s
    assert np.allclose(db[audible(frequencies)], expected[audible(frequencies)], atol=0.01)


@pytest.mark.parametrize("width", [0.3, 1.0, 2.0])
def test_half_the_width_away_stand_half_the_decibels(width):
    frequencies, db = response(96000.0, mid=12.0, mid_frequency=500.0, mid_width=width)
    for edge in (500.0 * 2.0 ** (-width / 2.0), 500.0 * 2.0 ** (width / 2.0)):
        assert np.interp(edge, frequencies, db) == pytest.approx(6.0, abs=0.1)  # the axis is hardly bent at 500 Hz


@pytest.mark.parametrize("sample_rate", RATES)
@pytest.mark.parametrize("gain_db", [-18.0, 6.0, 18.0])
def test_a_shelf_has_half_its_decibels_at_its_corner_and_all_beyond(sample_rate, gain_db):
    root = 10.0 ** (gain_db / 40.0)
    frequencies, db = response(sample_rate, bass=gain_db, bass_corner=200.0)
    assert np.interp(200.0, frequencies, db) == pytest.approx(gain_db / 2.0, abs=0.1)
    assert np.interp(10.0, frequencies, db) == pytest.approx(gain_db, abs=0.1)
    assert np.interp(5000.0, frequencies, db) == pytest.approx(0.0, abs=0.1)
    frequencies, db = response(sample_rate, treble=gain_db, treble_corner=3000.0)
    assert np.interp(3000.0, frequencies, db) == pytest.approx(gain_db / 2.0, abs=0.1)
    assert np.interp(100.0, frequencies, db) == pytest.approx(0.0, abs=0.1)
    slope = np.sqrt(2.0 * root)
    expected = analog_db(frequencies, 3000.0, sample_rate, [root**2, root * slope, root], [1.0, slope, root])
    assert np.allclose(db[audible(frequencies)], expected[audible(frequencies)], atol=0.01)


@pytest.mark.parametrize("sample_rate", RATES)
def test_a_cut_is_3_db_down_at_its_corner_and_falls_by_12_db_per_octave(sample_rate):
    frequencies, db = response(sample_rate, low_cut=200.0, high_cut=18000.0)
    assert np.interp(200.0, frequencies, db) == pytest.approx(-3.01, abs=0.05)
    assert np.interp(25.0, frequencies, db) - np.interp(50.0, frequencies, db) == pytest.approx(-12.04, abs=0.1)
    frequencies, db = response(sample_rate, high_cut=2000.0)
    assert np.interp(2000.0, frequencies, db) == pytest.approx(-3.01, abs=0.05)
    expected = analog_db(frequencies, 2000.0, sample_rate, [1.0], [1.0, np.sqrt(2.0), 1.0])
    band = audible(frequencies) & (expected > -80.0)
    assert np.allclose(db[band], expected[band], atol=0.05)  # under -80 dB float32 shows


@pytest.mark.parametrize(("knob", "off", "nearly"), [("low_cut", 20.0, 20.05), ("high_cut", 20000.0, 19980.0)])
def test_a_cut_leaves_its_end_without_a_jump(knob, off, nearly):
    x = noise(1, 20000, seed=2)
    y = Eq(**{knob: nearly}).prepare(48000.0, 1, 64).node.play(x, 1)
    assert np.array_equal(Eq(**{knob: off}).prepare(48000.0, 1, 64).node.play(x, 1), x)
    assert 0.0 < np.sqrt(np.mean(np.square(y - x))) < 0.01 * np.sqrt(np.mean(np.square(x)))  # a hundredth of the fade


def test_a_cut_undoes_a_boost():
    x = noise(1, 20000, seed=3, peak=0.1)
    y = Eq(bass=9.0, mid=12.0, treble=-6.0).prepare(48000.0, 1, 64).node.play(x, 1)
    z = Eq(bass=-9.0, mid=-12.0, treble=6.0).prepare(48000.0, 1, 64).node.play(y, 1)
    assert np.abs(z - x).max() < 1e-6  # float32 between the two


def test_knobs_turned_wildly_stay_stable():
    """Every tenth of a second every knob goes to a random place; nothing may build up."""
    rng, box = np.random.default_rng(4), Eq()
    x = noise(1, 96000, seed=5, peak=0.1)
    random = [{name: rng.uniform(knob.low, knob.high) for name, knob in box.knobs().items()} for _ in range(20)]
    turns = {4800 * k: box.goals(values, 48000.0) for k, values in enumerate(random)}
    y = play_in_cuts(box.prepare(48000.0, 1, 64).node, x, 1, [96000], turns)
    assert np.abs(y).max() < 0.1 * 10.0 ** (5 * 18.0 / 20.0)  # five boosts of 18 dB on top of each other
    assert np.abs(y).max() > 0.1


def test_the_slowest_filter_is_silent_after_the_tail_told():
    part = Eq(low_mid=18.0, low_mid_frequency=80.0, low_mid_width=0.3).prepare(48000.0, 1, 64)
    end = 24000
    x = np.zeros((1, end + part.tail_frames + 4800), np.float32)
    x[:, :end] = sine(80.0, end, 48000.0, peak=0.1)
    y = np.abs(part.node.play(x, 1))
    rings_db = 20.0 * np.log10(y[:, end + part.tail_frames :].max() / y.max())
    assert -180.0 < rings_db < -120.0  # told neither too short nor much too long


def test_at_a_low_rate_a_corner_beyond_the_band_stays_finite():
    x = noise(1, 8000, seed=6)
    y = Eq(treble=18.0, treble_corner=12000.0, high_cut=19000.0).prepare(16000.0, 1, 64).node.play(x, 1)
    assert np.all(np.isfinite(y))
    assert np.abs(y).max() < 8.0 * np.abs(x).max()  # 18 dB
