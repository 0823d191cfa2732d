"""A guitarist who plays the same take every time: runs, chugs, chords and rests over the whole neck.

What a net learns is only what the take contains, so every cycle of phrases goes from E2 to E6 and from a whisper to
full force.
"""

from dataclasses import dataclass, replace

import numpy as np

from neuralamp.learn.signals.string import pickup, pluck
from neuralamp.units import db_to_gain, ms_to_frames

OPEN_STRINGS_HZ = (82.407, 110.0, 146.832, 195.998, 246.942, 329.628)  # E2 A2 D3 G3 B3 E4
LAST_FRET = 24  # E6 on the high string
PENTATONIC = (0, 3, 5, 7, 10)  # minor pentatonic, semitones over the root
OPEN_CHORDS = (  # frets from the low string up; None is not played
    (0, 2, 2, 1, 0, 0),  # E
    (None, 0, 2, 2, 2, 0),  # A
    (None, None, 0, 2, 3, 2),  # D
    (3, 2, 0, 0, 0, 3),  # G
    (None, 3, 2, 0, 1, 0),  # C
    (0, 2, 2, 0, 0, 0),  # Em
    (None, 0, 2, 2, 1, 0),  # Am
)
PEAK_DB = -3.0  # of a take: as hot as an interface is set
RELEASE_MS = 25.0  # a finger lifted from the string
STRUM_MS = 12.0  # from one string to the next


@dataclass(frozen=True)
class Note:
    """One pluck: when and for how long in seconds, where on the neck, how hard in dB, and whether the palm damps it."""

    start: float
    seconds: float
    string: int
    fret: int
    level_db: float
    muted: bool = False

    @property
    def frequency_hz(self) -> float:
        return OPEN_STRINGS_HZ[self.string] * 2.0 ** (self.fret / 12.0)


def riff(seconds: float, sample_rate: int, seed: int) -> np.ndarray:
    """A take of direct electric guitar, (frames,) float32, peak at -3 dBFS; the same seed gives the same take.

    Notes of `score` through the string model, then the pickup.
    The score does not depend on the sample rate; the scrape of the pick, which is noise, does.
    """
    frames = round(seconds * sample_rate)
    take = np.zeros(frames)
    for index, note in enumerate(score(seconds, seed)):
        start = round(note.start * sample_rate)
        sound = _played(note, sample_rate, np.random.default_rng([seed, index]))[: frames - start]
        take[start : start + len(sound)] += sound
    take = pickup(take, sample_rate)
    _let_go(take, sample_rate)
    return (take * (db_to_gain(PEAK_DB) / np.max(np.abs(take)))).astype(np.float32)


def score(seconds: float, seed: int) -> list[Note]:
    """The notes of a riff in order of their starts: all kinds of phrases in a seeded order, again and again."""
    rng = np.random.default_rng(seed)
    beat = 60.0 / rng.uniform(100.0, 150.0)
    notes: list[Note] = []
    now = 0.05  # a breath before the first note, so that its attack is whole
    while now < seconds:
        for phrase in rng.permutation(np.array(PHRASES, dtype=object)):
            played = phrase(rng, beat)
            notes += [replace(note, start=now + note.start) for note in played]
            now += max(note.start + note.seconds for note in played)
            now += beat * rng.choice([0.0, 0.5, 1.5])  # the rest after it
    return sorted((note for note in notes if note.start < seconds), key=lambda note: note.start)


def _run(rng: np.random.Generator, beat: float) -> list[Note]:
    """A pentatonic run across all strings in one position, from soft to hard or from hard to soft."""
    position = int(rng.integers(0, 13))
    places = [(s, f) for s in range(6) for f in range(position, position + 4) if _semitone(s, f) % 12 in PENTATONIC]
    levels = np.linspace(-32.0, 0.0, len(places))[:: rng.choice([-1, 1])] + rng.uniform(-3.0, 3.0, len(places))
    if rng.random() < 0.5:
        places = places[::-1]
    step = beat * rng.choice([0.25, 0.5])
    return [
        Note(i * step, step * rng.uniform(0.6, 1.0), s, f, level)
        for i, ((s, f), level) in enumerate(zip(places, levels, strict=True))
    ]


