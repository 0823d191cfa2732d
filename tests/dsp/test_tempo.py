"""Note values: a dot is half as long again, three triplets fill two notes."""

from neuralamp.dsp.tempo import NOTE_WORDS, NOTES, quarters


def test_every_note_lasts_its_fraction_of_four_quarters():
    for word in NOTES:
        plain = word.rstrip(".t")
        longer = 1.5 if word.endswith(".") else 2.0 / 3.0 if word.endswith("t") else 1.0
        assert abs(quarters(word) - 4.0 / int(plain.removeprefix("1/")) * longer) < 1e-12, word


def test_off_is_the_default_and_lasts_nothing():
    assert NOTE_WORDS[0] == "off"
    assert quarters("off") == 0.0
