"""What the audio thread runs: one compiled function from the device's buffer to the device's buffer.

It takes no lock, makes no memory, calls no system and never sees Python. The control thread talks to it through three things in
one record: a ring of events, the address of the plan that is wanted, and plain numbers that either side only reads.
"""

import ctypes

import numba
import numpy as np
from numba import carray, types

from neuralamp.dsp.jit import (
    address_of,
    as_pointer,
    float_from_bits,
    floats_at,
    flush_denormals,
    integers_at,
    kernel,
    load_acquire,
    set_float_mode,
    store_release,
)
from neuralamp.engine.plan import PLAN, bring_to_rest, input_row, output_row, play_walk, turn, walk_at

MOST_GOALS = 64  # numbers that one box's knobs may be designed into
RING_EVENTS = 1024
MIX = -2  # a device channel that hears left and right together
SILENT = -1

CEILING = np.float32(10.0 ** (-0.1 / 20.0))  # -0.1 dBFS: below it the output stage changes no bit
RAMP_MS = 30.0  # from silence to sound and back; the shortest that does not click on a bass string is about 20
FADE_MS = 20.0  # between two rigs
METER_FALL_DB = 20.0  # a second

EVENT = np.dtype([("frame", np.int64), ("generation", np.int64), ("box", np.int64), ("goal", np.float64, (MOST_GOALS,))])
STAGE = np.dtype(
    [
        ("wanted", np.int64),  # address of the plan that is to play; written by the control thread
        ("settled", np.int64),  # generation that alone is playing; older ones are never touched again
        ("pushed", np.int64),  # events written so far, and
        ("taken", np.int64),  # events played so far: a ring with one writer and one reader
        ("events", np.int64),
        ("playing", np.int64),
        ("leaving", np.int64),  # the plan that is fading out, or 0
        ("fade", np.int64),  # frames of the fade that have passed
        ("fade_frames", np.int64),
        ("frame", np.int64),  # frames played since the beginning
        ("max_frames", np.int64),
        ("device_inputs", np.int64),
        ("device_outputs", np.int64),
        ("input_map", np.int64),  # the device channel of each channel of the rig's input
        ("output_map", np.int64),  # the rig channel that each device channel plays, or MIX or SILENT
        ("live", np.int64),  # whether the output stage is in the way
        ("muted", np.int64),
        ("ramp", np.int64),  # frames of the ramp that have passed, up to
        ("ramp_frames", np.int64),
        ("clipped", np.int64),  # frames that the ceiling has cut
        ("poisoned", np.int64),  # buffers muted because a number was not finite
        ("callbacks", np.int64),
        ("input_xruns", np.int64),
        ("output_xruns", np.int64),
        ("meter_fall", np.float64),  # of a frame, as a gain
        ("input_peak", np.float64),
        ("output_peak", np.float64),
    ]
)
WANTED, SETTLED, PUSHED, TAKEN = range(0, 32, 8)  # where the record's first four fields lie, in bytes

ULONG = types.uint64 if ctypes.sizeof(ctypes.c_ulong) == 8 else types.uint32  # 32 bits on Windows
CALLBACK = types.int32(types.voidptr, types.voidptr, ULONG, types.voidptr, ULONG, types.voidptr)
MAGNITUDE, INFINITE = np.int32(0x7FFFFFFF), np.int32(0x7F800000)  # a float32's bits without its sign, and those of Inf
INPUT_XRUN, OUTPUT_XRUN = 0x3, 0xC  # PortAudio's flags: underflow or overflow, of input and of output


@kernel
def push_event(stage_address, event):
    """From the control thread: hand one event over. False if the ring is full."""
    stage = carray(as_pointer(stage_address), 1, STAGE)[0]
    if stage.pushed - load_acquire(stage_address + TAKEN) >= RING_EVENTS:
        return False
    carray(as_pointer(stage.events), RING_EVENTS, EVENT)[stage.pushed % RING_EVENTS] = event
    store_release(stage_address + PUSHED, stage.pushed + 1)
    return True


@kernel
def want_plan(stage_address, plan_address):
    """From the control thread: play this plan from the next buffer on."""
    store_release(stage_address + WANTED, plan_address)


@kernel
def settled_generation(stage_address):
    """For the control thread: the generation below which no plan is in use any more."""
    return load_acquire(stage_address + SETTLED)


@kernel
def plan_at(address):
    """The record of a plan at an address."""
    return carray(as_pointer(address), 1, PLAN)[0]


@kernel
def take_plan(stage, stage_address):
    """Begin to cross-fade to the plan that is wanted, unless a fade is still under way."""
    wanted = load_acquire(stage_address + WANTED)
    if wanted != stage.playing and stage.leaving == 0:
        stage.leaving, stage.playing, stage.fade = stage.playing, wanted, 0
        if stage.leaving == 0:
            store_release(stage_address + SETTLED, plan_at(wanted).generation)


