"""What the audio thread runs: one compiled function from the device's buffer to the device's buffer.

It takes no lock, makes no memory, calls no system and never sees Python. The control thread talks to it through one record.
"""

import ctypes

import numba
import numpy as np
from numba import types

from neuralamp.dsp.jit import address_of, floats_at, flush_denormals, kernel, load_acquire, processor_ticks, set_float_mode
from neuralamp.engine.change import arrive, begin_change, frames_until_change, listen, listens, play_plan, ring_on, silence_all
from neuralamp.engine.howl import forget, howl_at, watch
from neuralamp.engine.load import count_ticks
from neuralamp.engine.output import is_finite, output_stage, peak, write_output
from neuralamp.engine.plan import plan_at
from neuralamp.engine.record import PANICS, stage_at, take_events
from neuralamp.engine.tape import record

ULONG = types.uint64 if ctypes.sizeof(ctypes.c_ulong) == 8 else types.uint32  # 32 bits on Windows
CALLBACK = types.int32(types.voidptr, types.voidptr, ULONG, types.voidptr, ULONG, types.voidptr)
INPUT_XRUN, OUTPUT_XRUN = 0x3, 0xC  # PortAudio's flags: underflow or overflow, of input and of output


@kernel
def play_stage(stage, stage_address, device_in, device_out, frames):
    """One buffer of the device, cut where an event falls, a fade or a rig's buffers end."""
    start, healthy = 0, True
    if load_acquire(stage_address + PANICS) != stage.calmed:
        stage.calmed = load_acquire(stage_address + PANICS)
        stage.ramp = 0
        silence_all(stage, stage_address)
    while start < frames:
        until_event = take_events(stage, stage_address, min(frames - start, stage.max_frames))
        begin_change(stage)
        count = frames_until_change(stage, until_event)
        heard = device_in[start * stage.device_inputs : (start + count) * stage.device_inputs]
        spoken = device_out[start * stage.device_outputs : (start + count) * stage.device_outputs]
        walk = play_plan(stage, plan_at(stage.playing), 0, heard, count)
        if listens(stage):
            listen(stage, heard, count)
        if stage.fade < stage.fade_frames:
            arrive(stage, walk, count)
        if stage.spill_count > 0:
            ring_on(stage, stage_address, walk, heard, count)
        if stage.live != 0 and not is_finite(walk, count):
            healthy = False
            silence_all(stage, stage_address)
        if stage.recording != 0.0:
            record(stage, stage_address, walk, heard, count, healthy)
        write_output(stage, walk, spoken, count)
        stage.frame += count
        start += count
    if stage.live != 0:
        if not healthy:  # the whole buffer, then a ramp from a rig at rest
            device_out[:] = np.float32(0.0)
            stage.poisoned += 1
            stage.ramp = 0
        output_stage(stage, device_out, frames)
        if stage.howl != 0:
            end_howl(stage, stage_address, device_in, device_out, frames, healthy)


@kernel
def end_howl(stage, stage_address, device_in, device_out, frames, healthy):
    """Mute what is found to be feedback."""
    howl = howl_at(stage.howl)
    if stage.muted != 0 or not healthy:
        forget(howl)
    elif watch(stage, howl, device_in, device_out, frames):
        device_out[:] = np.float32(0.0)
        stage.muted, stage.ramp = 1, 0
        silence_all(stage, stage_address)


@kernel
def serve(device_in, device_out, frames, status, stage_address):
    """One call of the device: its buffer of `frames`, PortAudio's flags, and the stage to play on."""
    begin = processor_ticks()
    mode = flush_denormals()
    stage = stage_at(stage_address)
    heard = floats_at(address_of(device_in), frames * stage.device_inputs if address_of(device_in) != 0 else 0)
    spoken = floats_at(address_of(device_out), frames * stage.device_outputs)
    play_stage(stage, stage_address, heard, spoken, frames)
    fall = stage.meter_fall**frames
    stage.input_peak = peak(stage.input_peak, fall, heard)
    stage.output_peak = peak(stage.output_peak, fall, spoken)
    stage.callbacks += 1
    stage.buffer_frames = frames
    stage.input_xruns += 1 if status & INPUT_XRUN else 0
    stage.output_xruns += 1 if status & OUTPUT_XRUN else 0
    count_ticks(stage.ticks, processor_ticks() - begin, frames)
    set_float_mode(mode)


@numba.cfunc(CALLBACK, cache=True, error_model="numpy")
def callback(device_in, device_out, frames, time, status, stage_pointer):
    """PortAudio's stream callback; files and tests are rendered through the very same function."""
    serve(device_in, device_out, np.int64(frames), status, address_of(stage_pointer))
    return 0
