"""Hall: a large room behind the guitar, as long and as dark as you like."""

import math

import numpy as np
from numba import carray

from neuralamp.block import Block, Knob, Part
from neuralamp.dsp.delay_line import line_size, put, take_between
from neuralamp.dsp.glide import glide, glides
from neuralamp.dsp.jit import floats_at
from neuralamp.dsp.node import CHANNELS, POINTER, Node, State, node
from neuralamp.dsp.reverberation import absorption, all_pass, hadamard_16, wet_and_dry
from neuralamp.dsp.svf import VALUES, low_cut, svf

RATE_OF_LENGTHS = 48000.0
# Frames at 48 kHz: primes near a geometric row from 19 to 67 ms, so that no two lines meet before their product.
LENGTHS = (911, 991, 1069, 1171, 1277, 1381, 1511, 1637, 1783, 1933, 2111, 2293, 2503, 2707, 2939, 3203)
LINES = len(LENGTHS)
# Four all-passes for either side: primes again, from 3 to 13 ms, others on the left than on the right.
SPREAD = ((149, 269, 409, 619), (167, 241, 443, 587))
SPREADERS = len(SPREAD[0])
SPREAD_GAIN = 0.65
LONGEST_DECAY_S = 10.0
LONGEST_PRE_DELAY_MS = 250.0
LARGEST_SIZE = 1.5
SWING_MS = 0.4  # either way, at full motion: at the fastest of the four, 3 cents
SWING_HZ = (0.31, 0.43, 0.59, 0.71)

GAINS, POLES = 0, LINES  # where each row of goals begins
SIZE, PRE_DELAY, SWING, DRY, OWN, OTHER, LOW_CUT = range(2 * LINES, 2 * LINES + 7)
GOALS = LOW_CUT + VALUES


