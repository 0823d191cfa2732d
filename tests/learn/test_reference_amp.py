"""The reference amp distorts as its equations say, and its speaker sounds like one."""

import numpy as np
import pytest

from neuralamp.learn.signals import tone_stack
from neuralamp.learn.signals.amp import crunch_amp
from neuralamp.learn.signals.cabinet import cabinet
from neuralamp.learn.signals.guitar import riff
from neuralamp.learn.signals.triode import TriodeStage, cathode_current, grid_current

RATE = 48000


@pytest.fixture(scope="module")
def take():
    return riff(20.0, RATE, seed=0)


def tone(frequency_hz, amplitude, seconds=1.0):
    time = np.arange(round(seconds * RATE)) / RATE
    return (amplitude * np.sin(2 * np.pi * frequency_hz * time)).astype(np.float32)


def amplitudes(x):
    """Peak amplitude of each whole hertz; x is one second long."""
    return np.abs(np.fft.rfft(x.astype(np.float64))) / len(x) * 2


def db(ratio):
    return 20 * np.log10(ratio)


def test_the_tube_rests_where_its_data_sheet_says():
    stage = TriodeStage()
    bias = stage.bias_v()
    anode = stage.supply_v - stage.anode_ohm * (bias / stage.cathode_ohm)
    # A 12AX7 with these parts on 300 V: 1.2 to 1.6 V of bias, 0.8 to 1.1 mA, gain 55 to 70.
    assert 1.2 < bias < 1.6 and 190 < anode < 220
    x, y = stage.curve()
    assert 55 < -(np.interp(0.01, x, y) - np.interp(-0.01, x, y)) / 0.02 < 70
    assert np.interp(0.0, x, y) == 0.0


def test_the_tube_curve_solves_its_circuit():
    stage = TriodeStage(grid_ohm=220e3)
    x, y = stage.curve()
    assert (np.diff(x) > 0).all() and (np.diff(y) <= 0).all()
    bias = stage.bias_v()
    rest = stage.supply_v - y[0]  # cut off, the anode stands at the supply
    for grid in (-3.0, -1.5, -0.5, 0.3):
        driven = grid + bias + stage.grid_ohm * (grid_current(grid) - grid_current(-bias))
        anode = np.interp(driven, x, y) + rest
        current = cathode_current(grid, anode - bias) - grid_current(grid)
        # Volts: straight lines over 1 mV of a curve of at most 100 V/V^2 are 13 uV off.
        assert anode == pytest.approx(stage.supply_v - stage.anode_ohm * current, abs=1e-4)


@pytest.mark.parametrize("treble, middle, bass", [(0.5, 0.5, 0.5), (0.1, 0.7, 0.9), (0.9, 0.2, 0.3)])
def test_the_tone_stack_is_the_circuit(treble, middle, bass):
    """Against the network itself, solved node by node from its parts, not from the paper's polynomials."""
    numerator, denominator = tone_stack.analog(treble, middle, bass)
    for frequency_hz in np.geomspace(20, 20000, 30):
        s = 2j * np.pi * frequency_hz
        analytic = np.polyval(numerator, s) / np.polyval(denominator, s)
        solved = solve_tone_stack(s, treble, middle, bass)
        assert abs(analytic - solved) < 1e-9 * abs(solved)  # float64; the matrix is well conditioned


