"""The limiter: what it lets through, what it never lets through, and how little of it is heard."""

import numpy as np
import pytest
from scipy.ndimage import maximum_filter1d

from neuralamp.blocks.limiter import Limiter
from neuralamp.dsp.envelope import HOLD_MS
from tests.sound import cuts, error_db, noise, play_in_cuts, sine

RATE = 48000.0
LATE = 72  # frames: 1.5 ms


def play(box: Limiter, x: np.ndarray, rate: float = RATE) -> np.ndarray:
    return box.prepare(rate, len(x), 64).node.play(x, len(x))


def hostile_sounds() -> dict[str, np.ndarray]:
    """(2, frames) each, up to 24 dB over full scale and more."""
    rng, peak = np.random.default_rng(1), 10.0 ** (24.0 / 20.0)
    pulses = np.where(rng.uniform(size=(2, 20000)) < 0.003, rng.uniform(-peak, peak, (2, 20000)), 0.0)
    swells = noise(2, 20000, 2, peak) * np.abs(np.sin(np.arange(20000) / 900.0)) ** 8
    return {
        "noise": noise(2, 20000, 3, peak),
        "pulses": pulses.astype(np.float32),
        "swells": swells.astype(np.float32),
        "steps": np.repeat(rng.uniform(-peak, peak, (2, 40)), 500, axis=1).astype(np.float32),
        "square": (peak * np.sign(np.sin(np.arange(40000) / 7.0))).reshape(2, -1).astype(np.float32),
        "just over": (10.0 ** (-1.0 / 20.0) * (1.0 + 2e-7 * rng.integers(-3, 4, (2, 20000)))).astype(np.float32),
        "beyond all": (noise(2, 20000, 4) * np.repeat(10.0 ** rng.uniform(0.0, 30.0, 40), 500)).astype(np.float32),
    }


@pytest.mark.parametrize("sound", hostile_sounds())
@pytest.mark.parametrize("ceiling_db", [-30.0, -1.0, -0.1, 0.0])
@pytest.mark.parametrize("drive_db", [0.0, 30.0])
def test_nothing_leaves_it_over_the_ceiling(sound, ceiling_db, drive_db):
    """Not by one unit in the last place: compared in float64 with the ceiling itself."""
    y = play(Limiter(ceiling=ceiling_db, drive=drive_db, release=20.0), hostile_sounds()[sound])
    assert np.abs(y.astype(np.float64)).max() <= 10.0 ** (ceiling_db / 20.0)


@pytest.mark.parametrize("lookahead_ms", [0.2, 10.0])
@pytest.mark.parametrize("rate", [44100.0, 96000.0])
def test_nothing_does_whatever_the_lookahead(lookahead_ms, rate):
    for x in hostile_sounds().values():
        y = play(Limiter(ceiling=-3.0, drive=12.0, lookahead=lookahead_ms), x, rate)
        assert np.abs(y.astype(np.float64)).max() <= 10.0 ** (-3.0 / 20.0)


def test_a_ceiling_that_is_lowered_holds_from_the_frame_it_is_turned_at():
    box = Limiter(ceiling=0.0, drive=12.0, release=20.0)
    node, x = box.prepare(RATE, 1, 64).node, noise(1, 20000, seed=5)
    y = play_in_cuts(node, x, 1, [20000], {5000: box.goals(box.values | {"ceiling": -12.0}, RATE)})
    lower, frames = 10.0 ** (-12.0 / 20.0), np.arange(15000 - LATE)
    assert np.all(np.abs(y[0, 5000 + LATE :]) <= lower + (1.0 - lower) * np.exp(-frames / 384.0))  # the glide of 8 ms
    assert np.abs(y[0, -5000:].astype(np.float64)).max() <= lower


