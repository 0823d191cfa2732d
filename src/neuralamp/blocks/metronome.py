"""Metronome: a click on each beat, a higher one on the first of the bar; put it last in the chain, behind the amp."""

import math

import numpy as np
from numba import carray

from neuralamp.block import Block, Knob, NumberSetting, Part
from neuralamp.dsp.glide import glide
from neuralamp.dsp.jit import floats_at
from neuralamp.dsp.node import POINTER, Node, State, node
from neuralamp.units import db_to_gain, ms_to_frames

BEATS = 4  # in a bar, where it is not given
FIRST_HZ, OTHER_HZ = 1760.0, 1318.5  # an A and the E below it: over a guitar's fundamentals, where the ear is keen
CLICK_MS, FALL_MS = 60.0, 10.0  # shorter than a beat at the fastest tempo


class Metronome(Block):
    """Bypassed it is silent and counts on; turned off and on again by `run` it begins with the first beat of a bar, at that very
    frame. A tap turns its tempo, as that of every box that has one.
    """

    tempo = Knob(120.0, 40.0, 300.0, "bpm", "beats a minute; a new tempo holds from the next beat on", taper="log")
    level = Knob(-18.0, -60.0, 0.0, "dB", "peak of the click; 0 is full scale")
    run = Knob(1.0, 0.0, 1.0, "", "1 runs, 0 is stopped")
    beats = NumberSetting(1.0, 16.0, "beats", "how many make a bar, the first of them higher; 4 where it is not given")

    readings = ("beat",)

    @staticmethod
    def design(knobs, sample_rate, xp):
        """Frames from beat to beat, the click's gain, and whether it runs: over a half."""
        return xp.stack([60.0 * sample_rate / knobs.tempo, db_to_gain(knobs.level, xp), knobs.run])

    def prepare(self, sample_rate: float, channels: int, max_frames: int) -> Part:
        clicks = np.stack([_click(hertz, sample_rate) for hertz in (FIRST_HZ, OTHER_HZ)])
        sizes = {"beats": round(self.set["beats"] or BEATS), "size": clicks.shape[1], "at": clicks.shape[1]}
        return Part(Node(self.play, self.start(sample_rate, channels) | sizes, constants={"clicks": clicks}), channels)

    # since: frames that have passed since the beat that this tempo is counted from, which was due `due` frames before it, less
    # than half a frame; count: beats since then. beat: which of the bar sounded last, from 1. at: the click's next frame.
    state = State(
        goal=(3,), now=(3,), slew=float, channels=int, beats=int, size=int,
        running=int, since=int, due=float, count=int, beat=int, at=int, clicks=POINTER,
    )  # fmt: skip

    @node(state)
    def play(inputs, outputs, frames, state):
        """Beat k after a change of tempo falls on the frame nearest to where it is due, k periods behind that change: however
        long it runs, none is off by more than half a frame. Between clicks the sound passes bit for bit.
        """
        box = carray(state, (1,))[0]
        clicks = floats_at(box.clicks, (2, box.size))
        box.now[2] = box.goal[2]
        if box.goal[2] < 0.5:
            box.running = 0
        elif box.running == 0:
            box.running = 1
            box.now[0] = box.goal[0]
            box.since, box.due, box.count, box.beat = 0, 0.0, 0, 0
        for n in range(frames):
            box.now[1] = glide(box.now[1], box.goal[1], box.slew)
            if box.running != 0:
                due = box.due + box.count * box.now[0]
                if box.since >= due - 0.5:
                    if box.now[0] != box.goal[0]:
                        box.due, box.since, box.count, box.now[0] = due - box.since, 0, 0, box.goal[0]
                    box.count += 1
                    box.beat = box.beat + 1 if box.beat < box.beats else 1
                    box.at = 0
                box.since += 1
            for c in range(box.channels):
                outputs[c][n] = inputs[c][n]
            if box.at < box.size:
                click = np.float32(box.now[1]) * clicks[0 if box.beat == 1 else 1, box.at]
                for c in range(box.channels):
                    outputs[c][n] += click
                box.at += 1


def _click(hertz: float, sample_rate: float) -> np.ndarray:
    """A sine that dies away, from its first frame on over nothing and with a peak of 1."""
    time = np.arange(1, ms_to_frames(CLICK_MS, sample_rate) + 1) / sample_rate
    click = np.sin(2.0 * math.pi * hertz * time) * np.exp(-time / (1e-3 * FALL_MS)) * (1.0 - time / (1e-3 * CLICK_MS)) ** 2
    return (click / np.abs(click).max()).astype(np.float32)


BOX = Metronome
