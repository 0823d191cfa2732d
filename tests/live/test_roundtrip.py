"""The measured latency, on a device whose latency is known."""

import json
import subprocess
import sys

import numpy as np
import pytest

from neuralamp.live.roundtrip import find_sweep, sweep
from realtime.bench.dummy import PERIOD, RATE, wait_for

RUN = [sys.executable, "-m", "neuralamp", "latency", "--yes", "--json"]


@pytest.mark.parametrize(("gain", "noise"), [(1.0, 0.0), (-0.05, 0.0), (0.1, 0.003)])
def test_a_sweep_is_found_to_the_frame(gain, noise):
    sent, rng = sweep(RATE), np.random.default_rng(1)
    heard = noise * rng.standard_normal(36000)
    heard[1234 : 1234 + sent.size] += gain * sent
    lag, likeness, found = find_sweep(heard, sent)
    assert lag == 1234 and likeness > 0.7 and abs(found / abs(gain) - 1.0) < 0.05


def test_noise_and_silence_are_not_like_a_sweep():
    sent = sweep(RATE)
    assert find_sweep(np.zeros(36000), sent)[1] == 0.0
    assert find_sweep(np.random.default_rng(1).standard_normal(36000), sent)[1] < 0.2


class Cable:
    """A JACK client from the host's output to its input, longer by so many frames."""

    def __init__(self, environment, frames: int):
        import jack

        self.client = jack.Client("cable", no_start_server=True, servername=environment["JACK_DEFAULT_SERVER"])
        self.inside, self.outside = self.client.inports.register("in"), self.client.outports.register("out")
        self.kept = np.zeros(frames, np.float32)
        self.client.set_process_callback(self.carry)
        self.client.activate()

    def carry(self, frames: int) -> None:
        if self.kept.size == 0:
            self.outside.get_array()[:] = self.inside.get_array()
            return
        line = np.concatenate([self.kept, self.inside.get_array()])
        self.outside.get_array()[:], self.kept = line[:frames], line[frames:]

    def plug_in(self) -> None:
        wait_for(lambda: self.client.get_ports("^PortAudio:out_0$"), "the host shows no ports")
        for port in ("PortAudio:in_0",):
            for other in self.client.get_all_connections(port):
                self.client.disconnect(other, port)
        self.client.connect("PortAudio:out_0", self.inside)
        self.client.connect(self.outside, "PortAudio:in_0")


def measured(environment, frames: int | None) -> subprocess.CompletedProcess:
    child = subprocess.Popen(RUN, env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    cable = Cable(environment, frames) if frames is not None else None
    try:
        if cable:
            cable.plug_in()
        out, complaints = child.communicate(timeout=120.0)
    finally:
        child.kill()
        if cable:
            cable.client.deactivate()
            cable.client.close()
    return subprocess.CompletedProcess(RUN, child.returncode, out, complaints)


@pytest.mark.alone
def test_the_latency_of_a_known_loop_is_measured_to_the_frame(jack, tmp_path):
    """JACK's graph is one period late where it runs in a circle; what the cable adds is added to the frame."""
    environment = jack | {"NEURALAMP_CONFIG": str(tmp_path)}
    for extra in (0, 1000):
        done = measured(environment, extra)
        assert done.returncode == 0, done.stderr
        found = json.loads(done.stdout)
        assert found["frames"] == PERIOD + extra
        assert found["likeness"] > 0.99 and abs(found["return_db"]) < 0.1
        assert found["milliseconds"] == pytest.approx(1e3 * (PERIOD + extra) / RATE)
    saved = json.loads((tmp_path / "devices.json").read_text())["setups"][0]
    assert saved["round_trip_frames"] == PERIOD + 1000 and saved["input"] == "system (JACK Audio Connection Kit)"


@pytest.mark.alone
def test_without_a_cable_it_says_which_to_plug_in(jack, tmp_path):
    done = measured(jack | {"NEURALAMP_CONFIG": str(tmp_path)}, None)
    assert done.returncode != 0
    assert "did not come back; connect output 1 of system to input 1 of system by a cable" in done.stdout + done.stderr
    assert "Traceback" not in done.stderr
