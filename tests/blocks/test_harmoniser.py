"""The harmoniser: the right note of the scale, in tune, soon, and the guitar untouched."""

import numpy as np
import pytest
import soundfile

from neuralamp.blocks.harmoniser import KEYS, MOST_STEPS, SCALES, Harmoniser, interval_ratios
from neuralamp.errors import KnobError
from tests.blocks.partials import cents, first_partial, name_to_hz, partial_db
from tests.sound import noise, sine

RATE = 48000.0


def hertz(note: float) -> float:
    """Of a note by its number; A4 is 69."""
    return 440.0 * 2.0 ** ((note - 69.0) / 12.0)


def voice_alone(note: float, **values) -> np.ndarray:
    """The second half of two seconds of a sine, heard through the first voice alone."""
    box = Harmoniser(**({"dry": 0.0, "level": 100.0} | values))
    return box.prepare(RATE, 1, 64).node.play(sine(hertz(note), 96000, RATE, 0.3), 1)[0, 48000:].astype(np.float64)


# The white keys from C4 on, and the notes a third above them, as any book of scales has it.
C_MAJOR_THIRDS = {60: 64, 62: 65, 64: 67, 65: 69, 67: 71, 69: 72, 71: 74}


@pytest.mark.parametrize(("note", "third"), C_MAJOR_THIRDS.items())
def test_in_c_major_the_thirds_are_the_white_keys(note, third):
    y = voice_alone(note)
    assert abs(cents(first_partial(y, RATE, hertz(third)), hertz(third))) < 1.0
    assert partial_db(y, RATE, hertz(third)) == pytest.approx(20.0 * np.log10(0.3), abs=0.2)


@pytest.mark.parametrize(
    ("key", "scale", "steps", "note", "right"),
    [
        ("A", "minor", 2, 57, 60),  # A and C
        ("A", "minor", 2, 59, 62),  # B and D
        ("A", "harmonic_minor", 2, 64, 68),  # E and G sharp
        ("E", "minor_pentatonic", 1, 52, 55),  # E and G
        ("G", "major", -3, 67, 62),  # G and the D below
        ("D", "dorian", 7, 62, 74),  # the octave
        ("F#", "major", 0, 66, 66),
        ("C", "chromatic", 5, 61, 66),
        ("C", "major", 2, 61, 65),  # C sharp is no note of the scale: led as C, four semitones
    ],
)
def test_the_voice_keeps_to_the_scale(key, scale, steps, note, right):
    y = voice_alone(note, key=key, scale=scale, interval=float(steps))
    assert abs(cents(first_partial(y, RATE, hertz(right)), hertz(right))) < 1.0


def test_a_string_out_of_tune_stays_as_far_out():
    """The voice is led by the note, not drawn to it: what is 20 cents flat is answered 20 cents flat."""
    y = voice_alone(64 - 0.2)
    assert abs(cents(first_partial(y, RATE, hertz(67)), hertz(67)) + 20.0) < 1.0


def test_the_second_voice_is_another():
    box = Harmoniser(dry=0.0, level=0.0, level_2=50.0, interval_2=4.0)
    y = box.prepare(RATE, 1, 64).node.play(sine(hertz(60), 96000, RATE, 0.3), 1)[0, 48000:].astype(np.float64)
    assert partial_db(y, RATE, hertz(67)) == pytest.approx(20.0 * np.log10(0.15), abs=0.2)


@pytest.mark.parametrize("name", ["e2", "a2", "c3", "a3", "c4", "a4", "c5"])
def test_on_a_real_string_the_third_is_right(recordings, name):
    """In the key of each note, so that its third is a major one: four semitones above what is played."""
    x, rate = soundfile.read(recordings / "notes" / "electric_guitar_di" / f"{name}_mf_rr1.flac")
    onset = np.flatnonzero(np.abs(x) > 0.1 * np.abs(x).max())[0]
    x = x[onset : onset + round(1.6 * rate)]
    box = Harmoniser(dry=0.0, level=100.0, key=name[0].upper())
    y = box.prepare(float(rate), 1, 64).node.play(x[None].astype(np.float32), 1)[0].astype(np.float64)
    third = 2.0 ** (4.0 / 12.0)
    begin, late = round(0.3 * rate), round(0.02 * rate)
    end = begin + round(1.2 * rate)
    played = first_partial(x[begin:end], rate, name_to_hz(name))
    heard = first_partial(y[begin + late : end + late], rate, name_to_hz(name) * third)
    assert abs(cents(heard, played * third)) < 2.0


def test_a_new_note_is_answered_within_60_ms():
    """From E to F in C major the third becomes a major one; 60 ms after the change the voice is at A."""
    frames = 48000
    angle = 2.0 * np.pi * np.cumsum(np.repeat([hertz(64), hertz(65)], frames)) / RATE
    x = (0.3 * np.sin(angle)).astype(np.float32)[None]
    y = Harmoniser(dry=0.0, level=100.0).prepare(RATE, 1, 64).node.play(x, 1)[0].astype(np.float64)
    begin = frames + round(0.06 * RATE)
    assert abs(cents(first_partial(y[begin : begin + 4800], RATE, hertz(69)), hertz(69))) < 10.0  # 100 ms are not long


def test_the_guitar_itself_is_untouched_and_not_late():
    x = noise(2, 9600, 1, 0.5)
    part = Harmoniser(level=0.0).prepare(RATE, 2, 64)
    assert part.latency_frames == 0
    assert np.array_equal(part.node.play(x, 2), x)


def test_the_octave_of_every_scale_in_every_key_is_an_octave():
    for key in KEYS:
        for scale, notes in SCALES.items():
            ratios = interval_ratios(key, scale)
            assert np.all(ratios[:, MOST_STEPS] == 1.0)
            if len(notes) <= MOST_STEPS:
                assert np.allclose(ratios[:, MOST_STEPS + len(notes)], 2.0)
            assert np.all(np.diff(ratios, axis=1) > 0.0)


def test_a_key_that_does_not_exist_is_told():
    with pytest.raises(KnobError, match="key = 'H' is not possible; give one of: C, C#, D"):
        Harmoniser(key="H")
