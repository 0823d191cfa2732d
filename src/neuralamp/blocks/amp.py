"""Amp: any capture, played by its net."""

from functools import lru_cache
from pathlib import Path

import numpy as np
from numba import carray

from neuralamp.block import Block, FileSetting, Knob, Part
from neuralamp.capture.capture import Capture
from neuralamp.capture.file import open_capture
from neuralamp.capture.shelf import find_capture
from neuralamp.dsp.jit import address_of, call_node, floats_at, integers_at
from neuralamp.dsp.node import POINTER, Node, State, node, row_addresses
from neuralamp.errors import CaptureError
from neuralamp.nets import stream_at_rest
from neuralamp.units import db_to_gain


class Amp(Block):
    capture = FileSetting("a capture: an .onnx file, or a name on the shelf")
    input = Knob(0.0, -24.0, 24.0, "dB", "gain into the capture: more is more drive; 0 is as the amp was captured")
    output = Knob(0.0, -60.0, 24.0, "dB", "gain behind it: louder or softer, the same tone")

    @staticmethod
    def design(knobs, sample_rate, xp):
        """Decibels to linear gains."""
        return xp.stack([db_to_gain(knobs.input, xp), db_to_gain(knobs.output, xp)])

    state = State(
        goal=(2,), now=(2,), slew=float, channels=int, max_frames=int, net=int, net_states=POINTER, driven=POINTER, rows=POINTER
    )  # fmt: skip

    @node(state)
    def play(inputs, outputs, frames, state):
        box = carray(state, (1,))[0]
        for n in range(frames):
            box.now[0] += box.slew * (box.goal[0] - box.now[0])
            for c in range(box.channels):
                driven = floats_at(box.driven + 4 * c * box.max_frames, frames)
                driven[n] = inputs[c][n] * box.now[0]
        net_states = integers_at(box.net_states, box.channels)
        for c in range(box.channels):
            call_node(box.net, box.rows + 8 * c, address_of(outputs) + 8 * c, frames, net_states[c])
        for n in range(frames):
            box.now[1] += box.slew * (box.goal[1] - box.now[1])
            for c in range(box.channels):
                outputs[c][n] *= box.now[1]

    def files(self):
        return (find_capture(self.set["capture"]),)

    def plays_at(self):
        return self._capture().card.sample_rate

    def _capture(self) -> Capture:
        (path,) = self.files()
        return _open(path, path.stat().st_mtime_ns)

    def prepare(self, sample_rate, channels, max_frames):
        (path,) = self.files()
        capture = self._capture()
        if capture.card.sample_rate != sample_rate:
            raise CaptureError(
                f"{path.name} was captured at {capture.card.sample_rate} Hz but is to play at {sample_rate:g} Hz; "
                f"open the device at {capture.card.sample_rate} Hz, or re-amp with --resample"
            )
        if capture.config.knobs:
            raise CaptureError(
                f"{path.name} has knobs of its own ({', '.join(capture.config.knobs)}), which this version cannot turn; "
                "use a capture of one setting"
            )
        nets = [stream_at_rest(capture.config, capture.weights) for _ in range(channels)]
        driven = np.zeros((channels, max_frames), np.float32)
        values = self.start(sample_rate, channels) | {"max_frames": max_frames, "net": nets[0].kernel.address}
        constants = {"net_states": np.array([net.address for net in nets], np.int64), "rows": row_addresses(driven)}
        # A convolutional net is silent once its past is; a recurrent one needs its settling time, which bounds both.
        return Part(
            Node(self.play, values, {"driven": driven}, constants, inner=nets),
            channels,
            tail_frames=capture.config.settling_frames,
        )


@lru_cache(maxsize=8)
def _open(path: Path, modified_ns: int) -> Capture:
    """The capture in a file as it was last written: a rig's lanes and takes share one reading."""
    return open_capture(path)


BOX = Amp
