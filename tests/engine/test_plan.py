"""The engine offline: chains, lanes, events, latency; one function for every cut of the stream."""

import numpy as np
import pytest

from neuralamp.block import Block
from neuralamp.blocks import boxes
from neuralamp.engine import Engine, render
from neuralamp.errors import EngineError, KnobError
from neuralamp.messages import Event, Turn
from neuralamp.rig import Lanes, Rig
from tests.blocks.samples import sample
from tests.engine.boxes import Late
from tests.sound import cuts, noise

RATE = 48000.0


def level(db: float) -> Block:
    return boxes()["level"](level=db)


def rig(*chain) -> Rig:
    return Rig("test", chain)


@pytest.fixture
def long_chain(tmp_path) -> Rig:
    """Every box there is, two lanes, a late box in one of them."""
    return rig(
        sample("gate", tmp_path),
        Lanes(((sample("amp", tmp_path), Late(frames=77)), (level(-6.0), sample("eq", tmp_path)))),
        sample("cab", tmp_path),
    )


def test_boxes_play_one_after_the_other():
    x = noise(1, 1000, 1, peak=0.5)
    y = render(rig(level(-6.0), level(12.0), level(-6.0)), x, RATE)
    assert np.abs(y - x).max() < 2e-7  # three roundings of gains that cancel


def test_lanes_hear_the_same_and_are_summed():
    x = noise(1, 1000, 2, peak=0.25)
    y = render(rig(Lanes(((level(0.0),), (level(0.0), level(0.0)), (level(0.0),)))), x, RATE)
    assert np.abs(y - 3.0 * x).max() < 2e-7


def test_a_shorter_lane_waits_for_the_longest():
    x = noise(1, 3000, 3, peak=0.25)
    engine = Engine(rig(Lanes(((Late(frames=100),), (level(0.0),), (Late(frames=30), Late(frames=5))))), RATE)
    assert engine.latency_frames == 100
    y = engine.play(x)
    assert np.array_equal(y[:, 100:], 3.0 * x[:, :-100])


def test_lanes_within_lanes_are_aligned_too():
    x = noise(1, 3000, 4, peak=0.25)
    inner = Lanes(((Late(frames=40),), (level(0.0),)))
    outer = rig(Lanes(((inner, Late(frames=2)), (level(0.0),))), Late(frames=8))
    engine = Engine(outer, RATE)
    assert engine.latency_frames == 50
    assert np.array_equal(engine.play(x)[:, 50:], 3.0 * x[:, :-50])


def test_a_render_lies_under_its_input(long_chain):
    x = noise(1, 3000, 5, peak=0.25)
    assert np.array_equal(render(rig(Late(frames=500)), x, RATE), x)
    assert render(rig(Late(frames=500)), x, RATE, tail_frames=700).shape == (1, 3700)


def test_any_cut_of_the_stream_sounds_the_same(long_chain):
    x = noise(1, 9000, 6, peak=0.5)
    turns = [
        Event(1000, Turn("eq", "bass", 12.0)),
        Event(1001, Turn("gate", "threshold", -20.0)),
        Event(5003, Turn("level", "level", 6.0)),
    ]
    whole = play_with_turns(Engine(long_chain, RATE), x, turns, [9000])
    for max_frames, seed in ((4096, 1), (64, 2), (1, 3)):
        cut = cuts(9000, np.random.default_rng(seed))
        assert np.array_equal(play_with_turns(Engine(long_chain, RATE, max_frames=max_frames), x, turns, cut), whole)


def play_with_turns(engine: Engine, x: np.ndarray, turns: list[Event], cut: list[int]) -> np.ndarray:
    for turn in turns:
        engine.turn(turn.message.box, turn.message.knob, turn.message.value, turn.frame)
    ends = np.cumsum(cut)
    return np.concatenate([engine.play(x[:, end - length : end]) for end, length in zip(ends, cut, strict=True)], axis=1)


def test_a_turn_is_heard_at_its_frame_and_not_before():
    x = np.ones((1, 3000), np.float32)
    y = render(rig(level(0.0)), x, RATE, events=(Event(1234, Turn("level", "level", -20.0)),))[0]
    assert np.array_equal(y[:1234], x[0, :1234])
    assert y[1234] < 1.0
    assert abs(y[-1] - 0.1) < 0.02  # 37 ms behind the turn, nearly five times the glide's 8 ms


def test_turns_are_played_in_order():
    x = np.ones((1, 4000), np.float32)
    turns = tuple(Event(frame, Turn("level", "level", value)) for frame, value in ((10, -60.0), (10, 20.0), (10, 0.0)))
    assert np.array_equal(render(rig(level(0.0)), x, RATE, events=turns), x)


def test_a_turn_of_what_is_not_there_is_refused():
    engine = Engine(rig(level(0.0)), RATE)
    for box, knob, value, says in (
        ("amp", "input", 0.0, "has no amp; it has: level"),
        ("level", "tone", 0.0, "has no knob tone; it has: level"),
        ("level", "level", 99.0, "from -60 to 24 dB"),
    ):
        with pytest.raises(KnobError, match=says):
            engine.turn(box, knob, value)


def test_turns_beyond_what_can_wait_are_refused_and_the_others_are_played():
    engine = Engine(rig(level(0.0)), RATE)
    for _ in range(1023):  # the rig itself waits to be played, too
        engine.turn("level", "level", -6.0, frame=10)
    with pytest.raises(EngineError, match="1024 acts are waiting"):
        engine.turn("level", "level", -6.0, frame=10)
    y = engine.play(np.ones((1, 4000), np.float32))
    assert abs(y[0, -1] - 0.501) < 0.001
    engine.turn("level", "level", 0.0)


def test_a_turn_for_the_next_rig_waits_for_its_fade():
    engine = Engine(rig(level(0.0)), RATE)
    x = np.ones((1, 480), np.float32)
    engine.play(x)
    engine.change_rig(rig(level(-6.0)))
    engine.play(x)  # half of the fade's 20 ms
    engine.change_rig(rig(level(-12.0)))
    engine.turn("level", "level", -20.0)
    for _ in range(8):
        y = engine.play(x)
    assert abs(y[0, -1] - 0.1) < 0.01


def test_a_stereo_take_stays_stereo():
    x = noise(2, 2000, 7, peak=0.25)
    y = render(rig(level(0.0), Lanes(((level(0.0),),))), x, RATE)
    assert np.array_equal(y, x)


def test_buffers_are_used_again():
    engine = Engine(rig(*[level(0.0)] * 20), RATE)
    assert engine.plan.walk._buffers == 2


def test_a_long_chain_renders_the_same_again(long_chain):
    x = noise(1, 5000, 8, peak=0.5)
    first = render(long_chain, x, RATE)
    assert np.abs(first).max() > 0.0
    assert np.array_equal(first, render(long_chain, x, RATE))
