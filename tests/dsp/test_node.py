"""The common shape of what plays: records, pointers, reset."""

import numpy as np
import pytest
from numba import carray

from neuralamp.blocks.level import Level
from neuralamp.dsp.glide import glide_coefficient
from neuralamp.dsp.node import POINTER, Node, State, node, row_addresses
from tests.sound import at_rest, cuts, noise, play_in_cuts, reset


class Echo:
    """One frame late, the least that needs memory."""

    state = State(goal=(1,), gain=float, kept=POINTER)

    @node(state)
    def play(inputs, outputs, frames, state):
        from_before = carray(state, (1,))[0]
        for n in range(frames):
            outputs[0][n] = inputs[0][n] * from_before.gain


def test_the_goal_comes_first_so_that_a_reset_can_leave_it_alone():
    with pytest.raises(TypeError, match="goal must be the first"):
        State(gain=float, goal=(1,))
    with pytest.raises(TypeError, match="goal must be one row"):
        State(goal=(7, 5))


def test_a_field_is_what_its_layout_says():
    state = State(goal=(3,), gain=float, count=int, kept=POINTER)
    assert state.goals == 3
    assert state.pointers == ("kept",)
    assert [state.dtype[name].base for name in state.dtype.names] == [np.float64, np.float64, np.int64, np.int64]
    assert State(gain=float).goals == 0


def test_every_pointer_gets_its_array_and_no_other():
    with pytest.raises(TypeError, match=r"arrays \[\] for the pointers \['kept'\]"):
        Node(Echo.play)
    with pytest.raises(TypeError, match="other"):
        Node(Echo.play, memory={"other": np.zeros(1)})


def test_an_array_with_gaps_is_refused():
    with pytest.raises(TypeError, match="kept must be contiguous"):
        Node(Echo.play, memory={"kept": np.zeros((4, 4))[:, ::2]})


def test_a_pointer_field_holds_the_address_of_its_array():
    kept = np.zeros(4, np.float32)
    assert Node(Echo.play, memory={"kept": kept}).record["kept"][0] == kept.ctypes.data


def test_what_playing_changes_leaves_out_goals_and_constants_and_takes_in_inner_nodes():
    kept = np.arange(3, dtype=np.float32)
    inner = Node(Echo.play, constants={"kept": np.zeros(2)})
    outer = Node(Echo.play, {"gain": 2.0}, memory={"kept": kept}, inner=[inner])
    record, memory, inner_record = outer.changing()
    assert record.nbytes == 16  # gain and the pointer; the goal's 8 bytes are left out
    assert np.array_equal(memory.view(np.float32), kept)
    assert inner_record.nbytes == 16
    memory[:] = 0
    assert not kept.any()  # a view, not a copy


def test_reset_brings_back_every_byte_but_the_goal():
    node = Level(level=-6.0).prepare(48000.0, 1, 64).node
    rest = at_rest(node)
    node.goal[:] = 4.0
    node.play(noise(1, 100, seed=1), 1)
    assert node.record["now"][0, 0] != 10.0 ** (-6.0 / 20.0)
    reset(node, rest)
    assert node.record["now"][0, 0] == pytest.approx(10.0 ** (-6.0 / 20.0), rel=1e-15)  # a rounding of exp
    assert node.goal[0] == 4.0


def test_rows_are_found_at_their_addresses():
    rows = np.zeros((2, 5), np.float32)
    assert row_addresses(rows).tolist() == [rows[0].ctypes.data, rows[1].ctypes.data]


@pytest.mark.parametrize("sample_rate", [44100.0, 48000.0, 96000.0])
def test_a_glide_covers_63_percent_in_8_ms_at_any_rate(sample_rate):
    frames = round(0.008 * sample_rate)
    covered = 1.0 - (1.0 - glide_coefficient(sample_rate)) ** frames
    assert covered == pytest.approx(1.0 - np.exp(-1.0), abs=1e-3)  # 8 ms is not a whole number of frames at 44.1 kHz


def test_cuts_cover_the_stream_with_ones_among_them():
    rng = np.random.default_rng(2)
    for frames in (1, 7, 1000, 50000):
        cut = cuts(frames, rng)
        assert sum(cut) == frames
        assert 1 in cut
        assert 1 <= min(cut) <= max(cut) <= 8192


def test_playing_in_cuts_turns_the_knob_at_its_frame():
    node = Level().prepare(48000.0, 1, 64).node
    x = np.ones((1, 100), np.float32)
    y = play_in_cuts(node, x, 1, [30, 70], {50: np.array([0.0])})
    assert np.array_equal(y[:, :50], x[:, :50])
    assert y[0, 50] == pytest.approx(1.0 - glide_coefficient(48000.0), abs=1e-7)  # float32