def solve_tone_stack(s, treble, middle, bass):
    """The voltage at the treble wiper for 1 V at the input, by Kirchhoff's current law at six nodes."""
    top, wiper, slope, bottom, bass_end, middle_wiper = range(6)
    source, ground = 6, 7
    # 0.1 % of each track is left at its ends. Ohms, farads: the Bassman of 1959.
    treble, middle, bass = (0.001 + 0.998 * turned for turned in (treble, middle, bass))
    admittances = [
        (source, top, s * 250e-12),
        (source, slope, 1 / 56e3),
        (top, wiper, 1 / ((1 - treble) * 250e3)),
        (wiper, bottom, 1 / (treble * 250e3)),
        (slope, bottom, s * 20e-9),
        (bottom, bass_end, 1 / (bass * 1e6)),
        (bass_end, middle_wiper, 1 / ((1 - middle) * 25e3)),
        (middle_wiper, ground, 1 / (middle * 25e3)),
        (slope, middle_wiper, s * 20e-9),
    ]
    matrix = np.zeros((8, 8), complex)
    for a, b, admittance in admittances:
        matrix[[a, b], [a, b]] += admittance
        matrix[[a, b], [b, a]] -= admittance
    return np.linalg.solve(matrix[:6, :6], -matrix[:6, source])[wiper]


def test_the_digital_tone_stack_follows_the_analog_one():
    rate = 8 * RATE
    b, a = tone_stack.digital(0.6, 0.5, 0.4, rate)
    analog_b, analog_a = tone_stack.analog(0.6, 0.5, 0.4)
    for frequency_hz in np.geomspace(20, 20000, 30):
        z, s = np.exp(-2j * np.pi * frequency_hz / rate), 2j * np.pi * frequency_hz
        played = np.polyval(b[::-1], z) / np.polyval(a[::-1], z)
        wanted = np.polyval(analog_b, s) / np.polyval(analog_a, s)
        assert abs(db(abs(played / wanted))) < 0.05  # bilinear warping at a twentieth of the rate


def test_a_whisper_comes_out_clean_and_of_known_gain():
    level = amplitudes(crunch_amp(tone(1000, 1e-4, 2.0), RATE)[RATE:])
    assert db(level[1000] / 1e-4) == pytest.approx(7.4, abs=0.2)  # measured once; a change of the amp is a change of it
    assert db(level[2000] / level[1000]) < -50.0


def test_a_loud_note_crunches_with_even_and_odd_harmonics():
    level = amplitudes(crunch_amp(tone(1000, 0.7, 2.0), RATE)[RATE:])
    second, third = db(level[2000] / level[1000]), db(level[3000] / level[1000])
    assert second == pytest.approx(-33.0, abs=3.0)  # nought in a symmetric amp
    assert third == pytest.approx(-9.7, abs=2.0)  # a square wave's is -9.5