def test_a_ceiling_that_is_lowered_turns_down_and_does_not_clip():
    """The ceiling's glide falls by 2 % in its first 10 frames; a gain that begins to fall smoothly then, by 0.03 %."""
    box = Limiter(ceiling=0.0)
    turns = {5000: box.goals(box.values | {"ceiling": -12.0}, RATE)}
    y = play_in_cuts(box.prepare(RATE, 1, 64).node, np.full((1, 10000), 4.0, np.float32), 1, [10000], turns)
    assert y[0, 5010] > 0.999
    assert y[0, -1] == pytest.approx(10.0 ** (-12.0 / 20.0), rel=1e-4)  # e^-13 of the glide is left


def test_what_is_under_the_ceiling_passes_bit_for_bit_but_later():
    x = noise(2, 20000, seed=6, peak=10.0 ** (-1.01 / 20.0))
    y = play(Limiter(ceiling=-1.0), x)
    assert not y[:, :LATE].any()
    assert np.array_equal(y[:, LATE:], x[:, :-LATE])


def test_after_half_a_loud_minute_a_soft_sound_passes_bit_for_bit():
    """Sums that are rounded drift, and leave a gain that is not quite 1."""
    node = Limiter(drive=20.0, release=20.0).prepare(RATE, 1, 64).node
    for seed in range(50):
        node.play(noise(1, 30000, seed, 1.0) ** 9, 1)
    node.goal[:] = Limiter(release=20.0).goals(Limiter().values | {"release": 20.0}, RATE)
    node.play(np.zeros((1, 48000), np.float32), 1)
    x = noise(1, 20000, seed=7, peak=0.5)
    assert np.array_equal(node.play(x, 1)[:, LATE:], x[:, :-LATE])


@pytest.mark.parametrize(("lookahead_ms", "rate", "late"), [(0.2, 48000.0, 10), (1.5, 44100.0, 66), (5.0, 96000.0, 480)])
def test_it_is_late_by_the_lookahead(lookahead_ms, rate, late):
    """To the nearest even number of frames; a click of 20 dB too much comes out at the ceiling at that very frame."""
    box = Limiter(lookahead=lookahead_ms, ceiling=0.0)
    x = np.zeros((1, 2000), np.float32)
    x[0, 700] = 10.0
    y = play(box, x, rate)
    assert box.prepare(rate, 1, 64).latency_frames == late
    assert np.flatnonzero(y[0]).tolist() == [700 + late]
    assert y[0, 700 + late] == pytest.approx(1.0, rel=1e-6)


@pytest.mark.parametrize("frequency_hz", [42.0, 82.41, 110.0, 440.0, 5000.0])
@pytest.mark.parametrize("release_ms", [20.0, 100.0])
def test_a_sustained_note_is_not_bent(frequency_hz, release_ms):
    """12 dB too loud: what is not the note lies 110 dB under it. Measured: -119 dB at 110 Hz and 20 ms, less elsewhere."""
    y = play(Limiter(drive=12.0, ceiling=0.0, release=release_ms), sine(frequency_hz, 96000, RATE))[0, -48000:].astype(np.float64)
    phase = 2.0 * np.pi * frequency_hz / RATE * np.arange(48000)
    basis = np.stack([np.sin(phase), np.cos(phase)], axis=1)
    amplitudes = np.linalg.lstsq(basis, y, rcond=None)[0]
    note = basis @ amplitudes
    assert error_db(y, note) < -110.0
    assert 20.0 * np.log10(np.hypot(*amplitudes)) == pytest.approx(0.0, abs=0.01)  # as loud as the ceiling allows