class Hall(Block):
    decay = Knob(2.2, 0.3, LONGEST_DECAY_S, "s", "how long the room rings: to 60 dB down, at 500 Hz", taper="log")
    damping = Knob(4500.0, 1500.0, 16000.0, "Hz", "where the room rings half as long: curtains or bare stone", taper="log")
    low_cut = Knob(90.0, 20.0, 1000.0, "Hz", "everything below stays out of the room, 12 dB per octave", taper="log")
    pre_delay = Knob(15.0, 0.0, LONGEST_PRE_DELAY_MS, "ms", "how long the room waits before it answers")
    size = Knob(100.0, 50.0, 100.0 * LARGEST_SIZE, "%", "how far the walls are: a club, a hall, a cathedral")
    motion = Knob(40.0, 0.0, 100.0, "%", "how much the air moves; 0 stands still")
    width = Knob(100.0, 0.0, 100.0, "%", "from one point to all around")
    mix = Knob(25.0, 0.0, 100.0, "%", "0 is the guitar alone, 100 the room alone")

    trails = True

    @staticmethod
    def design(knobs, sample_rate, xp):
        """Gain and pole of each line's absorption; frames of a unit of length, of pre-delay, of swing; three gains; a filter.

        The level makes the energy of the room's answer at MID_HZ that of the sound: a steady sound is as loud at any mix, and a
        longer decay is longer, not louder. An answer's energy is that of all turns, 8 (m + m^2 + ...) on either side, where m is
        the power that is left after a turn, the mean of the lines'.
        """
        scale = knobs.size / 100.0
        lengths = [length / RATE_OF_LENGTHS * scale for length in LENGTHS]
        filters = [absorption(length, knobs.decay, knobs.damping, sample_rate, xp) for length in lengths]
        kept = sum(xp.exp(-6.0 * math.log(10.0) * length / knobs.decay) for length in lengths) / LINES
        level = xp.sqrt((1.0 - kept) / (0.5 * LINES * kept))
        frames = [
            scale * (sample_rate / RATE_OF_LENGTHS),
            1.0 + knobs.pre_delay * (sample_rate / 1000.0),
            knobs.motion * (SWING_MS * sample_rate / 100000.0),
        ]
        return xp.concat(
            [
                xp.stack([gain for gain, _ in filters]),
                xp.stack([pole for _, pole in filters]),
                xp.stack(frames),
                wet_and_dry(knobs.mix, knobs.width, level, xp),
                low_cut(knobs.low_cut, xp.ones_like(knobs.low_cut), sample_rate, xp),
            ]
        )

    def prepare(self, sample_rate: float, channels: int, max_frames: int) -> Part:
        ratio = sample_rate / RATE_OF_LENGTHS
        spread = np.round(np.array(SPREAD) * ratio)
        sizes = {
            "wait_size": line_size(1.0 + LONGEST_PRE_DELAY_MS * sample_rate / 1000.0),
            "spread_size": line_size(spread.max()),
            "line_size": line_size(LARGEST_SIZE * max(LENGTHS) * ratio + SWING_MS * sample_rate / 1000.0),
        }
        turns = 2.0 * np.pi * np.array(SWING_HZ) / sample_rate
        made = Node(
            self.play,
            self.start(sample_rate, channels)
            | sizes
            | {
                "spread": spread,
                "lengths": np.array(LENGTHS, float),
                "turn": np.stack([np.cos(turns), np.sin(turns)], axis=1),
                "swing": np.array([[1.0, 0.0]] * len(SWING_HZ)),
            },
            memory={
                "waiting": np.zeros((CHANNELS, sizes["wait_size"]), np.float32),
                "spreading": np.zeros((CHANNELS * SPREADERS, sizes["spread_size"]), np.float32),
                "lines": np.zeros((LINES, sizes["line_size"]), np.float32),
            },
        )
        # twice the longest decay is 120 dB; below MID_HZ a dark room rings up to 1.17 times as long (1.5 kHz of damping, 10 s)
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
        spread=(CHANNELS, SPREADERS),
        lengths=(LINES,),
        turn=(len(SWING_HZ), 2),
        swing=(len(SWING_HZ), 2),
        cut=(CHANNELS, 2),
        low=(LINES,),
        heard=(LINES,),
        waiting=POINTER,
        spreading=POINTER,
        lines=POINTER,
    )

    @node(state)
    def play(inputs, outputs, frames, state):
        """A feedback delay network: s_i[n] = b_i[n] + sum over j of A_ij q_j[n], q_j = the absorption of s_j[n - length_j].

        A is the Hadamard matrix over the root of the number of lines, made by butterflies: no energy is lost but in the
        absorption, and from each line as much goes to each. The left of the sound enters the even lines and the left of the room
        leaves from them, the right the odd ones.
        """
        box = carray(state, (1,))[0]
        goal, now, slew = box.goal, box.now, box.slew
        waiting = floats_at(box.waiting, (CHANNELS, box.wait_size))
        spreading = floats_at(box.spreading, (CHANNELS * SPREADERS, box.spread_size))
        lines = floats_at(box.lines, (LINES, box.line_size))
        swing, turn, low, heard = box.swing, box.turn, box.low, box.heard
        gliding = glides(now, goal)
        for n in range(frames):
            for k in range(GOALS if gliding else 0):
                now[k] = glide(now[k], goal[k], slew)
            for k in range(len(SWING_HZ)):
                cosine, sine = swing[k, 0], swing[k, 1]
                swing[k, 0] = cosine * turn[k, 0] - sine * turn[k, 1]
                swing[k, 1] = cosine * turn[k, 1] + sine * turn[k, 0]
            for k in range(LINES):
                # four phases of each of the four: lines 0, 4, 8 and 12 swing a quarter of a turn apart
                moved = swing[k % 4, k // 4 % 2] * (1.0 if k < 8 else -1.0)
                delay = now[SIZE] * box.lengths[k] + now[SWING] * moved
                past = take_between(lines[k], box.written, delay - 1.0)
                low[k] = now[GAINS + k] * past + now[POLES + k] * low[k]
                heard[k] = low[k]
            left = heard[0] - heard[2] + heard[4] - heard[6] + heard[8] - heard[10] + heard[12] - heard[14]
            right = heard[1] - heard[3] + heard[5] - heard[7] + heard[9] - heard[11] + heard[13] - heard[15]
            hadamard_16(heard)
            for c in range(CHANNELS):
                put(waiting[c], box.written, inputs[min(c, box.channels - 1)][n])
                sound = take_between(waiting[c], box.written + 1, now[PRE_DELAY])
                sound = svf(sound, now[LOW_CUT : LOW_CUT + VALUES], box.cut[c])
                for k in range(SPREADERS):
                    line = spreading[SPREADERS * c + k]
                    sound = all_pass(line, box.written, int(box.spread[c, k]), SPREAD_GAIN, sound)
                for k in range(c, LINES, CHANNELS):
                    put(lines[k], box.written, heard[k] + sound)
            outputs[0][n] = now[DRY] * inputs[0][n] + now[OWN] * left + now[OTHER] * right
            outputs[1][n] = now[DRY] * inputs[box.channels - 1][n] + now[OWN] * right + now[OTHER] * left
            box.written += 1


BOX = Hall
