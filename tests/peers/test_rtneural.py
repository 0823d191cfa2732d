"""RTNeural's own test vectors, through the player that guitarists hear; and the reading by hand that judges the rest.

The vectors are what keras and torch gave for each model from a past of zeros: also every convolution begins behind zeros, so the
net is played as it is built, not settled on silence first.
"""

import json

import numpy as np
import pytest

from neuralamp.capture.file import open_capture
from neuralamp.nets import architecture_of
from tests.peers.rtneural_by_hand import play_by_hand
from tests.sound import cuts, play_in_cuts

NAMES = ("conv", "dense", "gru", "gru_1d", "gru_torch", "lstm", "lstm_1d", "lstm_torch")
WITHIN = 1e-6  # of outputs about 0.5 large; ten times what is asked of us, and seven times what was measured


def vectors(folder, name: str) -> tuple[np.ndarray, np.ndarray]:
    x, y = (np.loadtxt(folder / f"{name}_{row}.csv") for row in "xy")
    return x[None].astype(np.float32), y[None]


def test_every_golden_file_is_here(recordings):
    assert sorted(path.stem for path in (recordings / "golden" / "rtneural").glob("*.json")) == sorted(NAMES)


def worst_error(folder, name: str) -> float:
    """Of one frame, played whole and in cuts."""
    capture = open_capture(folder / f"{name}.json")
    x, right = vectors(folder, name)
    cutting = [x.shape[1]], cuts(x.shape[1], np.random.default_rng(1), longest=256)
    streams = [architecture_of(capture.config).stream(capture.config, capture.weights) for _ in cutting]
    played = [play_in_cuts(stream, x, 1, cut) for stream, cut in zip(streams, cutting, strict=True)]
    return float(np.abs(np.stack(played) - right).max())


@pytest.mark.parametrize("name", NAMES)
def test_a_golden_file_plays_as_its_vectors_say(name, recordings):
    assert worst_error(recordings / "golden" / "rtneural", name) < WITHIN


@pytest.mark.parametrize("name", [name for name in NAMES if not name.endswith("torch")])
def test_the_reading_by_hand_is_right(name, recordings):
    folder = recordings / "golden" / "rtneural"
    x, right = vectors(folder, name)
    by_hand = play_by_hand(json.loads((folder / f"{name}.json").read_text()), x)
    assert np.abs(by_hand - right).max() < WITHIN
