"""Note values: how many quarters of a bar a note lasts, for what moves in time with the song."""

NOTES = {
    "1/1": 4.0,
    "1/2.": 3.0,
    "1/2": 2.0,
    "1/2t": 4.0 / 3.0,
    "1/4.": 1.5,
    "1/4": 1.0,
    "1/4t": 2.0 / 3.0,
    "1/8.": 0.75,
    "1/8": 0.5,
    "1/8t": 1.0 / 3.0,
    "1/16.": 0.375,
    "1/16": 0.25,
    "1/16t": 1.0 / 6.0,
    "1/32": 0.125,
}
"""Note -> quarters. A dot lasts half as long again, t is one of three in the time of two."""

NOTE_WORDS = ("off", *NOTES)
"""What a box in time with the song may be built with: off is its own time."""

SLOWEST_BPM, FASTEST_BPM = 40.0, 300.0


def quarters(word: str) -> float:
    """How many quarters a note of NOTE_WORDS lasts; 0 for off."""
    return NOTES.get(word, 0.0)
