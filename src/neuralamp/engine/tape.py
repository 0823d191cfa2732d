"""The tape: what the guitar gave and what the rig made of it, side by side, kept until a thread that may wait has stored it."""

import numpy as np

from neuralamp.dsp.jit import floats_at, integers_at, kernel, load_acquire, store_release
from neuralamp.dsp.node import touched
from neuralamp.engine.record import STORED, TAPED
from neuralamp.engine.walk import output_row

WET = 2  # channels of the rig on the tape, behind those of its input


@kernel
def record(stage, stage_address, walk, device, frames, healthy):
    """Put a buffer on the tape: the rig's input, and what the rig gives, before the output stage. A rig that gave broken numbers
    is recorded as silence. Where the tape is full the recording ends, and the sound goes on.
    """
    taped, width = stage.taped, walk.channels_in + WET
    if taped + frames - load_acquire(stage_address + STORED) > stage.tape_frames:
        stage.recording = 0.0
        stage.torn += 1
        return
    tape = floats_at(stage.tape, stage.tape_frames * width)
    channels = integers_at(stage.input_map, walk.channels_in)
    for c in range(width):
        wet = output_row(walk, max(c - walk.channels_in, 0), frames)
        for n in range(frames):
            place = (taped + n) % stage.tape_frames * width + c
            if c >= walk.channels_in:
                tape[place] = wet[n] if healthy else np.float32(0.0)
            else:
                tape[place] = device[n * stage.device_inputs + channels[c]] if device.size > 0 else np.float32(0.0)
    store_release(stage_address + TAPED, taped + frames)


class Tape:
    """The end of the tape where another thread stores what was recorded: room for so much sound, used again and again."""

    def __init__(self, stage: np.ndarray, channels: int, frames: int):
        self._stage = stage
        self._rows = touched(np.zeros((frames, channels + WET), np.float32))
        stage["tape"] = self._rows.ctypes.data
        stage["tape_frames"] = frames

    @property
    def frames(self) -> int:
        """How many have been recorded since it was opened."""
        return int(frames_on_tape(self._stage.ctypes.data))

    @property
    def torn(self) -> int:
        """How many recordings have ended because nobody stored what was recorded."""
        return int(self._stage["torn"][0])

    def read(self, begin: int, end: int) -> np.ndarray:
        """Frames, counted from its opening: (frames, input channels + WET) float32. Their place is free again."""
        rows = np.take(self._rows, np.arange(begin, end), axis=0, mode="wrap")
        mark_stored(self._stage.ctypes.data, end)
        return rows


@kernel
def frames_on_tape(stage_address):
    """For the thread that stores: how many frames have been recorded so far."""
    return load_acquire(stage_address + TAPED)


@kernel
def mark_stored(stage_address, frames):
    """From the thread that stores: these many frames, of all so far, may be written over."""
    store_release(stage_address + STORED, frames)
