"""What strangers' graphs sound like here: as they were meant, in any buffers, from rest, and through the whole engine."""

import gc
import os
import time

import numpy as np
import pytest
import torch
from onnx import helper

from neuralamp.capture.file import save_capture
from neuralamp.dsp.node import Node
from neuralamp.engine import play_capture
from neuralamp.guest.guest import Guest, is_foreign, open_guest
from neuralamp.nets import stream_at_rest
from neuralamp.nets.in_the_wild import IN_THE_WILD
from tests.capture.test_file import random_capture
from tests.guest.graphs import (
    PAST,
    Sketch,
    convolution,
    convolved,
    one_pole,
    ours_without_its_marks,
    poled,
    write,
)
from tests.nets.random_nets import excitation
from tests.sound import at_rest, cuts, error_db, noise, play_in_cuts, reset

FRAMES = 12_000
# float32 against float64, and a past that is cut where it is 120 dB down.
CLOSE = 3e-6
# onnxruntime's own limit between cuts, of unit RMS: its kernels choose other sums for other lengths.
CUT = 5e-6


def played(guest: Guest, x: np.ndarray, cut: list[int] | None = None, max_frames: int = 4096) -> np.ndarray:
    """(frames,) through a worker of its own, from rest."""
    node = guest.start((), max_frames)
    y = play_in_cuts(node, x[None], 1, cut or [x.size])[0]
    guest.check()
    return y


