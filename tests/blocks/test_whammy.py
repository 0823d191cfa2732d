"""The whammy: in tune, clean, gone when it is not used."""

import numpy as np
import pytest
import soundfile

from neuralamp.blocks.whammy import Whammy
from tests.blocks.partials import cents, first_partial, residue_db
from tests.sound import noise, play_in_cuts, sine

RATE = 48000.0
STEADY = slice(24000, 72000)  # half a second after the beginning, for a second


def tone(frequency: float, partials: int = 6, frames: int = 96000) -> np.ndarray:
    """(1, frames) of a note whose partials fall by 6 dB per octave."""
    angle = 2.0 * np.pi * frequency / RATE * np.arange(frames)
    return sum(0.2 / k * np.sin(k * angle + k * k) for k in range(1, partials + 1))[None].astype(np.float32)


def played(x: np.ndarray, rate: float = RATE, **knobs: float) -> np.ndarray:
    part = Whammy(**knobs).prepare(rate, len(x), 64)
    return part.node.play(x, len(x)).astype(np.float64)


@pytest.mark.parametrize("semitones", [-24.0, -12.0, -5.0, -1.0, 0.5, 3.0, 7.0, 12.0, 24.0])
@pytest.mark.parametrize("frequency", [82.41, 196.0, 440.0, 987.77])
def test_a_sine_is_in_tune_and_clean(frequency, semitones):
    """Measured: worst at 988 Hz, -33 dB two octaves up, where a second holds 90 splices, and -42 dB within an octave."""
    right = frequency * 2.0 ** (semitones / 12.0)
    y = played(sine(frequency, 96000, RATE, 0.3), heel=semitones)[0, STEADY]
    assert abs(cents(first_partial(y, RATE, right), right)) < 0.5
    assert residue_db(y, RATE, [right]) < (-30.0 if semitones == 24.0 else -41.0)


@pytest.mark.parametrize("rate", [44100.0, 96000.0])
def test_it_is_in_tune_at_any_rate(rate):
    y = played(sine(196.0, round(2.0 * rate), rate, 0.3), rate, heel=7.0)[0, round(0.5 * rate) :]
    assert abs(cents(first_partial(y, rate, 293.66), 196.0 * 2.0 ** (7.0 / 12.0))) < 0.5


@pytest.mark.parametrize("semitones", [-12.0, 12.0])
def test_a_note_with_partials_stays_one(semitones):
    y = played(tone(110.0), heel=semitones)[0, STEADY]
    assert residue_db(y, RATE, [k * 110.0 * 2.0 ** (semitones / 12.0) for k in range(1, 7)]) < -40.0


def test_a_fifth_stays_clean():
    """A power chord, the tempered fifth of E2, is nearly periodic: -19 dB measured an octave up, -26 down."""
    x = 0.5 * (tone(82.41, 4) + tone(123.47, 4))
    for semitones, bound_db in ((12.0, -18.0), (-12.0, -24.0)):
        partials = [k * f * 2.0 ** (semitones / 12.0) for f in (82.41, 123.47) for k in range(1, 5)]
        assert residue_db(played(x, heel=semitones)[0, STEADY], RATE, partials) < bound_db


@pytest.mark.parametrize("semitones", [-12.0, -5.0, -1.0, 1.0, 5.0, 12.0])
def test_an_open_chord_stays_in_tune(semitones):
    """E major on six strings: what lies more than 25 cents, or 3 Hz, from every partial is under -24 dB (-27.5 measured).

    The splices of a chord fit no note wholly; what they leave are sidebands, which a coarser splice spreads.
    """
    strings = (82.41, 123.47, 164.81, 207.65, 246.94, 329.63)
    x = np.sum([0.3 * tone(string, 4, 144000) for string in strings], axis=0)
    y = played(x, heel=semitones)[0, 48000:]
    power = np.square(np.abs(np.fft.rfft(y * np.hanning(y.size))))
    bins = np.fft.rfftfreq(y.size, 1.0 / RATE)
    partials = [k * string * 2.0 ** (semitones / 12.0) for string in strings for k in range(1, 5)]
    in_tune = np.any([np.abs(bins - partial) < max(3.0, 0.0145 * partial) for partial in partials], axis=0)
    assert 10.0 * np.log10(power[~in_tune].sum() / power.sum()) < -24.0


