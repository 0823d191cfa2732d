"""Amp: any capture, played by its net."""

import math
import re
from dataclasses import replace
from functools import lru_cache
from pathlib import Path

import numpy as np
from numba import carray

from neuralamp.block import Block, FileSetting, Knob, NumberSetting, Part
from neuralamp.capture.capture import Capture
from neuralamp.capture.file import open_capture
from neuralamp.capture.levels import Levels, gains_db
from neuralamp.capture.loudness import loudness_db
from neuralamp.capture.shelf import find_capture
from neuralamp.dsp.glide import amplify, glide
from neuralamp.dsp.jit import address_of, call_node, floats_at, integers_at
from neuralamp.dsp.node import POINTER, Node, State, node, row_addresses
from neuralamp.dsp.resample import resampled
from neuralamp.errors import CaptureError, RateError
from neuralamp.guest.guest import Guest, is_foreign, open_guest
from neuralamp.units import db_to_gain

MOST_OWN_KNOBS = 16  # of a capture; the most in the wild is 2
GUEST_LATENCY_FRAMES = 512  # at the capture's rate: room for buffers of 256 frames and a worker that the system wakes late


class Amp(Block):
    capture = FileSetting("a capture: a .nam, .aidax, .json or .onnx file, or a name on the shelf")
    input = Knob(0.0, -24.0, 24.0, "dB", "gain into the capture: more is more drive; 0 is as the amp was captured")
    output = Knob(0.0, -60.0, 24.0, "dB", "gain behind it: louder or softer, the same tone")
    device_input_dbu = NumberSetting(-60.0, 60.0, "dBu", "the voltage at the device's input that is full scale")
    device_output_dbu = NumberSetting(-60.0, 60.0, "dBu", "the voltage at the device's output that is full scale")
    loudness_db = NumberSetting(-60.0, 0.0, "dB", "how loud the capture is to be, whatever its own loudness")
    latency_frames = NumberSetting(64, 8192, "frames", "how late others' ONNX plays live: twice the device's buffer at least")

    @staticmethod
    def design(knobs, sample_rate, xp):
        """Decibels to linear gains."""
        return xp.stack([db_to_gain(knobs.input, xp), db_to_gain(knobs.output, xp)])

    state = State(
        goal=(2 + MOST_OWN_KNOBS,), now=(2 + MOST_OWN_KNOBS,), slew=float, before=float, after=float,
        channels=int, inputs=int, max_frames=int, net=int, net_states=POINTER, driven=POINTER, turned=POINTER, rows=POINTER,
    )  # fmt: skip

    @node(state)
    def play(inputs, outputs, frames, state):
        box = carray(state, (1,))[0]
        drive, level = box.now[0], box.now[1]
        for c in range(box.channels):
            driven = floats_at(box.driven + 4 * c * box.max_frames, frames)
            box.now[0] = amplify(carray(inputs[c], frames), driven, box.before, drive, box.goal[0], box.slew)
        for k in range(box.inputs - 1):
            turned = floats_at(box.turned + 4 * k * box.max_frames, frames)
            for n in range(frames):
                box.now[2 + k] = glide(box.now[2 + k], box.goal[2 + k], box.slew)
                turned[n] = box.now[2 + k]
        net_states = integers_at(box.net_states, box.channels)
        for c in range(box.channels):
            call_node(box.net, box.rows + 8 * c * box.inputs, address_of(outputs) + 8 * c, frames, net_states[c])
        for c in range(box.channels):
            y = carray(outputs[c], frames)
            box.now[1] = amplify(y, y, box.after, level, box.goal[1], box.slew)

    @property
    def controls(self):
        return {**self.knobs(), **self._own_knobs()}

    def _own_knobs(self) -> dict[str, Knob]:
        """Those of the capture, by names that a rig file can hold."""
        capture = self._capture()
        if len(capture.knobs) > MOST_OWN_KNOBS:
            raise CaptureError(f"{self.set['capture']} has {len(capture.knobs)} knobs; {MOST_OWN_KNOBS} can be turned")
        own = {}
        for name, rest in zip(capture.knobs, capture.resting_knobs, strict=True):
            word = re.sub(r"\W+", "_", name.lower()).strip("_") or "knob"
            while word in self.known() or word in own:
                word = f"capture_{word}"
            own[word] = Knob(rest, 0.0, 1.0, "", f"the capture's own: {name}")
        return own

    def goals(self, values, sample_rate):
        own = [values.get(name, knob.default) for name, knob in self._own_knobs().items()]
        return np.pad(np.append(super().goals(values, sample_rate), own), (0, MOST_OWN_KNOBS - len(own)))

    def files(self):
        return (find_capture(self.set["capture"]),)

    def plays_at(self):
        return self._capture().card.sample_rate

    def _capture(self) -> Capture | Guest:
        (path,) = self.files()
        return _open(path, path.stat().st_mtime_ns)

    def prepare(self, sample_rate, channels, max_frames):
        return self._made(sample_rate, channels, max_frames, late=0)

    def prepare_live(self, sample_rate, channels, max_frames):
        late = self.set["latency_frames"] or GUEST_LATENCY_FRAMES
        return self._made(sample_rate, channels, max_frames, late=round(late) if isinstance(self._capture(), Guest) else 0)

    def _made(self, sample_rate, channels, max_frames, late):
        """late: frames at the capture's rate by which a worker's answers are played later than they are asked for; 0 to wait."""
        capture, rate = self._capture(), round(sample_rate)
        own_rate = capture.card.sample_rate
        inputs = 1 + len(capture.knobs)
        own_frames = max_frames if rate == own_rate else math.ceil(max_frames * own_rate / rate) + 1
        goals = self.goals(self.values, sample_rate)
        troubles: tuple = ()
        if late:
            started, troubles = zip(*(capture.start_live(own_frames, late) for _ in range(channels)), strict=True)
        else:
            started = [capture.start(goals[2 : 1 + inputs], own_frames) for _ in range(channels)]
        try:
            made = [resampled(net, own_rate, rate, inputs, max_frames) for net in started]
        except RateError as reason:
            raise RateError(f"{self.set['capture']} cannot be played: {reason}") from None
        nets, latency = [net for net, _ in made], made[0][1] + round((capture.latency_frames + late) * rate / own_rate)
        driven = np.zeros((channels, max_frames), np.float32)
        turned = np.zeros((max(inputs - 1, 1), max_frames), np.float32)
        shared = row_addresses(turned)[: inputs - 1]
        rows = np.array([[sound, *shared] for sound in row_addresses(driven)], np.int64)
        before, after, notes = self._levels(capture)
        values = self.start(sample_rate, channels) | {
            "before": db_to_gain(before),
            "after": db_to_gain(after),
            "inputs": inputs,
            "max_frames": max_frames,
            "net": nets[0].kernel.address,
        }
        if late:
            notes = (*notes, f"others' ONNX is played in a process of its own, which takes {late} frames at {own_rate} Hz")
        if rate != own_rate:
            ms = 1e3 * made[0][1] / rate
            notes = (*notes, f"captured at {own_rate} Hz and resampled, which takes {made[0][1]} frames ({ms:.1f} ms)")
        return Part(
            Node(
                self.play,
                values,
                {"driven": driven, "turned": turned},
                {"net_states": np.array([net.address for net in nets], np.int64), "rows": rows},
                inner=nets,
            ),
            channels,
            latency_frames=latency,
            # A convolutional net is silent once its past is; a recurrent one needs its settling time, which bounds both.
            tail_frames=math.ceil(capture.settling_frames * rate / own_rate) + latency,
            notes=(*capture.warnings, *notes),
            check=capture.check,
            trouble=lambda: next((said for trouble in troubles if (said := trouble())), ""),
        )

    def _levels(self, capture: Capture | Guest) -> tuple[float, float, tuple[str, ...]]:
        """Gain before and behind the capture in dB, as the levels that were asked for have it, and what is to be said of them."""
        levels = Levels(*(self.set[name] for name in ("device_input_dbu", "device_output_dbu", "loudness_db")))
        card = capture.card
        if levels.loudness_db is not None and isinstance(capture, Capture):
            try:
                card = replace(card, loudness_db=loudness_db(capture))
            except CaptureError as reason:
                raise CaptureError(f"{self.files()[0]} cannot be made {levels.loudness_db:g} dB loud: {reason}") from None
        return gains_db(card, levels)


@lru_cache(maxsize=8)
def _open(path: Path, modified_ns: int) -> Capture | Guest:
    """The capture in a file as it was last written: a rig's lanes and takes share one reading."""
    return open_guest(path) if is_foreign(path) else open_capture(path)


BOX = Amp
