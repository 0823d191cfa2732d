"""The bench compares equals: what onnxruntime and torch are timed at is the sound that the engine plays."""

import sys
from pathlib import Path

import numpy as np
import pytest

from neuralamp.app.bench import measure, multiplications, onnxruntime_stream, random_weights
from neuralamp.app.bench.players import PeerError, peer
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


def test_the_bench_tells_all_that_a_stranger_needs():
    told = []
    echo = f"{sys.executable} -c \"print('{{frames}} frames of {{model}}:', 12.5)\""
    found = measure(0.1, "A1 nano", echo, told.append)
    assert [row.buffer for row in found.rows] == [16, 64, 128, 2048]
    assert found.sgemm_gflops > 1.0 and found.first_sound_s > 0.1
    assert 0.0 < found.fixed_us < 2.0
    for row in found.rows:
        assert row.rtf > row.rtf_torch > 0.0 and row.rtf_onnxruntime > 0.0
        assert row.rtf_peer == 12.5
        assert 0.05 < row.share < 1.0
    assert "A1 nano in buffers of 64" in told


def test_a_net_that_a_nam_file_cannot_hold_has_no_peer():
    found = measure(0.1, "GRU", f"{sys.executable} -c 'print(1)'")
    assert all(row.rtf_peer is None for row in found.rows)


@pytest.mark.parametrize(
    "command, why",
    [
        ("no-such-player {model}", "does not run"),
        (f"{sys.executable} -c 'raise SystemExit(3)'", "exit code 3"),
        (f"{sys.executable} -c 'print(\"ready\")'", "it printed 'ready'"),
        (f"{sys.executable} -c 'print(0)'", "it printed '0'"),
    ],
)
def test_a_peer_that_says_no_speed_is_told_so_in_one_line(command, why):
    with pytest.raises(PeerError, match=why):
        peer(command, Path("net.nam"), 64, 0.1)()


def test_a_bench_with_a_peer_that_does_not_run_ends():
    with pytest.raises(PeerError, match="does not run"):
        measure(0.1, "A1 nano", "no-such-player {model}")


def test_the_multiplications_of_a_net_are_those_of_its_matrices():
    assert multiplications(IN_THE_WILD["A1 standard"]) == 13320  # 13.3 thousand, as is known of it
