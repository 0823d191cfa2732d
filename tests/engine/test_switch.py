"""Foot switches: a box out of the sound and back, without a click, its latency kept, its echoes ringing on."""

import numpy as np
import pytest

from neuralamp.block import Block
from neuralamp.blocks import boxes
from neuralamp.engine import Engine, render
from neuralamp.engine.switch import SWITCH_MS
from neuralamp.messages import Bypass, Event
from neuralamp.rig import Lanes, Rig
from tests.engine.boxes import Echo, Hum, Late, Widen
from tests.sound import cuts, noise, sine

RATE = 48000.0
RAMP = round(SWITCH_MS * 1e-3 * RATE)


def level(db: float) -> Block:
    return boxes()["level"](level=db)


def rig(*chain) -> Rig:
    return Rig("test", chain)


def bypassed(box: Block) -> Block:
    box.bypassed = True
    return box


def test_a_box_that_is_off_in_the_file_passes_the_sound_bit_for_bit():
    x = noise(1, 3000, 1, peak=0.5)
    assert np.array_equal(render(rig(bypassed(level(-20.0))), x, RATE), x)
    assert np.array_equal(render(rig(bypassed(Hum())), x, RATE), x)


def test_a_take_that_claims_an_absurd_rate_is_played():
    x = noise(1, 100, 1, peak=0.5)
    assert np.array_equal(render(rig(level(0.0)), x, 1.0), x)


def test_it_is_switched_at_its_frame_in_a_straight_line_of_20_ms():
    x = np.ones((1, 5000), np.float32)
    y = render(rig(level(-20.0)), x, RATE, events=(Event(1000, Bypass("level", True)), Event(3000, Bypass("level", False))))[0]
    line = 0.1 + 0.9 * np.arange(1, RAMP + 1) / RAMP
    assert np.abs(y[:1000] - 0.1).max() < 1e-7
    assert np.abs(y[1000 : 1000 + RAMP] - line).max() < 2e-6  # two gains and a sum in float32
    assert np.array_equal(y[1000 + RAMP : 3000], x[0, 1000 + RAMP : 3000])
    assert np.abs(y[3000 : 3000 + RAMP] - line[::-1] + 0.9 / RAMP).max() < 2e-6
    assert np.abs(y[3000 + RAMP :] - 0.1).max() < 1e-7


def test_a_box_that_changes_nothing_is_switched_without_a_trace():
    x = noise(1, 20000, 2, peak=0.5)
    events = [Event(frame, Bypass("level", k % 2 == 0)) for k, frame in enumerate(range(500, 19000, 700))]
    assert np.abs(render(rig(level(0.0)), x, RATE, events) - x).max() < 1e-7


def test_a_late_box_that_is_off_is_as_late_as_it_was():
    x = noise(1, 3000, 3, peak=0.5)
    for box in (Late(frames=77), bypassed(Late(frames=77))):
        engine = Engine(rig(box), RATE)
        assert engine.latency_frames == 77
        assert np.array_equal(engine.play(x)[:, 77:], x[:, :-77])


def test_lanes_stay_aligned_while_a_late_box_is_switched():
    x = noise(1, 20000, 4, peak=0.25)
    lanes = rig(Lanes(((Late(frames=300),), (level(0.0),))))
    late = next(iter(lanes.boxes()))
    y = render(lanes, x, RATE, [Event(frame, Bypass(late, k % 2 == 0)) for k, frame in enumerate(range(500, 19000, 1500))])
    assert np.abs(y - 2.0 * x).max() < 1e-6


def test_mono_is_heard_on_both_sides_where_a_box_that_widens_is_off():
    x = noise(1, 1000, 5, peak=0.5)
    assert np.array_equal(render(rig(Widen()), x, RATE), np.concatenate([x, -x]))
    assert np.array_equal(render(rig(bypassed(Widen())), x, RATE), np.concatenate([x, x]))


def test_an_echo_rings_on_when_its_box_is_switched_off_and_no_new_one_begins():
    x = np.zeros((1, 20000), np.float32)
    x[0, 500], x[0, 8000] = 0.5, 0.25
    label = next(iter(rig(Echo()).boxes()))
    y = render(rig(Echo(frames=4800)), x, RATE, [Event(1000, Bypass(label, True))])[0]
    right = np.zeros(20000)
    right[5300], right[8000] = 0.5, 0.25  # the echo of the first; the second passes beside the box
    assert np.array_equal(y, right)


def test_what_is_switched_on_again_has_heard_all_along():
    """A gate that was off while the note died away is shut when it comes back."""
    x = np.concatenate([np.full((1, 24000), 0.5), np.full((1, 24000), 1e-4)], axis=1).astype(np.float32)
    gate = boxes()["gate"](threshold=-40.0, range=60.0, hold=1.0, release=5.0)
    y = render(rig(gate), x, RATE, [Event(1000, Bypass("gate", True)), Event(40000, Bypass("gate", False))])[0]
    assert y[39999] == x[0, 39999]
    assert y[40000 + RAMP] == pytest.approx(1e-7, rel=1e-4)


def test_any_cut_of_the_stream_sounds_the_same_while_switches_move():
    x = noise(1, 12000, 6, peak=0.5)
    chain = (boxes()["eq"](bass=12.0), Late(frames=50), Echo(frames=700), level(-6.0))
    labels = list(rig(*chain).boxes())
    acts = [(1000, 0, True), (1300, 2, True), (1301, 0, False), (4000, 1, True), (4100, 3, True), (6000, 2, False)]
    takes = []
    for lengths in ([12000], cuts(12000, np.random.default_rng(7)), [1] * 12000):
        engine = Engine(rig(*chain), RATE)
        for frame, box, off in acts:
            engine.bypass(labels[box], off, frame)
        parts = np.split(x, np.cumsum(lengths)[:-1], axis=1)
        takes.append(np.concatenate([engine.play(part) for part in parts], axis=1))
    assert np.array_equal(takes[0], takes[1]) and np.array_equal(takes[0], takes[2])


def test_switching_makes_no_step_larger_than_half_as_much_again_as_the_sound_itself():
    x = sine(196.0, 96000, RATE, peak=0.5)
    eq = boxes()["eq"](mid=12.0, mid_frequency=200.0)
    steady = max(np.abs(np.diff(render(rig(box), x, RATE)[0])).max() for box in (eq, level(0.0)))
    events = [Event(frame, Bypass("eq", k % 2 == 0)) for k, frame in enumerate(range(1000, 95000, 333))]
    assert np.abs(np.diff(render(rig(eq), x, RATE, events)[0])).max() < 1.5 * steady
