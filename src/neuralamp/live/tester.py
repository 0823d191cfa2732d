"""What a device calls instead of an engine when it is measured: it plays a signal once, and keeps what comes in meanwhile."""

import numba
import numpy as np
from numba import carray

from neuralamp.dsp.jit import address_of, floats_at
from neuralamp.engine.stage import CALLBACK

FIELDS = ("calls", "signal", "heard", "length", "at", "inputs", "input", "outputs", "output")
TESTER = np.dtype([(name, np.int64) for name in FIELDS])


@numba.cfunc(CALLBACK, cache=True, error_model="numpy")
def tester_callback(device_in, device_out, frames, time, status, pointer):
    """One buffer: the next part of the signal on one channel, silence on the others; what came in beside it."""
    tester = carray(pointer, (1,), TESTER)[0]
    count = np.int64(frames)
    spoken = floats_at(address_of(device_out), count * tester.outputs)
    spoken[:] = np.float32(0.0)
    heard = floats_at(address_of(device_in), count * tester.inputs if address_of(device_in) != 0 else 0)
    signal, kept = floats_at(tester.signal, tester.length), floats_at(tester.heard, tester.length)
    for n in range(min(count, tester.length - tester.at)):
        spoken[n * tester.outputs + tester.output] = signal[tester.at + n]
        kept[tester.at + n] = heard[n * tester.inputs + tester.input] if heard.size > 0 else np.float32(0.0)
    tester.at = min(tester.at + count, tester.length)
    tester.calls += 1
    return 0


class Tester:
    """Takes the place of a Plug: plays on the first output channel, listens to the guitar's input."""

    def __init__(self, inputs: int, input_channel: int, outputs: int, output_channel: int):
        self._record = np.zeros(1, TESTER)
        self._record["inputs"], self._record["input"] = inputs, input_channel - 1
        self._record["outputs"], self._record["output"] = outputs, output_channel - 1

    def load(self, signal: np.ndarray) -> None:
        """The signal (frames,) that is played once the device calls."""
        self._signal, self.heard = signal.astype(np.float32), np.zeros(signal.size, np.float32)
        self._record["signal"], self._record["heard"] = self._signal.ctypes.data, self.heard.ctypes.data
        self._record["length"] = signal.size

    @property
    def callback_address(self) -> int:
        return tester_callback.address

    @property
    def stage_address(self) -> int:
        """What the callback wants as its user data."""
        return self._record.ctypes.data

    @property
    def calls(self) -> int:
        return int(self._record["calls"][0])

    @property
    def done(self) -> bool:
        """Whether the signal has been played to its end."""
        return self._record["at"][0] >= self._record["length"][0]
