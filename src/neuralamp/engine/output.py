"""What stands between a rig and ears: a ramp out of silence and into it, a ceiling, a guard against broken numbers, meters."""

import numpy as np

from neuralamp.dsp.jit import float_from_bits, integers_at, kernel
from neuralamp.engine.walk import output_row

MIX = -2  # a device channel that hears left and right together
SILENT = -1
RAMP_MS = 30.0  # from silence to sound and back; the shortest that does not click on a bass string is about 20
METER_FALL_DB = 20.0  # a second

CEILING = np.float32(10.0 ** (-0.1 / 20.0))  # -0.1 dBFS: below it the output stage changes no bit
MAGNITUDE, INFINITE = np.int32(0x7FFFFFFF), np.int32(0x7F800000)  # a float32's bits without its sign, and those of Inf


@kernel
def largest_bits(samples):
    """The bits of the largest magnitude: as whole numbers they are in the magnitudes' order, Inf and then NaN above all."""
    bits = samples.view(np.int32)
    largest = np.int32(0)
    for n in range(bits.size):
        largest = max(largest, bits[n] & MAGNITUDE)
    return largest


@kernel
def is_finite(walk, frames):
    """Whether no output of a walk is Inf or NaN."""
    largest = np.int32(0)
    for c in range(walk.channels_out):
        largest = max(largest, largest_bits(output_row(walk, c, frames)))
    return largest < INFINITE


@kernel
def write_output(stage, walk, device, frames):
    """The rig's channels into the device's interleaved buffer."""
    channels = integers_at(stage.output_map, stage.device_outputs)
    for k in range(stage.device_outputs):
        place, spoken = channels[k], device[k :: stage.device_outputs]
        if place == SILENT:
            spoken[:] = np.float32(0.0)
        elif place == MIX:
            left, right = output_row(walk, 0, frames), output_row(walk, 1, frames)
            for n in range(frames):
                spoken[n] = np.float32(0.5) * (left[n] + right[n])
        else:
            spoken[:] = output_row(walk, place, frames)


@kernel
def output_stage(stage, device, frames):
    """What stands between a rig and ears: a ramp out of silence and into it, and a hard ceiling; else not a bit is changed."""
    if stage.muted == 0 and stage.ramp == stage.ramp_frames and float_from_bits(largest_bits(device)) <= CEILING:
        return  # as nearly always
    for n in range(frames):
        if stage.muted != 0:
            stage.ramp = max(stage.ramp - 1, 0)
        else:
            stage.ramp = min(stage.ramp + 1, stage.ramp_frames)
        open_ = stage.ramp == stage.ramp_frames
        gain = np.float32(stage.ramp / stage.ramp_frames)
        cut = False
        for k in range(stage.device_outputs):
            y = device[n * stage.device_outputs + k]
            if not open_:
                y *= gain
            if abs(y) > CEILING:
                y = CEILING if y > 0 else -CEILING
                cut = True
            device[n * stage.device_outputs + k] = y
        if cut:
            stage.clipped += 1


@kernel
def peak(before, fall, device):
    """A meter's needle after a buffer: up at once, down slowly; NaN and Inf, which would stay for ever, are not shown."""
    largest = largest_bits(device)
    if largest >= INFINITE:
        largest = np.int32(0)
        for n in range(device.size):
            size = largest_bits(device[n : n + 1])
            largest = max(largest, size if size < INFINITE else np.int32(0))
    return max(before * fall, np.float64(float_from_bits(largest)))
