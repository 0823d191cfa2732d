"""No dirt box plays tones that nobody played: the short form of `python -m realtime.bench.aliases`."""

import numpy as np
import pytest

from neuralamp.block import Block
from neuralamp.blocks import boxes
from realtime.bench.aliases import DRIVES, LIMITS_DB, alias, worst

BOXES = sorted(DRIVES.keys() & boxes().keys())


@pytest.mark.parametrize(("sample_rate", "drive_db"), [(44100, np.inf), (48000, 20.0), (48000, np.inf), (96000, np.inf)])
@pytest.mark.parametrize("name", BOXES)
def test_the_worst_alias_of_a_5_khz_tone_is_under_its_limit(name, sample_rate, drive_db):
    assert worst(name, drive_db, sample_rate).worst_db < LIMITS_DB[drive_db]


@pytest.mark.parametrize("peak", [0.01, 0.1, 0.5])
@pytest.mark.parametrize("name", BOXES)
def test_softer_tones_alias_no_more(name, peak):
    box = boxes()[name]
    assert alias(box(**{DRIVES[name]: 20.0}), 48000, peak)[0] < LIMITS_DB[20.0]
    assert alias(box(**{DRIVES[name]: box.knobs()[DRIVES[name]].high}), 48000, peak)[0] < LIMITS_DB[np.inf]


def test_a_clipper_without_a_faster_clock_is_caught():
    assert alias(Naked(), 48000)[0] > -40.0


class Naked(Block):
    """Ten times as loud, and cut off."""

    def prepare(self, sample_rate, channels, max_frames):
        return self

    @property
    def node(self):
        return self

    def play(self, x, outputs):
        return np.clip(10.0 * x, -1.0, 1.0)