def test_it_is_the_limiter_of_the_textbook():
    """Against the same in numpy with whole arrays: a maximum over the window, a release, two averages, a product."""
    release_ms, slope = 50.0, LATE // 2
    x = (noise(1, 20000, 8, 4.0) ** 3 / 16.0).astype(np.float32)
    ceiling = 10.0 ** (-1.0 / 20.0)
    window = 2 * int(np.ceil((LATE + 1 + HOLD_MS * 48.0) / 2.0))
    loudest = maximum_filter1d(np.pad(np.abs(x[0]).astype(np.float64), (window, 0)), window, origin=(window - 1) // 2)[window:]
    asked = np.minimum(1.0, ceiling / np.maximum(loudest, 1e-9))
    gain, back, last = np.ones(20000), 1.0 - np.exp(-1000.0 / ((release_ms - HOLD_MS) * RATE)), 1.0
    for n in range(20000):
        last = min(asked[n], last + back * (asked[n] - last))
        gain[n] = last
    average = np.ones(slope + 1) / (slope + 1)
    smooth = np.convolve(np.convolve(np.pad(gain, (LATE, 0), constant_values=1.0), average, "valid"), average, "valid")
    expected = np.pad(x[0].astype(np.float64), (LATE, 0))[:20000] * smooth
    y = play(Limiter(release=release_ms), x)
    assert error_db(y[0], expected) < -125.0  # float32 in and out


def test_the_release_is_the_time_for_63_percent_of_the_way_back():
    for release_ms in (20.0, 100.0, 1000.0):
        x = np.full((1, 200000), 0.1, np.float32)
        x[0, :4800] = 4.0
        gain = play(Limiter(ceiling=0.0, release=release_ms), x)[0, LATE:] / x[0, :-LATE]
        reached = np.flatnonzero(gain[4800:] >= 1.0 - 0.75 * np.exp(-1.0))[0] + 1
        # half the lookahead is 36 frames; of the hold, which is a whole and even number of frames, up to 2 more
        assert reached == pytest.approx(release_ms * RATE / 1000.0 + 36.0, abs=4.0)


def test_both_channels_get_the_gain_of_the_louder():
    x = np.concatenate([noise(1, 20000, seed=9, peak=4.0), noise(1, 20000, seed=10, peak=0.1)])
    y = play(Limiter(), x)
    assert np.array_equal(y[0], play(Limiter(), x[:1])[0])
    loud = np.abs(x[:, :-LATE]).min(axis=0) > 1e-3
    assert np.allclose((y[0, LATE:] / x[0, :-LATE])[loud], (y[1, LATE:] / x[1, :-LATE])[loud], rtol=1e-6)


def test_turning_down_does_not_click():
    """A sound on the right that is 20 dB too loud from one frame to the next turns a 100 Hz tone on the left down."""
    left, right = sine(100.0, 48000, RATE, peak=0.1), np.zeros((1, 48000), np.float32)
    right[:, 10123:] = 10.0
    y = play(Limiter(ceiling=0.0), np.concatenate([left, right]))[0].astype(np.float64)
    turned = np.where(np.arange(48000) < 10123 + LATE, 1.0, 0.1) * np.roll(left[0], LATE)
    assert above_5_khz_db(turned) > -50.0  # turned down without a ramp
    assert above_5_khz_db(y) < -98.0  # -102 dB measured


def above_5_khz_db(y: np.ndarray) -> float:
    power = np.abs(np.fft.rfft(y * np.hanning(y.size))) ** 2
    return 10.0 * np.log10(power[5000:].sum() / power.sum())


@pytest.mark.parametrize("lookahead_ms", [0.2, 10.0])
def test_any_cut_of_the_stream_sounds_the_same_whatever_the_lookahead(lookahead_ms):
    box, x = Limiter(lookahead=lookahead_ms, drive=12.0), noise(2, 30000, seed=12)
    turns = {7001: box.goals(box.values | {"ceiling": -20.0, "release": 20.0}, RATE)}
    whole, cut = (
        play_in_cuts(box.prepare(RATE, 2, 8192).node, x, 2, lengths, turns)
        for lengths in ([30000], cuts(30000, np.random.default_rng(1)))
    )
    assert np.array_equal(whole, cut)


@pytest.mark.parametrize("hostile", [np.nan, np.inf, 1e30])
def test_what_is_no_sound_is_forgotten(hostile):
    x = noise(1, 96000, seed=11, peak=2.0)
    expected = play(Limiter(release=50.0), x)
    x[0, 1000:1010] = hostile
    y = play_in_cuts(Limiter(release=50.0).prepare(RATE, 1, 64).node, x, 1, cuts(96000, np.random.default_rng(1)))
    assert np.allclose(y[:, -24000:], expected[:, -24000:], rtol=1e-5)
