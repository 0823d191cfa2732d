"""The octaver: an octave is an octave, on every real note and all the time."""

import numpy as np
import pytest
import soundfile

from neuralamp.blocks.octaver import Octaver
from tests.blocks.partials import cents, first_partial, name_to_hz, partial_db, residue_db
from tests.sound import noise, play_in_cuts, sine

RATE = 48000.0
VOICES = {"sub": 0.5, "up": 2.0}


def alone(voice: str) -> Octaver:
    return Octaver(**({"dry": 0.0, "sub": 0.0, "up": 0.0} | {voice: 100.0}))


@pytest.mark.parametrize("rate", [44100.0, 48000.0, 96000.0])
@pytest.mark.parametrize("voice", ["sub", "up"])
@pytest.mark.parametrize("frequency", [41.2, 82.41, 110.0, 246.94, 659.26])
def test_an_octave_is_within_a_cent(frequency, voice, rate):
    right = frequency * VOICES[voice]
    y = alone(voice).prepare(rate, 1, 64).node.play(sine(frequency, round(1.5 * rate), rate, 0.3), 1)[0, round(0.5 * rate) :]
    assert abs(cents(first_partial(y.astype(np.float64), rate, right), right)) < 1.0
    assert residue_db(y.astype(np.float64), rate, [right]) < -40.0


def test_a_real_note_never_jumps_to_another_octave(recordings):
    """The partial an octave below a note is as loud as the note's first, in every quarter of a second of every note.

    A divider that takes the second partial for the note has nothing there. Twelve notes from E2 to D6, softly and hard.
    """
    off = []
    for name in ("e2", "a2", "c3", "gb3", "c4", "a4"):
        for velocity in ("mf", "f"):
            x, rate = soundfile.read(recordings / "notes" / "electric_guitar_di" / f"{name}_{velocity}_rr1.flac")
            onset = np.flatnonzero(np.abs(x) > 0.1 * np.abs(x).max())[0]
            x = x[onset : onset + round(2.1 * rate)].astype(np.float32)
            y = alone("sub").prepare(float(rate), 1, 64).node.play(x[None], 1)[0].astype(np.float64)
            note = first_partial(x[round(0.3 * rate) :].astype(np.float64), rate, name_to_hz(name))
            quarter, late = round(0.25 * rate), round(0.02 * rate)
            for begin in range(quarter, 7 * quarter, quarter):
                played, below = x[begin : begin + quarter], y[begin + late : begin + late + quarter]
                off.append(partial_db(below, rate, 0.5 * note) - partial_db(played, rate, note))
    assert len(off) == 72
    assert np.abs(off).max() < 3.0
    assert np.sqrt(np.mean(np.square(off))) < 1.0


def test_a_chord_has_each_of_its_notes_below():
    """An open fifth and its octave, E2 B2 E3: each of the three sounds an octave lower, as loud as it was."""
    notes = (82.41, 123.47, 164.81)
    x = np.sum([sine(f, 96000, RATE, 0.1) for f in notes], axis=0)
    y = alone("sub").prepare(RATE, 1, 64).node.play(x, 1)[0, 24000:].astype(np.float64)
    for note in notes:
        assert partial_db(y, RATE, 0.5 * note) == pytest.approx(-20.0, abs=1.0)
    assert residue_db(y, RATE, [0.5 * note for note in notes]) < -20.0


def test_the_guitar_itself_is_untouched_and_not_late():
    x = noise(2, 9600, 1, 0.5)
    part = Octaver(sub=0.0, up=0.0).prepare(RATE, 2, 64)
    assert part.latency_frames == 0
    assert np.array_equal(part.node.play(x, 2), x)


def test_the_voices_add_up():
    x = sine(110.0, 24000, RATE, 0.3)
    both = Octaver(dry=40.0, sub=70.0, up=20.0).prepare(RATE, 1, 64).node.play(x, 1)
    sub, up = (alone(voice).prepare(RATE, 1, 64).node.play(x, 1) for voice in ("sub", "up"))
    assert np.allclose(both, 0.4 * x + 0.7 * sub + 0.2 * up, atol=1e-6)


def test_a_low_note_sounds_below_within_40_ms():
    x = np.concatenate([np.zeros((1, 9600), np.float32), sine(82.41, 48000, RATE, 0.3)], axis=1)
    y = alone("sub").prepare(RATE, 1, 64).node.play(x, 1)[0]
    assert np.flatnonzero(np.abs(y) > 0.03)[0] < 9600 + 40 * 48


def test_a_knob_is_turned_without_a_click():
    box, x = Octaver(), sine(110.0, 48000, RATE, 0.3)
    turns = {20011: box.goals({"dry": 0.0, "sub": 0.0, "up": 100.0}, RATE)}
    y = play_in_cuts(box.prepare(RATE, 1, 64).node, x, 1, [48000], turns)[0]
    power = np.abs(np.fft.rfft(y * np.hanning(y.size))) ** 2
    assert 10.0 * np.log10(power[3000:].sum() / power.sum()) < -60.0
