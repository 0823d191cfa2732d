"""What a stranger's graph cannot do: crash the player, stop it, eat its memory, read its files, outlive it."""

import os
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import numpy as np
import pytest

from neuralamp.dsp.node import Node
from neuralamp.errors import CaptureError
from neuralamp.guest import keeper
from neuralamp.guest.guest import Guest, open_guest
from tests.guest.graphs import Sketch, convolution, greedy_when_loud, matrix_chain, one_pole, write
from tests.guest.test_playing import assert_ends, worker_pid
from tests.guest.test_refusals import with_weight_elsewhere
from tests.sound import noise

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="Windows has no limits of this kind")


def render_until_it_fails(guest: Guest, node: Node, seconds: float = 20.0) -> None:
    """Play on until the guest raises why it cannot."""
    started = time.monotonic()
    x = noise(1, 4096, 1)
    while time.monotonic() - started < seconds:
        y = node.play(x, 1)
        try:
            guest.check()
        except CaptureError:
            assert not y.any()  # silence, not what was left in the memory
            raise
    pytest.fail("it plays on")


def test_a_worker_killed_mid_render_is_told_and_leaves_silence(tmp_path):
    path = write(tmp_path / "rnn.onnx", one_pole())
    guest = open_guest(path)
    node = guest.start((), 4096)
    assert node.play(noise(1, 8192, 1), 1).all()  # the ring is full of sound, none of which may be heard again
    threading.Timer(0.3, os.kill, (worker_pid(node), signal.SIGKILL)).start()
    with pytest.raises(CaptureError, match=r"rnn\.onnx stopped playing: it was killed, by someone or because") as refusal:
        render_until_it_fails(guest, node)
    assert "\n" not in str(refusal.value)
    assert not node.play(noise(1, 100, 2), 1).any()  # and it waits for nobody
    guest.check()  # said once: the next take begins anew
    again = guest.start((), 64)
    assert again.play(noise(1, 100, 2), 1).any()
    guest.check()


def test_a_worker_that_stands_still_is_given_up(tmp_path, monkeypatch):
    monkeypatch.setattr(keeper, "ANSWER_SECONDS", 0.5)
    guest = open_guest(write(tmp_path / "rnn.onnx", one_pole()))
    node = guest.start((), 4096)
    os.kill(worker_pid(node), signal.SIGSTOP)
    started = time.monotonic()
    with pytest.raises(CaptureError, match=r"has not answered for 0\.5 seconds"):
        render_until_it_fails(guest, node)
    assert time.monotonic() - started < 10.0  # 0.5 s on a machine that does nothing else
    assert_ends(worker_pid(node))


def test_a_graph_that_takes_for_ever_to_open_is_given_up(tmp_path, monkeypatch):
    monkeypatch.setattr(keeper, "OPENING_SECONDS", 3.0)
    started = time.monotonic()
    with pytest.raises(CaptureError, match="has not answered for 3 seconds"):
        open_guest(write(tmp_path / "slow.onnx", matrix_chain(1000)))
    assert time.monotonic() - started < 10.0


def expand(size: list[int]):
    g = Sketch(x=(1, 1, "frames"))
    many = g("Expand", g.constant([1.0]), g.constant(size, np.int64))
    g("Mul", "x", g("ReduceMean", many, keepdims=0), into="y")
    return g.model(y=(1, 1, "frames"))


@pytest.mark.parametrize("size", [[2**40], [2**33], [100_000, 100_000], [2**62, 4]])
def test_a_graph_that_wants_the_whole_memory_is_refused(size, tmp_path):
    with pytest.raises(CaptureError, match=r"asks for more than 2048 MiB of memory|onnxruntime cannot play it") as refusal:
        open_guest(write(tmp_path / "large.onnx", expand(size)))
    assert "\n" not in str(refusal.value)


