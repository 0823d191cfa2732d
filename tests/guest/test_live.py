"""What is heard of foreign code in live sound: always equally late, wet in time, dry in the same buffer where it fails."""

import gc
import os
import signal
import sys
import time
from importlib.util import find_spec

import numpy as np
import pytest

from neuralamp.blocks.amp import Amp
from neuralamp.dsp.node import Node
from neuralamp.engine import Engine, render
from neuralamp.guest.guest import open_guest
from neuralamp.guest.keeper import LiveKeeper
from neuralamp.guest.link import ANSWERED, NO_REST, SINCE, Link, WorkersLink, publish
from neuralamp.guest.live import live_node
from neuralamp.rig import Rig
from realtime.bench.plugin_kills import measure
from tests.guest.graphs import one_pole, poled, write
from tests.guest.test_playing import assert_ends
from tests.sound import at_rest, noise, reset

RATE = 48000
PATIENT = 8192  # frames of latency, 170 ms: a busy machine is in time
CLOSE = 3e-6  # float32 against float64, as for files


def by_the_clock(node: Node, x: np.ndarray, frames: int = 64, ahead: float = 0.02) -> np.ndarray:
    """(channels, frames) through a node as a device plays it, at most `ahead` seconds early."""
    node.play(x[:, :0], x.shape[0])  # is compiled before the clock starts
    began, played = time.monotonic(), []
    for start in range(0, x.shape[1], frames):
        played.append(node.play(x[:, start : start + frames], x.shape[0]))
        if (early := began + start / RATE - time.monotonic() - ahead) > 0:
            time.sleep(early)
    return np.concatenate(played, axis=1)


def keeper_of(node: Node) -> LiveKeeper:
    return node.keep[1]  # type: ignore[return-value, index]


# -- the node alone: a link, and answers written by hand -------------------------------------------------------------------


class Stand:
    """A live node whose worker is this test: it answers when it is told to, ten times as loud."""

    def __init__(self, latency: int = 512, own: int = 0):
        self.link = Link(1, 256, latency, own)
        self.node = live_node(self.link, RATE, keep=None)
        self.worker = WorkersLink(self.link.words)

    def answer(self) -> None:
        x, _ = self.worker.hear(1)
        while x.shape[1]:
            self.worker.answer(10.0 * x)
            x, _ = self.worker.hear(1)


def test_what_is_answered_in_time_is_heard_at_the_latency_told_whatever_the_buffers():
    stand, x = Stand(latency=512), noise(1, 6000, 1)
    heard = []
    for start, end in zip(borders := [0, 1, 65, 129, 385, 400, 1000, 3000, 5999], [*borders[1:], 6000], strict=True):
        for part in np.split(x[:, start:end], range(200, end - start, 200), axis=1):  # within the latency less the way to dry
            heard.append(stand.node.play(part, 1))
            stand.answer()
    y = np.concatenate(heard, axis=1)
    assert np.array_equal(y[:, 512:], 10.0 * x[:, :-512])
    assert not y[:, :512].any()
    assert stand.node.record["missed"][0] == 0


def test_where_answers_end_dry_sound_takes_their_place_without_a_click():
    stand, x = Stand(latency=512), np.full((1, 64), 0.1, np.float32)
    heard = []
    for k in range(200):
        heard.append(stand.node.play(x, 1)[0])
        if k < 60 or k >= 120:
            stand.answer()
    y = np.concatenate(heard)[512:] / 0.1
    fade_out, fade_in = 96, 480  # 2 and 10 ms
    steps = np.diff(y)
    assert np.all((y > 0.9999) & (y < 10.0001))
    assert steps.min() == pytest.approx(-9.0 / fade_out, rel=1e-3) and steps.max() == pytest.approx(9.0 / fade_in, rel=1e-3)
    dry = np.flatnonzero(y < 1.0001)
    # To the last frame answered; what the worker did not hear because it had stood for longer than the ring is dry to its end.
    assert (dry[0], dry[-1]) == (60 * 64, 121 * 64 - 1)
    assert stand.node.record["missed"][0] == 63  # 61 of 64 frames, and two for the way to dry


def test_a_worker_that_takes_over_is_heard_from_where_it_began():
    stand, x = Stand(latency=512, own=100), np.full((1, 64), 0.1, np.float32)
    heard = []
    for k in range(100):
        heard.append(stand.node.play(x, 1)[0])
        if k < 50:
            stand.answer()
        elif k == 50:
            stand.worker = WorkersLink(stand.link.words)
            stand.worker.begin()
        else:
            stand.answer()
    y = np.concatenate(heard)[700:] / 0.1
    assert np.all((y > 0.9999) & (y < 10.0001))  # nothing but dry and wet, though a new worker has nothing to say at first
    assert np.abs(np.diff(y)).max() <= 9.001 / 96
    assert y.min() < 1.0001 and y[-1] == pytest.approx(10.0)


def test_dry_sound_is_as_late_as_wet_sound_is():
    stand, x = Stand(latency=512, own=240), noise(1, 64 * 40, 2)
    y = np.concatenate([stand.node.play(x[:, at : at + 64], 1) for at in range(0, x.shape[1], 64)], axis=1)
    assert np.array_equal(y[:, 752:], x[:, :-752])
    assert not y[:, :752].any()


