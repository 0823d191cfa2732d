"""The made-up .nam files are what a reader can be held to: every option in several of them, and each of them sounds."""

import functools
import json
from collections import Counter

import numpy as np
import pytest

from tests.capture.nam_files import ARCHITECTURES, random_nam, sizes_of
from tests.capture.nam_options import ANY_FILE, OPTIONS, covered_options
from tests.peers.nam_by_hand import play_by_hand
from tests.sound import noise

SEEDS = {"WaveNet": 260, "LSTM": 25, "ConvNet": 400, "Linear": 60, "SlimmableContainer": 40}
"""Enough that the rarest option of each architecture comes up three times."""


@functools.cache
def files(architecture: str) -> list:
    return [random_nam(architecture, seed) for seed in range(SEEDS[architecture])]


@pytest.mark.parametrize("architecture", ARCHITECTURES)
def test_every_option_of_the_format_is_met_at_least_three_times(architecture):
    counted = Counter(option for model in files(architecture) for option in covered_options(model))
    assert {option: counted[option] for option in OPTIONS[architecture] if counted[option] < 3} == {}


def test_every_spelling_of_what_stands_around_the_net_is_met_at_least_three_times():
    models = [model for architecture in ARCHITECTURES for model in files(architecture)]
    counted = Counter(option for model in models for option in covered_options(model))
    assert {option: counted[option] for option in ANY_FILE if counted[option] < 3} == {}


@pytest.mark.parametrize("architecture", ARCHITECTURES)
def test_every_file_sounds_at_every_size(architecture):
    x = np.concatenate([np.zeros(200), noise(1, 1500, seed=5, peak=0.5)[0] * np.linspace(0.1, 1.0, 1500)])
    for model in files(architecture)[:6]:
        for size in sizes_of(model):
            y = play_by_hand(model, x, size)[0, 200:]
            assert 0.01 < np.sqrt(np.mean(np.square(y))) < 10.0
            assert np.std(y) > 0.05 * abs(np.mean(y))  # not only an offset, under which a wrong sound would hide


@pytest.mark.parametrize("architecture", ARCHITECTURES)
def test_a_file_is_json_and_its_seed_makes_it_again(architecture):
    for seed, model in enumerate(files(architecture)[:5]):
        assert json.loads(json.dumps(random_nam(architecture, seed))) == model


def test_a_wish_is_granted_and_one_that_nobody_asks_about_is_refused():
    for seed in range(5):
        model = random_nam("WaveNet", seed, slimmable=True, outputs=1, sample_rate=None, condition_dsp=False)
        covered = covered_options(model)
        assert "one output" in covered
        assert "sample_rate None" in covered
        assert not covered & {"condition_dsp LSTM", "several conditions"}
        assert len(sizes_of(model)) > 1
    with pytest.raises(KeyError, match="never asked about sparkle"):
        random_nam("LSTM", 1, sparkle=1)
