"""What every box promises, played by every box in the folder."""

import gc
import tracemalloc
from functools import cached_property
from pathlib import Path

import numpy as np
import pytest
import torch
from numba import carray
from numba.core.runtime import _nrt_python, rtsys

from neuralamp.block import Block
from neuralamp.blocks import boxes
from neuralamp.dsp.jit import call_node, flush_denormals, kernel, set_float_mode
from neuralamp.dsp.node import Node, State, node, row_addresses
from tests.blocks.samples import EXEMPT, NEVER_SILENT, RING_AHEAD, SWAYING, sample, without_a_sample
from tests.sound import at_rest, cuts, keyed, noise, play_in_cuts, reset

SAMPLE_RATES = (44100.0, 48000.0, 96000.0)


class Played:
    """A box made ready, and what is asked of it again and again."""

    def __init__(self, box: Block, sample_rate: float, channels: int):
        self.box, self.sample_rate = box, sample_rate
        self.part = box.prepare(sample_rate, channels, 8192)
        self.node = self.part.node

    @cached_property
    def extremes(self) -> list[dict[str, float]]:
        """All knobs low, all high, each alone at either end, and sixteen random mixtures of ends."""
        knobs, rng = self.box.knobs(), np.random.default_rng(5)
        ends = [{name: knob.low for name, knob in knobs.items()}, {name: knob.high for name, knob in knobs.items()}]
        ends += [{name: end} for name, knob in knobs.items() for end in (knob.low, knob.high)]
        ends += [{name: (knob.low, knob.high)[rng.integers(2)] for name, knob in knobs.items()} for _ in range(16)]
        return [self.box.values | end for end in ends] if knobs else []

    def play(self, x: np.ndarray, cut: list[int] | None = None, turns: dict[int, np.ndarray] | None = None) -> np.ndarray:
        return play_in_cuts(self.node, keyed(self.part, x), self.part.channels, cut or [x.shape[1]], turns)

    def goals(self, values: dict[str, float]) -> np.ndarray:
        return self.box.goals(values, self.sample_rate)


@pytest.fixture(params=SAMPLE_RATES, ids=lambda rate: f"{rate:.0f}")
def sample_rate(request) -> float:
    return request.param


@pytest.fixture(params=[1, 2], ids=["mono", "stereo"])
def channels(request) -> int:
    return request.param


@pytest.fixture(params=sorted(boxes().keys() - EXEMPT.keys()))
def word(request) -> str:
    return request.param


@pytest.fixture
def box(word: str, sample_rate: float, channels: int, tmp_path: Path) -> Played:
    assert word not in without_a_sample(), f"{word} needs files: give it an entry in FILES of tests/blocks/samples.py"
    return Played(sample(word, tmp_path, sample_rate), sample_rate, channels)


def test_any_cut_of_the_stream_sounds_the_same(box, channels):
    rng = np.random.default_rng(1)
    x = noise(channels, 6000, seed=2, peak=0.5)
    turns = {int(frame): box.goals(end) for frame, end in zip((1, 1501, 3777), box.extremes[2:], strict=False)}
    rest, goal = at_rest(box.node), box.node.goal.copy()
    whole = box.play(x, turns=turns)
    for cut in [*(cuts(6000, rng) for _ in range(4)), [1] * 2000 + [4000]]:
        reset(box.node, rest)
        box.node.goal[:] = goal
        assert np.array_equal(box.play(x, cut, turns), whole)


def test_reset_forgets(box, channels):
    rest = at_rest(box.node)
    x = noise(channels, 6000, seed=3, peak=0.5)
    first = box.play(x)
    box.play(noise(channels, 5001, seed=4))
    reset(box.node, rest)
    assert np.array_equal(box.play(x), first)


def test_silence_in_silence_out(box, channels):
    if box.box.name() not in NEVER_SILENT:
        assert not box.play(np.zeros((channels, 6000), np.float32)).any()


def test_every_knob_at_both_ends_stays_finite(box, channels):
    x = noise(channels, 1000, seed=5)
    for end in box.extremes:  # one after the other, so that every glide between two of them is heard too
        box.node.goal[:] = box.goals(end)
        assert np.all(np.isfinite(box.play(x))), end


def test_a_knob_at_rest_starts_at_its_goal(box):
    if box.node.goal.size:
        assert np.array_equal(box.node.record["now"][0], box.node.goal)


def test_latency_told_is_latency_measured(box, channels):
    rest, told = at_rest(box.node), 4000 + box.part.latency_frames
    rings_ahead = box.box.name() in RING_AHEAD
    peak = 1e-4 if rings_ahead else 0.5  # what clips hides where it was changed
    x = noise(channels, 6000, seed=6, peak=peak)
    before = box.play(x)
    reset(box.node, rest)
    x[:, 4000] += 0.5 * peak
    changed = np.max(np.abs(box.play(x) - before), axis=0)
    if rings_ahead:  # a filter of linear phase swells before its middle, and a low-pass behind it needs some frames to rise
        assert told <= np.argmax(changed) <= told + 2e-4 * box.sample_rate
        assert np.sum(np.square(changed[:told])) < 0.05 * np.sum(np.square(changed))
    else:
        assert 0 <= np.flatnonzero(changed)[0] - told <= SWAYING.get(box.box.name(), 0.0) * box.sample_rate


