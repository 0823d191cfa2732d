"""The tape: what the guitar gave and what the rig made of it, side by side, kept until a thread that may wait has stored it."""

import numpy as np

from neuralamp.dsp.jit import floats_at, integers_at, kernel, load_acquire, store_release
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


@kernel
def frames_on_tape(stage_address):
    """For the thread that stores: how many frames have been recorded so far."""
    return load_acquire(stage_address + TAPED)


@kernel
def mark_stored(stage_address, frames):
    """From the thread that stores: these many frames, of all so far, may be written over."""
    store_release(stage_address + STORED, frames)
