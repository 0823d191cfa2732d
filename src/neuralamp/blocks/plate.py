"""Plate: a large steel plate, dense from the first instant, bright and without walls."""

import math

import numpy as np
from numba import carray

from neuralamp.block import Block, Knob, Part
from neuralamp.dsp.delay_line import line_size, put, take, take_between
from neuralamp.dsp.glide import glide, glides
from neuralamp.dsp.jit import floats_at
from neuralamp.dsp.node import CHANNELS, POINTER, Node, State, node
from neuralamp.dsp.reverberation import absorption, all_pass, wet_and_dry
from neuralamp.dsp.svf import VALUES, high_cut, low_cut, svf

# J. Dattorro, "Effect Design, Part 1: Reverberator and Other Filters", JAES 45(9), 1997: figure 1, tables 1 and 2.
RATE_OF_LENGTHS = 29761.0
SPREAD = (142, 107, 379, 277)  # frames of the four all-passes before the tank
SPREAD_GAINS = (0.75, 0.75, 0.625, 0.625)
# One half of the figure of eight, then the other: an all-pass that swings, a delay, an all-pass, a delay.
HALVES = ((672, 4453, 1800, 3720), (908, 4217, 2656, 3163))
SWINGING, FIRST, SECOND, LAST = range(4)
TANK_GAINS = (-0.7, 0.0, 0.5, 0.0)  # a delay is an all-pass with a gain of 0
# Where the left is taken from: half, line, frames behind its newest, sign. The right is the same with the halves exchanged.
TAPS_LEFT = (
    (1, FIRST, 266, 1),
    (1, FIRST, 2974, 1),
    (1, SECOND, 1913, -1),
    (1, LAST, 1996, 1),
    (0, FIRST, 1990, -1),
    (0, SECOND, 187, -1),
    (0, LAST, 1066, -1),
)
TAPS_RIGHT = (
    (0, FIRST, 353, 1),
    (0, FIRST, 3627, 1),
    (0, SECOND, 1228, -1),
    (0, LAST, 2673, 1),
    (1, FIRST, 2111, -1),
    (1, SECOND, 335, -1),
    (1, LAST, 121, -1),
)
TAPS = len(TAPS_LEFT)
SWING_MS = 1000.0 * 16.0 / RATE_OF_LENGTHS  # the widest that the paper gives, either way
SWING_HZ = 1.0
LONGEST_DECAY_S = 10.0
LONGEST_PRE_DELAY_MS = 250.0

LINES = 8
GAINS, POLES = 0, LINES  # where each row of goals begins: of the lines of one half, then of the other
PRE_DELAY, SWING, DRY, OWN, OTHER, LOW_CUT = range(2 * LINES, 2 * LINES + 6)
HIGH_CUT = LOW_CUT + VALUES
GOALS = HIGH_CUT + VALUES


