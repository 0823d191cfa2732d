"""A device that needs no hardware: a JACK server with the dummy driver, and a guitarist who plays into it and listens."""

import os
import shutil
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np

RATE, PERIOD = 48000, 64
WAIT_S = 30.0  # for anything to happen on a loaded machine


def what_is_missing() -> str:
    """Why there can be no dummy device here; an empty text where there can."""
    if shutil.which("jackd") is None:
        return "jackd is not installed; apt install jackd2"
    try:
        import jack
        import sounddevice
    except (ImportError, OSError) as reason:
        return f"{reason}; apt install libportaudio2 libjack-jackd2-0, pip install 'neuralamp[dev]'"
    return "" if jack and sounddevice else "no audio library"


class JackServer:
    """A server of this process's own, ended by its number; `environment` leads to it. It may be killed, and started again.

    Synchronous (-S): a cycle ends when its clients have, so a busy machine makes it late and does not tear the sound.
    """

    def __init__(self):
        self.name = f"neuralamp-{os.getpid()}-{time.monotonic_ns() % 1_000_000}"
        self.environment = os.environ | {"JACK_DEFAULT_SERVER": self.name, "JACK_NO_START_SERVER": "1"}

    def start(self, rate: int = RATE, period: int = PERIOD) -> None:
        """Until it answers."""
        command = ["jackd", "-S", "-R", "-t", "5000", "-n", self.name, "-d", "dummy", "-r", str(rate), "-p", str(period)]
        self._process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        wait_for(lambda: _answers(self.name), f"jackd does not start: {' '.join(command)}")

    def kill(self) -> None:
        """As a crash would end it."""
        self._process.kill()
        self._process.wait()

    def stop(self) -> None:
        """End it in order. One that was killed is started once more for that: only eight names are kept, until a server of that
        name ends in order, and then none can start any more on this machine.
        """
        if self._process.poll() is not None:
            self.start()
        self._process.terminate()
        try:
            self._process.wait(10.0)
        except subprocess.TimeoutExpired:
            self.kill()
        for left in Path("/dev/shm").glob(f"jack_sem.*_{self.name}_*"):  # by a client that outlived its server
            left.unlink(missing_ok=True)

    def set_buffer(self, frames: int) -> None:
        """Change the period while clients play."""
        subprocess.run(["jack_bufsize", str(frames)], env=self.environment, check=True, capture_output=True, timeout=WAIT_S)


@contextmanager
def jack_server() -> Iterator[dict[str, str]]:
    """A server at 48 kHz and 64 frames; yields the environment that leads to it."""
    server = JackServer()
    server.start()
    try:
        yield server.environment
    finally:
        server.stop()


def _answers(name: str) -> bool:
    import jack

    os.environ["JACK_NO_START_SERVER"] = "1"
    with _silent_stderr():
        try:
            jack.Client("knock", no_start_server=True, servername=name).close()
        except jack.JackOpenError:
            return False
    return True


@contextmanager
def _silent_stderr() -> Iterator[None]:
    """libjack writes there, past Python, that it found no server yet."""
    import jack

    jack.set_error_function(lambda text: None)
    try:
        yield
    finally:
        jack.set_error_function()


def wait_for(happened, otherwise: str, within: float = WAIT_S) -> None:
    """Look again and again; TimeoutError in the words of `otherwise` if it does not happen."""
    deadline = time.monotonic() + within
    while not happened():
        if time.monotonic() > deadline:
            raise TimeoutError(otherwise)
        time.sleep(0.01)


class Guitarist:
    """Two clients around a host: `pick` plays a take into its input, `ear` records its outputs, by JACK's count of frames.

    take  (frames,) float32; before and after it there is silence.
    """

    def __init__(self, environment: dict[str, str], take: np.ndarray, outputs: int = 2):
        import jack

        server = environment["JACK_DEFAULT_SERVER"]
        self.take = take
        self.heard = np.full((outputs, take.size), np.nan, np.float32)
        self.frames_heard = 0
        self._begin: int | None = None  # JACK's frame at which the take begins
        self._armed = False
        self._pick = jack.Client("pick", no_start_server=True, servername=server)
        self._ear = jack.Client("ear", no_start_server=True, servername=server)
        self._out = self._pick.outports.register("out")
        self._ins = [self._ear.inports.register(f"in_{c}") for c in range(outputs)]
        self._pick.set_process_callback(self._play)
        self._ear.set_process_callback(self._listen)
        self._pick.activate()
        self._ear.activate()

    def _play(self, frames: int) -> None:
        now, out = self._pick.last_frame_time, self._out.get_array()
        out[:] = 0.0
        if self._armed and self._begin is None:
            self._begin = now
        if self._begin is not None and 0 <= now - self._begin < self.take.size:
            part = self.take[now - self._begin : now - self._begin + frames]
            out[: part.size] = part

    def _listen(self, frames: int) -> None:
        if self._begin is None:
            return
        at = self._ear.last_frame_time - self._begin
        if 0 <= at < self.take.size:
            end = min(at + frames, self.take.size)
            for c, port in enumerate(self._ins):
                self.heard[c, at:end] = port.get_array()[: end - at]
            self.frames_heard = end

    def plug_in(self, host_name: str) -> None:
        """Connect to a host's ports, and the host to nothing else."""
        ports = [f"{host_name}:in_0", *(f"{host_name}:out_{c}" for c in range(len(self._ins)))]
        wait_for(lambda: all(self._pick.get_ports(f"^{port}$") for port in ports), f"{host_name} shows no ports")
        for port in ports:
            for other in self._pick.get_all_connections(port):
                self._pick.disconnect(*((other, port) if ":in_" in port else (port, other)))
        self._pick.connect(self._out, ports[0])
        for port, ear in zip(ports[1:], self._ins, strict=True):
            self._pick.connect(port, ear)

    def play(self, freewheel: bool) -> np.ndarray:
        """The take through the host, as fast as it can (freewheel) or in real time: (outputs, frames), NaN where nothing came."""
        self.begin(freewheel)
        while self.frames_heard < self.take.size:
            before = self.frames_heard
            wait_for(lambda before=before: self.frames_heard > before, "the take has stopped")
        if freewheel:
            self._pick.set_freewheel(False)
        return self.heard

    def begin(self, freewheel: bool) -> None:
        """The take from the next buffer on; `heard` and `frames_heard` say how far it is."""
        if freewheel:
            self._pick.set_freewheel(True)
        self._armed = True
        wait_for(lambda: self.frames_heard > 0, "the take does not begin")

    def close(self) -> None:
        for client in (self._pick, self._ear):
            client.deactivate()
            client.close()
