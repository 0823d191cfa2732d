"""The one record that the control thread and the audio thread share, and the rings in it: events in, spent plans and tape out.

Each ring has one writer and one reader: a count of what was written, published by the writer, and a count of what was read,
published by the reader. No lock is needed, and none is taken.
"""

import numpy as np
from numba import carray

from neuralamp.dsp.jit import as_pointer, doubles_at, integers_at, kernel, load_acquire, store_release
from neuralamp.engine.plan import plan_at

MOST_GOALS = 64  # numbers that one box's knobs may be designed into
RING_EVENTS = 1024
RING_PLANS = 2 * RING_EVENTS  # every plan that can be waiting in the ring of events, and those that play
MOST_SPILLS = 3  # rigs whose echoes ring on under the one that plays

EVENT = np.dtype(
    [
        ("frame", np.int64),  # at which it is due; once it has been played, at which it was
        ("plan", np.int64),  # the address of a plan that is to play from now on, or 0:
        ("address", np.int64),  # then `size` numbers of `goal` are written here
        ("size", np.int64),
        ("goal", np.float64, (MOST_GOALS,)),
    ]
)
SPILL = np.dtype([("plan", np.int64), ("passed", np.int64), ("left", np.int64)])  # frames since it left, and until it is gone
STAGE = np.dtype(
    [
        ("pushed", np.int64),  # events written by the control thread so far, and
        ("taken", np.int64),  # events played so far
        ("spent", np.int64),  # plans that the audio thread will never touch again, so far, and
        ("freed", np.int64),  # those that the control thread knows of
        ("taped", np.int64),  # frames recorded so far, and
        ("stored", np.int64),  # frames that have been taken off the tape
        ("panics", np.int64),  # asked for by the control thread, and
        ("calmed", np.int64),  # those that have been answered
        ("events", np.int64),
        ("spent_plans", np.int64),
        ("tape", np.int64),
        ("tape_frames", np.int64),  # its length: a ring
        ("torn", np.int64),  # recordings that ended because the tape was full
        ("recording", np.float64),  # 1 while the tape runs; turned by events
        ("playing", np.int64),
        ("coming", np.int64),  # the plan that waits for a place on the stage, or 0,
        ("listened", np.int64),  # and the frames that it has heard
        ("fade", np.int64),  # frames of the arrival that have passed, up to
        ("fade_frames", np.int64),
        ("spills", np.int64),
        ("spill_count", np.int64),
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
        ("howl", np.int64),  # the howl detector's record, or 0 where feedback is wanted
        ("ticks", np.int64),  # the histogram of how long each buffer took
        ("clipped", np.int64),  # frames that the ceiling has cut
        ("poisoned", np.int64),  # buffers muted because a number was not finite
        ("callbacks", np.int64),
        ("buffer_frames", np.int64),  # of the last one
        ("input_xruns", np.int64),
        ("output_xruns", np.int64),
        ("meter_fall", np.float64),  # of a frame, as a gain
        ("input_peak", np.float64),
        ("output_peak", np.float64),
    ]
)
PUSHED, TAKEN, SPENT, FREED, TAPED, STORED, PANICS = range(0, 56, 8)  # where the record's first fields lie, in bytes
RECORDING = list(STAGE.names or ()).index("recording") * 8  # every field is 8 bytes wide


@kernel
def stage_at(address):
    """The record at an address."""
    return carray(as_pointer(address), 1, STAGE)[0]


@kernel
def spills_of(stage):
    """The table of what has left the stage and still rings; its first `spill_count` rows are in use, the oldest first."""
    return carray(as_pointer(stage.spills), MOST_SPILLS, SPILL)


@kernel
def room_for_events(stage_address):
    """For the control thread: how many events may be pushed before one has to be played."""
    return RING_EVENTS - (stage_at(stage_address).pushed - load_acquire(stage_address + TAKEN))


@kernel
def push_event(stage_address, event):
    """From the control thread: hand one event over, where there is room for it; its number."""
    stage = stage_at(stage_address)
    number = stage.pushed
    carray(as_pointer(stage.events), RING_EVENTS, EVENT)[number % RING_EVENTS] = event
    store_release(stage_address + PUSHED, number + 1)
    return number


@kernel
def events_taken(stage_address):
    """For the control thread: how many events have been played."""
    return load_acquire(stage_address + TAKEN)


@kernel
def frame_of(stage_address, number):
    """For the control thread: the frame at which an event was played, which may be asked until RING_EVENTS more are pushed."""
    return carray(as_pointer(stage_at(stage_address).events), RING_EVENTS, EVENT)[number % RING_EVENTS].frame


@kernel
def panic(stage_address):
    """From the control thread: silence, now."""
    stage = stage_at(stage_address)
    stage.muted = 1
    store_release(stage_address + PANICS, stage.panics + 1)


@kernel
def take_spent_plan(stage_address):
    """For the control thread: the generation of a plan that nobody plays any more, or 0."""
    stage = stage_at(stage_address)
    if stage.freed == load_acquire(stage_address + SPENT):
        return 0
    generation = integers_at(stage.spent_plans, RING_PLANS)[stage.freed % RING_PLANS]
    stage.freed += 1
    return generation


@kernel
def spend_plan(stage, stage_address, generation):
    """From the audio thread: this plan will not be touched again."""
    integers_at(stage.spent_plans, RING_PLANS)[stage.spent % RING_PLANS] = generation
    store_release(stage_address + SPENT, stage.spent + 1)


@kernel
def take_events(stage, stage_address, most):
    """Play the events that are due, in the order they were given; frames until the next one, at most `most`.

    A rig that is to come is left in `coming`; one that had come to wait there before has never played, and never will.
    """
    pushed = load_acquire(stage_address + PUSHED)
    events = carray(as_pointer(stage.events), RING_EVENTS, EVENT)
    taken = stage.taken
    while taken < pushed:
        event = events[taken % RING_EVENTS]
        if event.frame > stage.frame:
            most = min(most, event.frame - stage.frame)
            break
        event.frame = stage.frame
        if event.plan != 0:
            if stage.coming != 0:
                spend_plan(stage, stage_address, plan_at(stage.coming).generation)
            stage.coming, stage.listened = event.plan, 0
        else:
            written = doubles_at(event.address, event.size)
            for k in range(event.size):
                written[k] = event.goal[k]
        taken += 1
    if taken != stage.taken:
        store_release(stage_address + TAKEN, taken)
    return most