def test_a_graph_that_wants_it_later_is_told_when_it_does(tmp_path):
    guest = open_guest(write(tmp_path / "greedy.onnx", greedy_when_loud()))
    node = guest.start((), 256)
    x = noise(1, 256, 3, peak=0.5)
    assert np.array_equal(node.play(x, 1), x)
    assert not node.play(1000 * x, 1).any()
    with pytest.raises(CaptureError, match="stopped playing: it asks for more than 2048 MiB of memory"):
        guest.check()


def test_what_onnxruntime_complains_of_is_one_line(tmp_path):
    model = convolution(pads=(2, 0))
    model.graph.node[0].input[0] = "nothing"
    with pytest.raises(CaptureError, match=r"onnxruntime cannot play it \(.*nothing.*\)") as refusal:
        open_guest(write(tmp_path / "odd.onnx", model))
    assert "\n" not in str(refusal.value)


IN_A_WORKER = """
import json, os, socket, subprocess, sys, threading
from pathlib import Path
import onnxruntime
from neuralamp.guest import worker

def attempt(what):
    try:
        what()
        return "done"
    except Exception as reason:
        return type(reason).__name__

def session():
    onnxruntime.InferenceSession(content, providers=["CPUExecutionProvider"])

def job():
    global content
    content = worker._read(Path(sys.argv[1]))
    return dict(
        read=attempt(lambda: open("/etc/hostname").read()),
        write=attempt(lambda: open("stolen", "w")),
        folder=attempt(lambda: os.listdir("/")),
        net=attempt(socket.socket),
        start=attempt(lambda: subprocess.run(["true"])),
        weight=attempt(session),
    )

os.chdir(Path(sys.argv[1]).parent)
worker._look = lambda path: job()
worker.main(["look", sys.argv[1]])
"""


def test_a_worker_can_open_nothing_once_it_has_read_its_file(tmp_path):
    """Even the weight in another file that the check of the graph would have refused."""
    model = with_weight_elsewhere("an initializer")
    (tmp_path / "weights").write_bytes(np.ones(3, np.float32).tobytes())
    model.graph.initializer[0].external_data[0].value = "weights"
    path = write(tmp_path / "external.onnx", model)
    command = [sys.executable, "-c", IN_A_WORKER, str(path)]
    worker = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    said = worker.stdout.read() if worker.stdout else ""
    worker.communicate()
    denied = dict.fromkeys(("read", "write", "folder", "net"), "OSError")
    found = keeper._heard(said.encode())
    assert {name: found[name] for name in denied} == denied
    assert found["start"] != "done"
    assert found["weight"] != "done"
    assert sorted(entry.name for entry in tmp_path.iterdir()) == ["external.onnx", "weights"]


def test_the_environment_of_the_player_does_not_reach_the_worker(tmp_path, monkeypatch):
    monkeypatch.setenv("SECRET_TOKEN", "s3cret")
    guest = open_guest(write(tmp_path / "rnn.onnx", one_pole()))
    node = guest.start((), 64)
    environment = Path(f"/proc/{worker_pid(node)}/environ")
    if environment.exists():  # Linux
        assert b"s3cret" not in environment.read_bytes()


START_AND_WAIT = """
import sys, time
from neuralamp.guest.keeper import start_worker
from neuralamp.guest.guest import open_guest
if sys.argv[2] == "look":
    print(start_worker("look", sys.argv[1]).pid, flush=True)
else:
    node = open_guest(sys.argv[1]).start((), 64)
    print(node.keep[1].worker.pid, flush=True)
time.sleep(60)
"""


@pytest.mark.parametrize("how", ["look", "play"])
def test_a_worker_does_not_outlive_a_player_that_is_killed(how, tmp_path):
    """Also while it computes: `look` takes minutes here."""
    path = write(tmp_path / "a.onnx", matrix_chain(1000) if how == "look" else one_pole())
    command = [sys.executable, "-c", START_AND_WAIT, str(path), how]
    player = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    pid = int(player.stdout.readline() if player.stdout else "")
    time.sleep(2.0)  # it has begun to compute
    os.kill(pid, 0)
    player.kill()
    player.communicate()
    assert_ends(pid)
