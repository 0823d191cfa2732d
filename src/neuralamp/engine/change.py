"""A change of rig: the next one listens, then fades in as the last one fades out, whose echoes ring on underneath."""

import numpy as np

from neuralamp.dsp.jit import integers_at, kernel
from neuralamp.engine.plan import bring_to_rest, keep_clean, leave_stage, plan_at
from neuralamp.engine.record import MOST_SPILLS, spend_plan, spills_of
from neuralamp.engine.walk import input_row, output_row, play_walk, walk_at


@kernel
def listens(stage):
    """Whether a plan waits that may listen already: one after the other."""
    return stage.coming != 0 and stage.playing != 0 and stage.fade == stage.fade_frames


@kernel
def begin_change(stage):
    """Put the plan that waits on the stage, once it has listened and there is a place for what rings on.

    Where there is none, the one that has rung longest is hurried: it fades out, which takes one fade.
    """
    if stage.playing == 0:
        stage.playing, stage.coming = stage.coming, 0
    if not listens(stage):
        return
    spills = spills_of(stage)
    if stage.spill_count == MOST_SPILLS:
        spills[0].left = min(spills[0].left, stage.fade_frames)
    elif stage.listened >= stage.fade_frames:
        leaving = plan_at(stage.playing)
        leave_stage(leaving)
        last = spills[stage.spill_count]
        fades = 2 if leaving.door_count > 0 else 1  # its doors shut, and at the end what still rings
        last.plan, last.passed, last.left = stage.playing, 0, leaving.rings_on + fades * stage.fade_frames
        stage.spill_count += 1
        stage.playing, stage.coming, stage.listened, stage.fade = stage.coming, 0, 0, 0


@kernel
def frames_until_change(stage, most):
    """How long nothing begins or ends, at most `most`."""
    if stage.fade < stage.fade_frames:
        most = min(most, stage.fade_frames - stage.fade)
    if listens(stage) and stage.listened < stage.fade_frames:
        most = min(most, stage.fade_frames - stage.listened)
    spills = spills_of(stage)
    for i in range(stage.spill_count):
        most = min(most, spills[i].left)
        if spills[i].passed < stage.fade_frames:
            most = min(most, stage.fade_frames - spills[i].passed)
    return most


@kernel
def play_plan(stage, plan, first, device, frames):
    """One plan, from its row `first` on, on what the device's interleaved buffer holds."""
    hear(stage, plan, device, frames)
    walk = walk_at(plan.walk)
    play_walk(walk, first, frames)
    return walk


@kernel
def hear(stage, plan, device, frames):
    """What the device's interleaved buffer holds, into a plan's input rows."""
    walk = walk_at(plan.walk)
    channels = integers_at(stage.input_map, walk.channels_in)
    for c in range(walk.channels_in):
        row = input_row(walk, c, frames)
        if device.size == 0:
            row[:] = np.float32(0.0)
        else:
            row[:] = device[channels[c] :: stage.device_inputs]
    keep_clean(plan, walk, frames)


@kernel
def listen(stage, device, frames):
    """Let the plan that waits hear what is played, from silence up over a fade: a chorus or an echo that begins to hear in the
    middle of a note clicks when that moment comes out of it.
    """
    plan = plan_at(stage.coming)
    hear(stage, plan, device, frames)
    walk = walk_at(plan.walk)
    if stage.listened < stage.fade_frames:
        for c in range(walk.channels_in):
            row = input_row(walk, c, frames)
            for n in range(frames):
                row[n] *= np.float32((stage.listened + n + 1) / stage.fade_frames)
    play_walk(walk, 0, frames)
    stage.listened += frames


@kernel
def arrive(stage, walk, frames):
    """Fade the playing plan in."""
    for c in range(walk.channels_out):
        row = output_row(walk, c, frames)
        for n in range(frames):
            row[n] *= np.float32((stage.fade + n + 1) / stage.fade_frames)
    stage.fade += frames


@kernel
def ring_on(stage, stage_address, walk, device, frames):
    """Add what has left the stage and still rings; what is over is spent. Each one's last frames fade: a rig without echoes has
    no others, and an amp that hums behind an echo must not be cut off.
    """
    spills, kept = spills_of(stage), 0
    for i in range(stage.spill_count):
        plan = plan_at(spills[i].plan)
        heard = play_plan(stage, plan, 0 if spills[i].passed < stage.fade_frames else plan.rings_from, device, frames)
        for c in range(walk.channels_out):
            row, ringing = output_row(walk, c, frames), output_row(heard, c, frames)
            for n in range(frames):
                gain = min(np.float32((spills[i].left - n - 1) / stage.fade_frames), np.float32(1.0))
                row[n] += gain * ringing[n]
        spills[i].passed += frames
        spills[i].left -= frames
        if spills[i].left == 0:
            spend_plan(stage, stage_address, plan.generation)
        else:
            spills[kept] = spills[i]
            kept += 1
    stage.spill_count = kept


@kernel
def silence_all(stage, stage_address):
    """Bring what plays to rest, and end what rings."""
    bring_to_rest(plan_at(stage.playing))
    spills = spills_of(stage)
    for i in range(stage.spill_count):
        spend_plan(stage, stage_address, plan_at(spills[i].plan).generation)
    stage.spill_count = 0
    stage.fade = stage.fade_frames