def test_a_rest_is_silent_until_what_came_after_it_is_heard_with_and_without_a_worker():
    for answers in (True, False):
        stand = Stand(latency=512, own=16)
        rest = at_rest(stand.node)
        x = noise(1, 64, 3)
        for _ in range(50):
            stand.node.play(x, 1)
            stand.answer()
        reset(stand.node, rest)
        heard = []
        for _ in range(20):
            heard.append(stand.node.play(x, 1)[0])
            if answers:
                stand.answer()
        y = np.concatenate(heard)
        assert not y[:512].any()
        assert np.isin(y[528:], x[0] if not answers else 10.0 * x[0]).all()


def test_counts_that_foreign_code_has_spoiled_do_no_harm():
    stand, x = Stand(), noise(1, 64, 4)
    for answered, since in ((2**62, 0), (-(2**62), 0), (10, 2**62), (0, -(2**62)), (NO_REST, NO_REST)):
        publish(stand.link.worker + ANSWERED, answered)
        publish(stand.link.worker + SINCE, since)
        for _ in range(20):
            assert np.abs(stand.node.play(x, 1)).max() <= 1.0


def test_a_worker_cannot_write_to_what_the_player_has_said():
    stand = Stand()
    player, worker = stand.worker._bytes
    assert (player.flags.writeable, worker.flags.writeable) == (False, True)


def test_a_worker_that_stood_still_passes_over_what_nobody_waits_for():
    stand, x = Stand(), noise(1, 64, 5)
    for _ in range(1000):  # many times the ring
        stand.node.play(x, 1)
    heard, _ = stand.worker.hear(1)
    assert heard.shape[1] == 0
    for _ in range(40):
        y = stand.node.play(x, 1)
        stand.answer()
    assert np.array_equal(y, 10.0 * x)


# -- ONNX of others --------------------------------------------------------------------------------------------------------


@pytest.fixture
def graph(tmp_path):
    return write(tmp_path / "rnn.onnx", one_pole())


def test_an_onnx_of_others_plays_live_what_it_plays_from_a_file(graph):
    amp = Amp(capture=graph, latency_frames=PATIENT)
    part = amp.prepare_live(RATE, 1, 256)
    assert part.latency_frames == PATIENT
    x = noise(1, 64 * 600, 6, peak=0.5)
    y = by_the_clock(part.node, x)[0]
    assert np.abs(y[PATIENT:] - poled(x[0])[:-PATIENT]).max() < CLOSE
    assert part.trouble() == ""
    assert "process of its own, which takes 8192 frames" in part.notes[-1]


def test_a_live_engine_takes_it_and_renders_of_the_same_rig_wait_for_it(graph):
    rig = Rig("rnn", (Amp(capture=graph),))
    engine = Engine(rig, RATE, live=True)
    assert engine.latency_frames == 512
    began = time.monotonic()
    for _ in range(100):
        engine.play(np.zeros((1, 4096), np.float32))
    assert time.monotonic() - began < 4.0  # 8.5 s of sound: nobody was waited for
    x = noise(1, 3000, 7, peak=0.5)
    assert np.abs(render(rig, x, RATE)[0] - poled(x[0])).max() < CLOSE


@pytest.mark.skipif(sys.platform == "win32", reason="signals are of Unix")
def test_one_that_is_killed_is_dry_in_the_same_buffer_and_comes_back_from_rest(graph):
    node, trouble = open_guest(graph).start_live(256, PATIENT)
    keeper = keeper_of(node)
    x = np.tile(np.array([[0.25, -0.25]], np.float32), (1, 24_000))
    by_the_clock(node, x)
    while not keeper.prepared:
        time.sleep(0.05)
    os.kill(keeper.workers[0].pid, signal.SIGKILL)
    y = by_the_clock(node, np.tile(x, (1, 2)))[0]
    wet = np.abs(poled(x[0, :1000])[-1])  # of this tone; dry it is 0.25
    assert abs(wet - 0.25) > 0.05
    assert np.abs(y).max() < max(wet, 0.25) + 1e-4 and np.abs(y).min() > min(wet, 0.25) - 0.01
    assert np.abs(y[-1]) == pytest.approx(wet, abs=1e-4)
    assert "it was started again: it was killed" in trouble()


def test_both_workers_end_with_the_node(graph):
    node, _ = open_guest(graph).start_live(256, 512)
    pids = [worker.pid for worker in keeper_of(node).workers]
    assert len(pids) == 2
    del node
    gc.collect()
    for pid in pids:
        assert_ends(pid)


# -- plugins ---------------------------------------------------------------------------------------------------------------


@pytest.mark.skipif(sys.platform == "win32", reason="signals are of Unix")
@pytest.mark.skipif(find_spec("pedalboard") is None, reason="the extra plugins is not installed")
def test_plugins_that_are_killed_stopped_or_lost_in_a_loop_leave_dry_sound_come_back_and_stay_off_the_third_time(monkeypatch):
    monkeypatch.setattr("neuralamp.guest.plugin.WORKER", "neuralamp.guest.plugin_worker")  # put back at the end
    found = measure(falls=18, at_once=2)
    assert set(found.falls.values()) == {6}
    assert (found.wrong, found.steps) == (0, 0)  # every frame dry, wet or on the way between, at the same latency
    assert found.late_falls == 0  # back within 2 s
    assert (found.stayed_off, found.not_off) == (6, 0)