@pytest.mark.parametrize("sample_rate", [48000.0], indirect=True)  # half a minute of sound for a hall, six times
def test_what_rings_on_is_gone_after_the_tail_told(box, channels):
    end = 4000
    told = end + box.part.latency_frames + box.part.tail_frames
    x = np.zeros((channels, told + 2000), np.float32)
    rest = at_rest(box.node)
    for values in [box.box.values, *box.extremes[:2]]:
        box.node.goal[:] = box.goals(values)
        x[:, :end] = noise(channels, end, seed=7)
        reset(box.node, rest)  # so that both glide to these knobs from the same place
        y = box.play(x)
        reset(box.node, rest)
        alone = box.play(np.zeros_like(x))  # what the box says in silence is no tail
        assert np.abs(y - alone)[:, told:].max() <= 1e-6 * np.abs(y).max()  # 120 dB under the loudest


def test_every_frame_of_every_row_is_written_and_the_input_is_left_alone(box, channels):
    x = keyed(box.part, noise(channels, 500, seed=8))
    kept, y = x.copy(), np.full((box.part.channels, 500), np.nan, np.float32)
    drive(box.node, x, y, 1)
    assert np.all(np.isfinite(y))
    assert np.array_equal(x, kept)


def test_playing_allocates_nothing(box, channels):
    assert allocated(box.node, channels + 2 * box.part.key, box.part.channels) == (0, True)


def test_a_kernel_that_allocates_is_caught():
    assert allocated(Node(Hoarder.play, {"size": 64}), 1, 1) == (1000, True)


class Hoarder:
    """An array for every buffer: what no box may do."""

    state = State(size=int)

    @node(state)
    def play(inputs, outputs, frames, state):
        kept = np.zeros(carray(state, (1,))[0].size, np.float32)
        kept[0] = inputs[0][0]
        for n in range(frames):
            outputs[0][n] = kept[n % 2]


def allocated(node, inputs: int, outputs: int) -> tuple[int, bool]:
    """What 1000 buffers ask of numba's allocator, and whether Python's own memory stayed as it was."""
    x, y = noise(inputs, 64, seed=9, peak=0.5), np.zeros((outputs, 64), np.float32)
    drive(node, x, y, 2)
    arguments = drive_arguments(node, x, y)
    gc.disable()  # what it would free meanwhile would hide what is made
    _nrt_python.memsys_enable_stats()
    tracemalloc.start()
    try:
        before, held = rtsys.get_allocation_stats(), tracemalloc.get_traced_memory()[0]
        drive_kernel(*arguments, 1000)
        after, peak = rtsys.get_allocation_stats(), tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
        _nrt_python.memsys_disable_stats()
        gc.enable()
    # 4096 bytes: the one call from Python and the two answers; an object of 56 bytes for every buffer would be 56 kB
    return after.alloc - before.alloc, peak - held < 4096


@kernel
def drive_kernel(function, inputs, outputs, frames, state, buffers):
    """Play the same buffer many times, as the engine would."""
    mode = flush_denormals()
    for _ in range(buffers):
        call_node(function, inputs, outputs, frames, state)
    set_float_mode(mode)


def drive_arguments(node, x, y) -> tuple:
    """Addresses for `drive_kernel`; the row tables live as long as the arrays, in a list on the node."""
    rows = row_addresses(x), row_addresses(y)
    node.rows = rows
    return node.kernel.address, rows[0].ctypes.data, rows[1].ctypes.data, x.shape[1], node.address


def drive(node, x, y, buffers: int) -> None:
    drive_kernel(*drive_arguments(node, x, y), buffers)


def test_torch_designs_what_numpy_designs_and_knows_the_gradient(word, tmp_path, sample_rate):
    box = sample(word, tmp_path, sample_rate)
    if not box.knobs():
        return
    rng = np.random.default_rng(10)
    for _ in range(20):
        values = {name: rng.uniform(knob.low, knob.high) for name, knob in box.knobs().items()}
        knobs = {name: torch.tensor(value, dtype=torch.float64, requires_grad=True) for name, value in values.items()}
        learned = box.design(type("Knobs", (), knobs), sample_rate, torch)
        played = box.goals(values, sample_rate)
        assert learned.dtype == torch.float64
        # Behind what its kind designs, a box may have goals for knobs that its file brings.
        assert np.allclose(learned.detach().numpy(), played[: learned.numel()], rtol=1e-12, atol=1e-12)
        learned.square().sum().backward()
        assert all(knob.grad is not None and torch.isfinite(knob.grad) for knob in knobs.values())


def test_every_box_that_needs_files_has_a_sample():
    assert without_a_sample() == []


def test_what_is_exempt_is_code_of_others_and_nothing_else():
    assert {word for word, box in boxes().items() if box.foreign} == set(EXEMPT)