@kernel
def take_events(stage, stage_address, most):
    """Play the events that are due, in the order they were given; frames until the next one, at most `most`."""
    pushed = load_acquire(stage_address + PUSHED)
    events = carray(as_pointer(stage.events), RING_EVENTS, EVENT)
    taken = stage.taken
    while taken < pushed:
        event = events[taken % RING_EVENTS]
        if event.frame > stage.frame:
            most = min(most, event.frame - stage.frame)
            break
        if event.generation > plan_at(stage.playing).generation:
            break  # for a plan that is wanted and waits for a fade to end
        if event.generation == plan_at(stage.playing).generation:
            turn(plan_at(stage.playing), event.box, event.goal)
        elif stage.leaving != 0 and event.generation == plan_at(stage.leaving).generation:
            turn(plan_at(stage.leaving), event.box, event.goal)
        taken += 1
    if taken != stage.taken:
        store_release(stage_address + TAKEN, taken)
    return most


@kernel
def play_plan(stage, plan_address, device, frames):
    """One plan on what the device's interleaved buffer holds."""
    walk = walk_at(plan_at(plan_address).walk)
    channels = integers_at(stage.input_map, walk.channels_in)
    for c in range(walk.channels_in):
        row = input_row(walk, c, frames)
        if device.size == 0:
            row[:] = np.float32(0.0)
        else:
            row[:] = device[channels[c] :: stage.device_inputs]
    play_walk(walk, frames)
    return walk


@kernel
def cross_fade(stage, stage_address, walk, device, frames):
    """Let the leaving plan play on underneath, and mix it into the arriving plan's output by sample time."""
    leaving = play_plan(stage, stage.leaving, device, frames)
    for c in range(walk.channels_out):
        arriving_row = output_row(walk, c, frames)
        leaving_row = output_row(leaving, c, frames)
        for n in range(frames):
            share = np.float32((stage.fade + n + 1) / stage.fade_frames)
            arriving_row[n] = leaving_row[n] + share * (arriving_row[n] - leaving_row[n])
    stage.fade += frames
    if stage.fade == stage.fade_frames:
        stage.leaving = 0
        store_release(stage_address + SETTLED, plan_at(stage.playing).generation)


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


@kernel
def play_stage(stage, stage_address, device_in, device_out, frames):
    """One buffer of the device, cut where an event falls, a fade or a rig's buffers end."""
    start, healthy = 0, True
    while start < frames:
        take_plan(stage, stage_address)
        most = min(frames - start, stage.max_frames)
        if stage.leaving != 0:
            most = min(most, stage.fade_frames - stage.fade)
        count = take_events(stage, stage_address, most)
        heard = device_in[start * stage.device_inputs : (start + count) * stage.device_inputs]
        spoken = device_out[start * stage.device_outputs : (start + count) * stage.device_outputs]
        walk = play_plan(stage, stage.playing, heard, count)
        if stage.leaving != 0:
            cross_fade(stage, stage_address, walk, heard, count)
        if stage.live != 0 and not is_finite(walk, count):
            healthy = False
            bring_to_rest(plan_at(stage.playing))
            if stage.leaving != 0:
                bring_to_rest(plan_at(stage.leaving))
        write_output(stage, walk, spoken, count)
        stage.frame += count
        start += count
    if stage.live != 0:
        if not healthy:  # the whole buffer, then a ramp from a rig at rest
            device_out[:] = np.float32(0.0)
            stage.poisoned += 1
            stage.ramp = 0
        output_stage(stage, device_out, frames)


@numba.cfunc(CALLBACK, cache=True, error_model="numpy")
def callback(device_in, device_out, frames, time, status, stage_pointer):
    """PortAudio's stream callback; files and tests are rendered through the very same function."""
    mode = flush_denormals()
    stage = carray(stage_pointer, (1,), STAGE)[0]
    count = np.int64(frames)
    heard = floats_at(address_of(device_in), count * stage.device_inputs if address_of(device_in) != 0 else 0)
    spoken = floats_at(address_of(device_out), count * stage.device_outputs)
    play_stage(stage, address_of(stage_pointer), heard, spoken, count)
    fall = stage.meter_fall**count
    stage.input_peak = peak(stage.input_peak, fall, heard)
    stage.output_peak = peak(stage.output_peak, fall, spoken)
    stage.callbacks += 1
    stage.input_xruns += 1 if status & INPUT_XRUN else 0
    stage.output_xruns += 1 if status & OUTPUT_XRUN else 0
    set_float_mode(mode)
    return 0
