"""The plug between a device and an engine: pulled out and put in while the device goes on calling."""

import time

import numba
import numpy as np

from neuralamp.dsp.jit import address_of, floats_at, integers_at, kernel, load_acquire, store_release
from neuralamp.engine import Engine
from neuralamp.engine.stage import CALLBACK, serve

PLUG = np.dtype([(name, np.int64) for name in ("stage", "busy", "calls", "outputs")])
STAGE, BUSY, CALLS, OUTPUTS = range(0, PLUG.itemsize, 8)  # where the fields lie, in bytes
DRAINED_S = 0.01  # after which every processor has seen what was written


@numba.cfunc(CALLBACK, cache=True, error_model="numpy")
def plugged_callback(device_in, device_out, frames, time, status, plug_pointer):
    """PortAudio's stream callback: the engine that is plugged in, or silence."""
    plug = address_of(plug_pointer)
    store_release(plug + BUSY, 1)
    stage = load_acquire(plug + STAGE)
    if stage != 0:
        serve(device_in, device_out, np.int64(frames), status, stage)
    else:
        outputs = integers_at(plug + OUTPUTS, 1)[0]
        floats_at(address_of(device_out), np.int64(frames) * outputs)[:] = np.float32(0.0)
    calls = integers_at(plug + CALLS, 1)
    calls[0] += 1
    store_release(plug + BUSY, 0)
    return 0


@kernel
def connect(plug, stage):
    """From the control thread: what is played on from the next call on, or 0."""
    store_release(plug + STAGE, stage)


@kernel
def is_busy(plug):
    """For the control thread: whether the device is in a call."""
    return load_acquire(plug + BUSY) != 0


class Plug:
    """One stream's way to an engine. An engine is in one plug at a time: two threads must not play on it.

    outputs  channels of the device's interleaved buffer.
    """

    def __init__(self, outputs: int):
        self._record = np.zeros(1, PLUG)
        self._record["outputs"] = outputs
        self._engine: Engine | None = None

    @property
    def callback_address(self) -> int:
        return plugged_callback.address

    @property
    def stage_address(self) -> int:
        """What the callback wants as its user data."""
        return self._record.ctypes.data

    @property
    def calls(self) -> int:
        """How often the device has called so far."""
        return int(self._record["calls"][0])

    def put(self, engine: Engine) -> None:
        """Let the device play on this engine."""
        self._engine = engine  # which must live as long as it is called
        connect(self.stage_address, engine.stage_address)

    def pull(self) -> None:
        """Leave the device without an engine, and wait until it has left the one that it played on."""
        connect(self.stage_address, 0)
        time.sleep(DRAINED_S)
        while is_busy(self.stage_address):
            time.sleep(DRAINED_S)