# Of unit RMS. onnxruntime keeps a GRU's memory in float32, and a long one rounds to another rest than ours, kept in float64.
@pytest.mark.parametrize(("name", "close"), [("A1 nano", 1e-5), ("A2 lite", 1e-5), ("LSTM 2x16", 1e-5), ("GRU 1x16", 5e-5)])
def test_our_own_nets_sound_the_same_as_guests(name, close, tmp_path):
    config = IN_THE_WILD[name]
    model, weights = ours_without_its_marks(config)
    guest = open_guest(write(tmp_path / "amp.onnx", model))
    x = excitation(config, FRAMES, seed=2)
    right = stream_at_rest(config, weights).play(x, 1)[0]
    large = played(guest, x[0], [4096, 4096, FRAMES - 8192])
    small = played(guest, x[0], [64] * (FRAMES // 64) + [FRAMES % 64])
    assert np.abs(large - right).max() < close
    assert error_db(large, right) < -98.0
    assert np.abs(small - large).max() < CUT


@pytest.mark.parametrize(
    ("model", "past"),
    [
        pytest.param(convolution(pads=(2, 0)), PAST, id="padded inside"),
        pytest.param(convolution(pads=None), PAST, id="valid"),
        pytest.param(convolution(pads=(2, 0), frames=512), PAST, id="padded, 512 frames"),
        pytest.param(convolution(pads=None, frames=512), PAST, id="valid, 512 frames"),
        pytest.param(convolution(pads=None, frames=PAST + 1), PAST, id="valid, one frame out"),
        pytest.param(convolution(pads=(2, 0), frames=PAST + 1), PAST, id="padded, no longer than it hears"),
    ],
)
def test_a_convolution_without_states_is_told_its_past_again(model, past, tmp_path):
    guest = open_guest(write(tmp_path / "conv.onnx", model))
    assert guest.facts.past_frames == past
    assert (guest.settling_frames, guest.latency_frames) == (past, 0)
    x = noise(1, 3000, 1, peak=0.5)[0]
    for cut in ([3000], [64] * 46 + [56], cuts(3000, np.random.default_rng(1))):
        assert np.abs(played(guest, x, cut) - convolved(x)).max() < CLOSE


@pytest.mark.parametrize("frames", ["frames", 1, 128], ids=["any", "one by one", "by 128"])
def test_states_are_carried_by_order_or_by_name(frames, tmp_path):
    guest = open_guest(write(tmp_path / "rnn.onnx", one_pole(frames)))
    late = 127 if frames == 128 else 0
    assert guest.latency_frames == late
    assert guest.facts.states == ("h0 (1, 1, 1)",)
    x = noise(1, 2000, 2, peak=0.5)[0]
    y = played(guest, np.pad(x, (0, late)), cuts(2000 + late, np.random.default_rng(2)))
    assert np.abs(y[late:] - poled(x)).max() < CLOSE
    assert not y[:late].any()
    assert guest.facts.receptive_field == pytest.approx(21, abs=4)  # 0.5^20 is 1e-6; the last noise was louder or softer than 1
    assert guest.settling_frames == 24_000


def test_a_state_begins_as_the_file_says(tmp_path):
    g = Sketch(x=(1, 1, "frames"), gain=(1, 1, 1))
    g.constant([[[2.0]]], name="gain")
    g("Mul", "x", "gain", into="y")
    g("Identity", "gain", into="next.gain")
    guest = open_guest(write(tmp_path / "gain.onnx", g.model(y=(1, 1, "frames"), **{"next.gain": (1, 1, 1)})))
    x = noise(1, 500, 3)[0]
    assert np.array_equal(played(guest, x, [200, 300]), 2 * x)


@pytest.mark.parametrize(
    "shape", [(1, 1, "t"), (1, "t", 1), (1, "t"), ("t",), ("b", "t", 1), ("b", 1, "t"), ("b", "t"), (1, 256)]
)
def test_mono_sound_is_found_in_any_layout(shape, tmp_path):
    g = Sketch(x=shape)
    g("Tanh", "x", into="y")
    guest = open_guest(write(tmp_path / "tanh.onnx", g.model(y=shape)))
    assert (guest.facts.frames, guest.facts.receptive_field) == (256 if 256 in shape else 0, 1)
    x = noise(1, 700, 4)[0]
    assert np.abs(played(guest, x, [1, 299, 400]) - np.tanh(x)).max() < 1e-6  # a rounding or two of float32


@pytest.mark.filterwarnings("ignore::DeprecationWarning", "ignore::UserWarning", "ignore::torch.jit.TracerWarning")
def test_what_torch_exports_plays_what_torch_plays(tmp_path):
    class Net(torch.nn.Module):
        def __init__(self):
            super().__init__()
            self.conv = torch.nn.Conv1d(1, 4, 3, dilation=9)
            self.lstm = torch.nn.LSTM(4, 6, batch_first=True)
            self.head = torch.nn.Linear(6, 1)

        def forward(self, x):
            y = torch.tanh(self.conv(torch.nn.functional.pad(x, (18, 0))))
            return self.head(self.lstm(y.transpose(1, 2))[0]).transpose(1, 2)

    torch.manual_seed(1)
    net = Net()
    axes = {"x": {2: "t"}, "y": {2: "t"}}
    path = tmp_path / "torch.onnx"
    torch.onnx.export(net, (torch.zeros(1, 1, 64),), path, dynamo=False, input_names=["x"], output_names=["y"], dynamic_axes=axes)
    guest = open_guest(path)
    assert 18 < guest.facts.past_frames < 2000
    x = noise(1, 3000, 5, peak=0.5)
    with torch.no_grad():
        right = net(torch.from_numpy(np.pad(x, ((0, 0), (4000, 0))))[None])[0, 0, 4000:].numpy()
    assert np.abs(played(guest, x[0], [64] * 20 + [1720]) - right).max() < CLOSE


def test_a_buffer_longer_than_agreed_is_split(tmp_path):
    guest = open_guest(write(tmp_path / "rnn.onnx", one_pole()))
    x = noise(1, 1000, 6)[0]
    assert np.abs(played(guest, x, [1000], max_frames=48) - poled(x)).max() < CLOSE


def test_a_reset_brings_it_back_to_rest(tmp_path):
    guest = open_guest(write(tmp_path / "rnn.onnx", one_pole()))
    node = guest.start((), 256)
    rest = at_rest(node)
    x = noise(1, 1000, 7)
    first = play_in_cuts(node, x, 1, [250] * 4)
    without = play_in_cuts(node, x, 1, [250] * 4)
    reset(node, rest)
    again = play_in_cuts(node, x, 1, [250] * 4)
    assert np.array_equal(again, first)
    assert not np.array_equal(without, first)


def test_two_nodes_of_one_guest_do_not_hear_each_other(tmp_path):
    guest = open_guest(write(tmp_path / "rnn.onnx", one_pole()))
    left, right = guest.start((), 256), guest.start((), 256)
    x = noise(2, 200, 8)
    for start in (0, 100):
        for c, node in enumerate((left, right)):
            y = node.play(x[c : c + 1, start : start + 100], 1)[0]
            assert np.abs(y - poled(x[c])[start : start + 100]).max() < CLOSE


def worker_pid(node: Node) -> int:
    return node.keep[1].worker.pid  # type: ignore[attr-defined]


def assert_ends(pid: int):
    """A process is gone within 5 s, which is a hundred looks of its watcher."""
    for _ in range(500):
        try:
            os.kill(pid, 0)
        except ProcessLookupError:
            return
        time.sleep(0.01)
    pytest.fail(f"process {pid} lives on")


def test_the_worker_ends_with_the_node(tmp_path):
    guest = open_guest(write(tmp_path / "rnn.onnx", one_pole()))
    node = guest.start((), 256)
    pid = worker_pid(node)
    os.kill(pid, 0)
    del node
    gc.collect()
    assert_ends(pid)
    guest.check()  # nothing was lost


def test_the_card_says_what_the_metadata_says(tmp_path):
    model = one_pole()
    facts = {"Sample_Rate": "44100", "author": "a\nb\x1b[31m", "title": "Plexi"}
    helper.set_model_props(model, facts)
    model.producer_name, model.producer_version = "trainer", "3"
    guest = open_guest(write(tmp_path / "rnn.onnx", model))
    card = guest.card
    assert (card.sample_rate, card.name, card.maker, card.writer) == (44100, "Plexi", "a b?[31m", "trainer 3")
    assert guest.warnings == ()


@pytest.mark.parametrize("rate", [None, "fast", "nan", "1e300", "3"])
def test_without_a_rate_48_kHz_is_assumed_and_said(rate, tmp_path):
    model = one_pole()
    helper.set_model_props(model, {"sr": rate} if rate else {})
    guest = open_guest(write(tmp_path / "rnn.onnx", model))
    assert (guest.card.sample_rate, guest.card.name) == (48000, "rnn")
    assert "48000 Hz is assumed" in guest.warnings[0]


def test_a_take_is_reamped_through_it(tmp_path):
    x = noise(1, 5000, 3)[0]
    path = write(tmp_path / "rnn.onnx", one_pole())
    alone = open_guest(path).start((), 5000).play(x[None], 1)[0]
    assert np.abs(play_capture(path, x, 48000) - alone).max() < 5e-6  # the length of its buffers is onnxruntime's own


def test_others_are_told_from_ours_by_their_bytes(tmp_path):
    save_capture(tmp_path / "ours.onnx", random_capture(IN_THE_WILD["A1 nano"]))
    write(tmp_path / "others.onnx", one_pole())
    (tmp_path / "empty.onnx").touch()
    with (tmp_path / "huge.onnx").open("wb") as file:
        file.truncate(4 * 2**30)  # sparse: it takes no room on the disk
    (tmp_path / "amp.nam").write_text(' {"architecture": "LSTM"}')
    (tmp_path / "blanks.nam").write_text("\n" * 10_000 + '{"architecture": "LSTM"}')
    names = ("ours.onnx", "others.onnx", "empty.onnx", "huge.onnx", "absent.onnx", ".", "amp.nam", "blanks.nam")
    assert [is_foreign(tmp_path / name) for name in names] == [False, True, False, False, False, False, False, False]


def test_weights_that_are_listed_as_inputs_are_no_states(tmp_path):
    model = convolution(pads=(2, 0))
    model.ir_version = 3  # files of 2018 list them
    for tensor in model.graph.initializer:
        kind = helper.make_tensor_value_info(tensor.name, tensor.data_type, tensor.dims)
        model.graph.input.append(kind)
    guest = open_guest(write(tmp_path / "old.onnx", model))
    assert guest.facts.states == ()