def _chug(rng: np.random.Generator, beat: float) -> list[Note]:
    """Palm-muted sixteenths on the low strings, accented, beginning and ending on the open E."""
    step = beat / 4.0
    frets = [0, *rng.choice([0, 0, 0, 1, 3, 5], size=14), 0]
    level = rng.uniform(-14.0, -2.0)
    notes = []
    for i, fret in enumerate(frets):
        accent = 0.0 if i % 4 == 0 else -6.0 - rng.uniform(0.0, 3.0)
        notes.append(Note(i * step, step, int(rng.integers(0, 2)) if 0 < i < 15 else 0, int(fret), level + accent, muted=True))
    return notes


def _power_chords(rng: np.random.Generator, beat: float) -> list[Note]:
    """Root, fifth and octave on the low strings, struck hard or softly, one left to ring."""
    notes = []
    lengths = [1.0, 0.5, 0.5, 3.0]
    for i, length in enumerate(lengths):
        fret, root, level = int(rng.integers(0, 9)), int(rng.integers(0, 2)), rng.uniform(-14.0, 0.0)
        shape = (fret, fret + 2, fret + 2)
        start = beat * sum(lengths[:i])
        notes += _strummed(dict(enumerate(shape, start=root)), start, beat * length * 0.95, level)
    return notes


def _open_chords(rng: np.random.Generator, beat: float) -> list[Note]:
    """Two open chords: one strummed down and up, one picked string by string and left to ring."""
    notes = []
    strummed, picked = (OPEN_CHORDS[i] for i in rng.integers(0, len(OPEN_CHORDS), 2))
    frets = {s: f for s, f in enumerate(strummed) if f is not None}
    for i in range(4):
        level = rng.uniform(-18.0, -2.0)
        notes += _strummed(frets if i % 2 == 0 else dict(reversed(frets.items())), i * beat, beat, level)
    places = [(s, f) for s, f in enumerate(picked) if f is not None]
    for i, (s, f) in enumerate(places):
        start = 4.0 * beat + 0.5 * beat * i
        notes.append(Note(start, 8.0 * beat - start, s, f, rng.uniform(-26.0, -4.0)))
    return notes


def _lead(rng: np.random.Generator, beat: float) -> list[Note]:
    """Single notes high on the neck, short and long, ending on the last fret."""
    notes = []
    now = 0.0
    for length in [*rng.choice([0.25, 0.5, 1.0, 1.5], size=7), 1.5]:
        string, fret = int(rng.integers(3, 6)), int(rng.integers(9, LAST_FRET + 1))
        notes.append(Note(now, beat * length, string, fret, rng.uniform(-16.0, 0.0)))
        now += beat * length
    notes[-1] = replace(notes[-1], string=5, fret=LAST_FRET)
    return notes


PHRASES = (_run, _chug, _power_chords, _open_chords, _lead)


def _strummed(frets: dict[int, int], start: float, seconds: float, level_db: float) -> list[Note]:
    """A chord, strings hit one after the other in the given order, each softer by 1.5 dB per string of the chord."""
    return [
        Note(start + i * STRUM_MS * 1e-3, seconds - i * STRUM_MS * 1e-3, s, f, level_db - 1.5 * len(frets))
        for i, (s, f) in enumerate(frets.items())
    ]


def _semitone(string: int, fret: int) -> int:
    """Semitones over the open low E."""
    return (0, 5, 10, 15, 19, 24)[string] + fret


def _played(note: Note, sample_rate: int, rng: np.random.Generator) -> np.ndarray:
    """The sound of one note up to the finger that ends it."""
    pick_position = rng.uniform(0.08, 0.25)
    seconds = note.seconds + RELEASE_MS * 1e-3
    sound = pluck(note.frequency_hz, seconds, sample_rate, rng, note.level_db, pick_position, note.muted)
    _let_go(sound, sample_rate)
    return sound


def _let_go(x: np.ndarray, sample_rate: int) -> None:
    """Fade the last RELEASE_MS of x to nothing, in place."""
    release = min(ms_to_frames(RELEASE_MS, sample_rate), len(x))
    x[len(x) - release :] *= 0.5 + 0.5 * np.cos(np.pi * np.arange(1, release + 1) / release)