@pytest.mark.parametrize("semitones", [-12.0, -5.0, 5.0, 12.0])
def test_a_real_take_keeps_its_level(recordings, semitones):
    """Chords too: in windows of 200 ms, no more than a few lie 3 dB off. A splice that cancels would."""
    take = sorted((recordings / "di").glob("*.flac"))[0]
    x = soundfile.read(take, frames=10 * 48000)[0].astype(np.float32)[None]
    y = played(x, heel=semitones)
    late = 960  # 20 ms, about the mean
    loudness = [
        10.0 * np.log10(np.mean(np.square(sound.reshape(-1, 9600)), axis=1) + 1e-12)
        for sound in (x[0, : 48 * 9600].astype(np.float64), y[0, late : late + 48 * 9600])
    ]
    played_on = loudness[0] > loudness[0].max() - 30.0
    off = (loudness[1] - loudness[0])[played_on]
    assert abs(np.median(off)) < 0.5
    assert np.mean(np.abs(off) < 3.0) > 0.9


def test_with_the_heel_down_it_is_not_there():
    x = noise(2, 9600, 1, 0.5)
    assert np.array_equal(played(x), x)


def test_it_goes_back_to_nothing_when_the_heel_comes_down():
    """After a second at the toe the sound is again the very input, 100 ms after the pedal went back."""
    box, x = Whammy(glide=5.0), noise(1, 72000, 2, 0.3)
    down, up = box.goals(box.values, RATE), box.goals(box.values | {"position": 100.0}, RATE)
    y = play_in_cuts(box.prepare(RATE, 1, 64).node, x, 1, [72000], {100: up, 48000: down})
    assert not np.array_equal(y[0, 10000:40000], x[0, 10000:40000])
    assert np.array_equal(y[0, 60000:], x[0, 60000:])


def test_the_pedal_sweeps_without_a_click():
    """A sine of 220 Hz under a wild foot: what stands above 3 kHz is the splices' own."""
    box, rng = Whammy(), np.random.default_rng(3)
    turns = {2400 * k: box.goals(box.values | {"position": rng.uniform(0.0, 100.0)}, RATE) for k in range(1, 40)}
    y = play_in_cuts(box.prepare(RATE, 1, 64).node, sine(220.0, 96000, RATE, 0.3), 1, [96000], turns)[0, :96000]
    power = np.abs(np.fft.rfft(y * np.hanning(y.size))) ** 2
    assert 10.0 * np.log10(power[6000:].sum() / power.sum()) < -60.0


@pytest.mark.parametrize(("semitones", "bound_ms"), [(24.0, 50.0), (12.0, 41.0), (-12.0, 40.0), (2.0, 41.0)])
def test_a_note_comes_no_later_than_told(semitones, bound_ms):
    """From silence. The longest jump is 34 ms, and a fade of 5 ms takes up to three more of these."""
    assert "by 50 ms at most" in Whammy().prepare(RATE, 1, 64).notes[0]
    x = np.concatenate([np.zeros((1, 24000), np.float32), sine(220.0, 24000, RATE, 0.3)], axis=1)
    heard = np.flatnonzero(np.abs(played(x, heel=semitones)[0]) > 0.03)[0]
    assert 24000 <= heard <= 24000 + bound_ms * 48.0


def test_the_mix_adds_the_guitar_itself():
    x = sine(220.0, 48000, RATE, 0.3)
    wet, half = played(x, heel=12.0), played(x, heel=12.0, mix=50.0)
    assert np.allclose(half, 0.5 * (wet + x), atol=1e-6)
    assert np.array_equal(played(x, heel=12.0, mix=0.0), x)