def test_more_drive_squashes_more():
    """Ten times the input: 20 dB louder from a clean amp."""

    def growth(drive):
        quiet, loud = (crunch_amp(tone(400, level), RATE, drive=drive)[RATE // 2 :] for level in (0.05, 0.5))
        return db(np.std(loud) / np.std(quiet))

    assert growth(0.2) > 17.0 and growth(0.2) > growth(0.6) > growth(1.0) and growth(1.0) < 5.0


@pytest.mark.parametrize("drive, limit_db", [(0.75, -100.0), (1.0, -55.0)])  # measured -121 and -60
def test_a_high_note_brings_no_false_tones(drive, limit_db):
    level = amplitudes(crunch_amp(tone(5003, 0.7, 2.0), RATE, drive=drive)[RATE:])
    harmonics = np.arange(0, len(level), 5003)
    fundamental = level[5003]
    level[harmonics] = 0.0
    assert db(level[:18000].max() / fundamental) < limit_db


def test_the_amp_lets_no_dc_through(take):
    y = crunch_amp(take, RATE).astype(np.float64)
    assert db(abs(y.mean()) / y.std()) < -80.0
    held = crunch_amp(np.full(RATE, 0.5, dtype=np.float32), RATE)
    assert np.abs(held[RATE // 2 : -5]).max() < 1e-6  # the last frames hear the end coming


def test_the_supply_sags_under_a_loud_chord_and_recovers():
    probe = tone(400, 0.5, 2.0)
    loud_before = np.concatenate([tone(80, 0.9, 1.0), probe])
    fresh = np.concatenate([np.zeros(RATE, dtype=np.float32), probe])
    hit, rested = (crunch_amp(x, RATE)[RATE:] for x in (loud_before, fresh))
    first = slice(480, 1440)  # 10 to 30 ms: coupling capacitors have settled, the supply has not
    assert db(np.std(hit[first]) / np.std(rested[first])) < -0.5
    assert db(np.std(hit[-9600:]) / np.std(rested[-9600:])) == pytest.approx(0.0, abs=0.01)


@pytest.mark.parametrize("peak", [0.001, 0.7])
def test_the_amp_adds_no_latency_and_keeps_polarity(peak):
    click = np.zeros(2000, dtype=np.float32)
    click[1000] = peak
    answer = crunch_amp(click, RATE)
    answer = answer / np.abs(answer).max()
    assert not answer[: 1000 - 5].any()  # five frames of delay are taken off; nothing can come sooner
    # Measured 0.05 soft and 0.09 loud on the frame before, 0.28 and 0.43 on its own: the answer begins with the pick.
    assert np.abs(answer[:1000]).max() < 0.12 and answer[1000] > 0.2
    assert np.argmax(np.abs(answer)) <= 1002 and answer.max() == 1.0


def test_the_amp_plays_a_take_of_any_length_the_same():
    x = riff(1.5, RATE, seed=2)
    whole = crunch_amp(x, RATE)
    assert whole.shape == x.shape and whole.dtype == np.float32 and np.abs(whole).max() <= 1.0
    for frames in (1, 40000, 65536):  # under a chunk, over one, and just two
        # The last 5 frames of the cut take hear silence where the whole one plays on.
        sure = max(frames - 5, 0)
        assert np.array_equal(crunch_amp(x[:frames], RATE)[:sure], whole[:sure])


def test_silence_in_silence_out():
    assert not crunch_amp(np.zeros(5000, dtype=np.float32), RATE).any()


@pytest.mark.parametrize("rate", [44100, 48000, 96000])
def test_the_cabinet_sounds_like_a_speaker(rate):
    taps = cabinet(rate, seed=0).astype(np.float64)
    assert taps.shape == (2048,)
    response = db(np.abs(np.fft.rfft(taps, rate)))  # one bin per hertz
    assert response[100:1000].mean() == pytest.approx(0.0, abs=3.0)
    assert response[30] < -15.0 and response[10000] < -20.0
    assert np.ptp(response[1500:4000]) > 4.0  # break-up: peaks and notches


def test_the_cabinet_adds_no_latency():
    """Minimum phase: no other filter of this magnitude has its energy earlier; all zeros lie inside the unit circle."""
    taps = cabinet(RATE, seed=0).astype(np.float64)
    energy = np.cumsum(taps**2) / np.sum(taps**2)
    assert np.searchsorted(energy, 0.5) < 10  # frames
    spectrum = np.fft.rfft(taps, 1 << 16)
    phase = np.unwrap(np.angle(spectrum))
    # Each zero outside the circle turns the phase by 2 pi more; a filter with none comes back to a multiple of nought.
    assert abs(phase[-1]) < 0.1


def test_the_cabinet_keeps_the_loudness_of_pink_noise():
    rng = np.random.default_rng(0)
    spectrum = np.fft.rfft(rng.standard_normal(1 << 19))
    frequency = np.fft.rfftfreq(1 << 19, 1 / RATE)
    spectrum *= np.where((frequency >= 80) & (frequency <= 8000), np.maximum(frequency, 1.0) ** -0.5, 0.0)
    taps = np.fft.rfft(cabinet(RATE, seed=5), 1 << 19)
    # Seeded noise: the thump of a few hertz' width holds few independent bins, 0.2 dB.
    assert db(np.linalg.norm(spectrum * taps) / np.linalg.norm(spectrum)) == pytest.approx(0.0, abs=0.2)


def test_every_seed_is_another_speaker():
    assert np.array_equal(cabinet(RATE, seed=1), cabinet(RATE, seed=1))
    assert not np.array_equal(cabinet(RATE, seed=1), cabinet(RATE, seed=2))