class Plate(Block):
    decay = Knob(2.0, 0.7, LONGEST_DECAY_S, "s", "how long the plate rings: to 60 dB down, at 500 Hz", taper="log")
    damping = Knob(6000.0, 1500.0, 16000.0, "Hz", "where the plate rings half as long: felt on the steel", taper="log")
    low_cut = Knob(120.0, 20.0, 1000.0, "Hz", "everything below stays off the plate, 12 dB per octave", taper="log")
    high_cut = Knob(14000.0, 1000.0, 20000.0, "Hz", "everything above stays off the plate, 12 dB per octave", taper="log")
    pre_delay = Knob(0.0, 0.0, LONGEST_PRE_DELAY_MS, "ms", "how long the plate waits before it answers")
    motion = Knob(50.0, 0.0, 100.0, "%", "how much the plate shimmers; 0 stands still")
    width = Knob(100.0, 0.0, 100.0, "%", "from one point to all around")
    mix = Knob(25.0, 0.0, 100.0, "%", "0 is the guitar alone, 100 the plate alone")

    trails = True

    @staticmethod
    def design(knobs, sample_rate, xp):
        """Gain and pole of each line's absorption; frames of pre-delay and of swing; three gains; two filters."""
        lengths = [frames / RATE_OF_LENGTHS for half in HALVES for frames in half]
        filters = [absorption(length, knobs.decay, knobs.damping, sample_rate, xp) for length in lengths]
        frames = [1.0 + knobs.pre_delay * (sample_rate / 1000.0), knobs.motion * (SWING_MS * sample_rate / 100000.0)]
        return xp.concat(
            [
                xp.stack([gain for gain, _ in filters]),
                xp.stack([pole for _, pole in filters]),
                xp.stack(frames),
                wet_and_dry(knobs.mix, knobs.width, _level(knobs.decay, xp), xp),
                low_cut(knobs.low_cut, xp.ones_like(knobs.low_cut), sample_rate, xp),
                high_cut(knobs.high_cut, xp.ones_like(knobs.high_cut), sample_rate, xp),
            ]
        )

    def prepare(self, sample_rate: float, channels: int, max_frames: int) -> Part:
        ratio = sample_rate / RATE_OF_LENGTHS
        spread, lengths = np.round(np.array(SPREAD) * ratio), np.round(np.array(HALVES) * ratio)
        taps = np.round(np.array([[tap[2] for tap in side] for side in (TAPS_LEFT, TAPS_RIGHT)]) * ratio)
        sizes = {
            "wait_size": line_size(1.0 + LONGEST_PRE_DELAY_MS * sample_rate / 1000.0),
            "spread_size": line_size(spread.max()),
            "line_size": line_size(lengths.max()),
        }
        turn = 2.0 * np.pi * SWING_HZ / sample_rate
        made = Node(
            self.play,
            self.start(sample_rate, channels)
            | sizes
            | {
                "spread": spread,
                "lengths": lengths,
                "taps": taps,
                "turn": [np.cos(turn), np.sin(turn)],
                "swing": [1.0, 0.0],
            },
            memory={
                "waiting": np.zeros(sizes["wait_size"], np.float32),
                "spreading": np.zeros((len(SPREAD), sizes["spread_size"]), np.float32),
                "lines": np.zeros((2, 4, sizes["line_size"]), np.float32),
            },
        )
        # twice the longest decay is 120 dB; below 500 Hz a dark plate rings up to 1.17 times as long (1.5 kHz of damping, 10 s)
        tail = 2.0 * 1.17 * LONGEST_DECAY_S + LONGEST_PRE_DELAY_MS / 1000.0 + 0.5
        return Part(made, CHANNELS, tail_frames=round(tail * sample_rate))

    state = State(
        goal=(GOALS,),
        now=(GOALS,),
        slew=float,
        channels=int,
        written=int,
        wait_size=int,
        spread_size=int,
        line_size=int,
        spread=(len(SPREAD),),
        lengths=(2, 4),
        taps=(2, TAPS),
        turn=(2,),
        swing=(2,),
        cut=(2, 2),
        low=(2, 4),
        crossing=(2,),
        waiting=POINTER,
        spreading=POINTER,
        lines=POINTER,
    )

    @node(state)
    def play(inputs, outputs, frames, state):
        """A figure of eight: each half swings, delays, spreads, delays, and a frame later goes over into the other half.

        In the paper a half loses level at two places and treble at one. Here each delay, also that in an all-pass, loses its own
        share: then all modes die at the same pace, and the decay is what the knob says.

        Source of that: L. Dahl, J.-M. Jot, "A Reverberator Based on Absorbent All-Pass Filters", DAFx 2000.
        """
        box = carray(state, (1,))[0]
        goal, now, slew, lengths = box.goal, box.now, box.slew, box.lengths
        waiting = floats_at(box.waiting, box.wait_size)
        spreading = floats_at(box.spreading, (len(SPREAD), box.spread_size))
        lines = floats_at(box.lines, (2, 4, box.line_size))
        right_in = box.channels - 1
        gliding = glides(now, goal)
        for n in range(frames):
            for k in range(GOALS if gliding else 0):
                now[k] = glide(now[k], goal[k], slew)
            cosine, sine = box.swing[0], box.swing[1]
            box.swing[0] = cosine * box.turn[0] - sine * box.turn[1]
            box.swing[1] = cosine * box.turn[1] + sine * box.turn[0]
            put(waiting, box.written, 0.5 * (inputs[0][n] + inputs[right_in][n]))
            sound = take_between(waiting, box.written + 1, now[PRE_DELAY])
            sound = svf(sound, now[LOW_CUT : LOW_CUT + VALUES], box.cut[0])
            sound = svf(sound, now[HIGH_CUT : HIGH_CUT + VALUES], box.cut[1])
            for k in range(len(SPREAD)):
                sound = all_pass(spreading[k], box.written, int(box.spread[k]), SPREAD_GAINS[k], sound)
            from_left, from_right = box.crossing[0], box.crossing[1]
            for half in range(2):
                passing = sound + (from_left if half else from_right)
                for k in range(4):
                    line = lines[half, k]
                    past = take_between(
                        line, box.written, lengths[half, k] - 1.0 + now[SWING] * box.swing[half] * (k == SWINGING)
                    )
                    low = now[GAINS + 4 * half + k] * past + now[POLES + 4 * half + k] * box.low[half, k]
                    box.low[half, k] = low
                    inner = passing - TANK_GAINS[k] * low
                    put(line, box.written, inner)
                    passing = low + TANK_GAINS[k] * inner
                box.crossing[half] = passing
            box.written += 1
            left = right = 0.0
            for k in range(TAPS):
                half, line, _, sign = TAPS_LEFT[k]
                left += sign * take(lines[half, line], box.written, int(box.taps[0, k]))
                half, line, _, sign = TAPS_RIGHT[k]
                right += sign * take(lines[half, line], box.written, int(box.taps[1, k]))
            outputs[0][n] = now[DRY] * inputs[0][n] + now[OWN] * left + now[OTHER] * right
            outputs[1][n] = now[DRY] * inputs[right_in][n] + now[OWN] * right + now[OTHER] * left


def _level(decay, xp):
    """The gain that makes the energy of the plate's answer at 500 Hz that of the sound, by the energies that pass, halves alike.

    An all-pass of gain g whose delay loses the amplitude l passes g^2 + (1 - g^2)^2 l^2 / (1 - g^2 l^2) of what enters it, and
    its line holds 1 / (1 - g^2 l^2). A side hears three taps of the first delay, two of the all-pass behind it, two of the last.
    """
    passed, held = [], []
    for gain, *lengths in zip(TANK_GAINS, *HALVES, strict=True):
        left = xp.exp(-6.0 * math.log(10.0) * (sum(lengths) / 2.0 / RATE_OF_LENGTHS) / decay)
        held.append(1.0 / (1.0 - gain * gain * left))
        passed.append(gain * gain + (1.0 - gain * gain) ** 2 * left * held[-1])
    entering = 1.0 / (1.0 - passed[SWINGING] * passed[FIRST] * passed[SECOND] * passed[LAST])
    heard = 3.0 + 2.0 * passed[FIRST] * (held[SECOND] + passed[SECOND])
    return 1.0 / xp.sqrt(entering * passed[SWINGING] * heard)


BOX = Plate
