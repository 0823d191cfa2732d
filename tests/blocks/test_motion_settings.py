"""Boxes of motion and echo in the settings that are not their defaults keep the contract of every box."""

import numpy as np
import pytest

from neuralamp.blocks import boxes
from tests.sound import at_rest, cuts, noise, play_in_cuts, reset

SETTINGS = [
    ("delay", {"ping_pong": True}),
    ("delay", {"note": "1/16t", "tempo": 300.0, "ping_pong": True}),
    ("tape_delay", {"note": "1/32", "tempo": 240.0, "wow": 2.0, "drive": 24.0}),
    ("chorus", {"voices": "1", "stereo": True}),
    ("chorus", {"voices": "4", "stereo": True, "rate": 8.0, "depth": 8.0}),
    ("flanger", {"note": "1/32", "stereo": True, "feedback": -90.0}),
    ("phaser", {"stages": "8", "note": "1/16", "stereo": True, "feedback": 90.0}),
    ("tremolo", {"note": "1/8t", "shape": 100.0, "pan": True}),
]


@pytest.mark.parametrize(("word", "settings"), SETTINGS)
@pytest.mark.parametrize("channels", [1, 2])
def test_any_cut_of_the_stream_sounds_the_same(word, settings, channels):
    box, rng = boxes()[word](**settings), np.random.default_rng(1)
    part, x = box.prepare(48000.0, channels, 64), noise(channels, 12000, seed=2, peak=0.5)
    ends = [{name: knob.high for name, knob in box.knobs().items()}, {name: knob.low for name, knob in box.knobs().items()}]
    turns = {frame: box.goals(end, 48000.0) for frame, end in zip((3001, 7777), ends, strict=True)}
    rest, goal = at_rest(part.node), part.node.goal.copy()
    whole = play_in_cuts(part.node, x, part.channels, [12000], turns)
    assert np.all(np.isfinite(whole))
    for cut in [*(cuts(12000, rng) for _ in range(3)), [1] * 12000]:
        reset(part.node, rest)
        part.node.goal[:] = goal
        assert np.array_equal(play_in_cuts(part.node, x, part.channels, cut, turns), whole)


@pytest.mark.parametrize(("word", "settings"), SETTINGS)
def test_silence_in_silence_out(word, settings):
    part = boxes()[word](**settings).prepare(48000.0, 1, 64)
    assert not part.node.play(np.zeros((1, 9000), np.float32), part.channels).any()


@pytest.mark.parametrize(("word", "settings"), SETTINGS)
def test_a_mono_sound_on_both_sides_sounds_as_it_does_in_mono(word, settings):
    box, x = boxes()[word](**settings), noise(1, 9000, seed=3, peak=0.5)
    mono, stereo = (box.prepare(48000.0, channels, 64) for channels in (1, 2))
    one, both = mono.node.play(x, mono.channels), stereo.node.play(np.repeat(x, 2, axis=0), stereo.channels)
    assert np.array_equal(np.broadcast_to(one, both.shape), both)
