"""The bench compares equals: what onnxruntime and torch are timed at is the sound that the engine plays."""

import numpy as np
import pytest

from neuralamp.app.bench import onnxruntime_stream, random_weights
from neuralamp.learn.torch_stream import torch_stream
from neuralamp.nets import architecture_of
from neuralamp.nets.in_the_wild import IN_THE_WILD
from neuralamp.nets.weights import count
from tests.sound import error_db, noise


@pytest.mark.parametrize("name", IN_THE_WILD)
def test_all_three_play_the_same(name: str):
    config = IN_THE_WILD[name]
    weights = random_weights(config)
    x = noise(1, 3000, seed=1, peak=0.5)
    played = architecture_of(config).stream(config, weights).play(x, 1)[0]
    for stream in (onnxruntime_stream(config, weights), torch_stream(config, weights)):
        heard = np.concatenate([stream(x[0, at : at + 64]) for at in range(0, 3000, 64)])
        assert error_db(heard, played) < -90.0  # float32 sums in other orders; a forgotten past leaves -20 dB and more


def test_the_nets_are_those_in_the_wild():
    known = {"A1 standard": 13802, "A2 full": 12146, "A2 lite": 1871}  # the files that people share
    assert {name: count(IN_THE_WILD[name].weights()) for name in known} == known
