"""Spring: a tank of three springs, with the drip and the boing of an old combo."""

import math

import numpy as np
from numba import carray

from neuralamp.block import Block, Knob, Part
from neuralamp.dsp.delay_line import line_size, put, take_between
from neuralamp.dsp.glide import glide, glides
from neuralamp.dsp.jit import floats_at, kernel
from neuralamp.dsp.node import CHANNELS, POINTER, Node, State, node
from neuralamp.dsp.reverberation import MID_HZ, absorption, wet_and_dry
from neuralamp.dsp.svf import VALUES, high_cut, low_cut, svf

# Three springs a little unlike each other, as in a tank of the longer kind: from one end to the other 33 to 41 ms, and
# dispersive up to 4 to 4.5 kHz, above which a spring hardly passes anything.
ONE_WAY_S = (0.0330, 0.0371, 0.0412)
TRANSITION_HZ = (4450.0, 4230.0, 4010.0)
SPRINGS = len(ONE_WAY_S)
SECTIONS = 64  # all-passes for one way
BOTH_WAYS = 2 * SECTIONS
MOST_CHIRP = 0.8  # the all-passes' coefficient at 100 %
SLACK, TIGHT = 1.4, 0.7  # of ONE_WAY_S, at no and at full tension
EDGE_HZ = 4000.0  # above it, six poles take away what the all-passes would mirror
EDGE_K = (1.9319, 1.4142, 0.5176)  # 1 / Q of Butterworth's three pairs
DAMPING_HZ = 3000.0  # here a round trip takes twice the decibels of MID_HZ
MIDDLE = math.sqrt(0.5)  # of the third spring, on either side
LONGEST_DECAY_S = 6.0

DELAYS, GAINS, POLES = 0, SPRINGS, 2 * SPRINGS  # where each row of goals begins
CHIRP, REST, DRY, OWN, OTHER, LOW_CUT = range(3 * SPRINGS, 3 * SPRINGS + 6)
TONE = LOW_CUT + VALUES
GOALS = TONE + VALUES


class Spring(Block):
    decay = Knob(2.0, 0.5, LONGEST_DECAY_S, "s", "how long the springs ring: to 60 dB down, at 500 Hz", taper="log")
    tension = Knob(57.0, 0.0, 100.0, "%", "tight springs answer sooner and flutter faster")
    chirp = Knob(75.0, 0.0, 100.0, "%", "how far the treble lags behind the bass: the drip")
    low_cut = Knob(100.0, 20.0, 1000.0, "Hz", "everything below never reaches the springs, 12 dB per octave", taper="log")
    tone = Knob(4000.0, 500.0, 8000.0, "Hz", "everything above never reaches the springs, 12 dB per octave", taper="log")
    width = Knob(100.0, 0.0, 100.0, "%", "from one point to a spring on either side and one in the middle")
    mix = Knob(25.0, 0.0, 100.0, "%", "0 is the guitar alone, 100 the springs alone")

    trails = True

    @staticmethod
    def design(knobs, sample_rate, xp):
        """Frames, gain and pole of each spring; the all-passes' coefficient a and sqrt(1 - a^2); three gains; two filters.

        The level makes the energy of the answer at MID_HZ that of the sound: what turns in a spring adds up to 1 / (1 - G^2) for
        a loss of amplitude G in a round trip, and a side hears one spring and half of another.
        """
        a = knobs.chirp * (MOST_CHIRP / 100.0)
        slack = SLACK + (TIGHT - SLACK) / 100.0 * knobs.tension
        ways = [seconds * slack for seconds in ONE_WAY_S]
        trips = []
        for way, stretch in zip(ways, stretches(sample_rate), strict=True):
            cosine = math.cos(2.0 * math.pi * MID_HZ * stretch / sample_rate)
            lag = stretch * (1.0 - a * a) / (1.0 + a * a + 2.0 * a * cosine)  # of one all-pass, in frames
            trips.append(2.0 * way + BOTH_WAYS / sample_rate * lag)
        damping = DAMPING_HZ * xp.ones_like(a)
        filters = [absorption(trip, knobs.decay, damping, sample_rate, xp) for trip in trips]
        kept = sum(xp.exp(-6.0 * math.log(10.0) * trip / knobs.decay) for trip in trips) / SPRINGS
        level = xp.sqrt((1.0 - kept) / (1.0 + MIDDLE * MIDDLE))
        return xp.concat(
            [
                xp.stack([way * sample_rate - SECTIONS for way in ways]),
                xp.stack([gain for gain, _ in filters]),
                xp.stack([pole for _, pole in filters]),
                xp.stack([a, xp.sqrt(1.0 - a * a)]),
                wet_and_dry(knobs.mix, knobs.width, level, xp),
                low_cut(knobs.low_cut, xp.ones_like(a), sample_rate, xp),
                high_cut(knobs.tone, xp.ones_like(a), sample_rate, xp),
            ]
        )

    def prepare(self, sample_rate: float, channels: int, max_frames: int) -> Part:
        stretch = stretches(sample_rate)
        whole = np.floor(stretch - 0.5)
        between = stretch - whole  # from 0.5 to 1.5 frames, where a first-order all-pass is an even delay
        edge = np.stack([high_cut(np.float64(EDGE_HZ), np.float64(1.0), sample_rate, np)] * len(EDGE_K))
        edge[:, 1] = EDGE_K
        sizes = {
            "past_size": line_size(whole.max()),
            "line_size": line_size(SLACK * max(ONE_WAY_S) * sample_rate),
        }
        made = Node(
            self.play,
            self.start(sample_rate, channels)
            | sizes
            | {"whole": whole, "between": (1.0 - between) / (1.0 + between), "edge": edge},
            memory={
                "flow": np.zeros((2, SPRINGS * BOTH_WAYS + 1), np.float32),
                "past": np.zeros((sizes["past_size"], SPRINGS * BOTH_WAYS), np.float32),
                "held": np.zeros(SPRINGS * BOTH_WAYS, np.float32),
                "lines": np.zeros((SPRINGS, 2, sizes["line_size"]), np.float32),
            },
        )
        # twice the longest decay is 120 dB; where it is not 500 Hz that rings longest it is at most 1.2 times as long
        return Part(made, CHANNELS, tail_frames=round((2.0 * 1.2 * LONGEST_DECAY_S + 0.5) * sample_rate))

    state = State(
        goal=(GOALS,),
        now=(GOALS,),
        slew=float,
        channels=int,
        written=int,
        past_size=int,
        line_size=int,
        whole=(SPRINGS,),
        between=(SPRINGS,),
        edge=(len(EDGE_K), VALUES),
        cut=(len(EDGE_K) + 2, 2),
        low=(SPRINGS,),
        flow=POINTER,
        past=POINTER,
        held=POINTER,
        lines=POINTER,
    )

    @node(state)
    def play(inputs, outputs, frames, state):
        """Each spring is a loop: dispersion, delay, the far end where it is heard, dispersion, delay, the near end, turned over.

        So what is heard first has gone one way, then three, then five, each more of a chirp. Each frame passes from one all-pass
        to the next a frame later, so that all work at once on what they were given before: 64 frames of a way go by like that.

        Source: V. Välimäki, J. Parker, J. Abel, "Parametric Spring Reverberation Effect", JAES 58(7/8), 2010: its low chirps, by
        all-passes stretched to the transition frequency. The faint chirps above it, and the wobble of the delays, are left out.
        """
        box = carray(state, (1,))[0]
        goal, now, slew, cut = box.goal, box.now, box.slew, box.cut
        flow = floats_at(box.flow, (2, SPRINGS * BOTH_WAYS + 1))
        past = floats_at(box.past, (box.past_size, SPRINGS * BOTH_WAYS))
        held = floats_at(box.held, SPRINGS * BOTH_WAYS)
        lines = floats_at(box.lines, (SPRINGS, 2, box.line_size))
        right_in = box.channels - 1
        gliding = glides(now, goal)
        for n in range(frames):
            for k in range(GOALS if gliding else 0):
                now[k] = glide(now[k], goal[k], slew)
            sound = svf(0.5 * (inputs[0][n] + inputs[right_in][n]), now[LOW_CUT : LOW_CUT + VALUES], cut[0])
            sound = svf(sound, now[TONE : TONE + VALUES], cut[1])
            for k in range(len(EDGE_K)):
                sound = svf(sound, box.edge[k], cut[2 + k])
            before, after = flow[box.written & 1], flow[(box.written + 1) & 1]
            newest = past[box.written & (box.past_size - 1)]
            a, rest = np.float32(now[CHIRP]), np.float32(now[REST])
            for spring in range(SPRINGS):
                begin = spring * BOTH_WAYS
                end = begin + BOTH_WAYS
                oldest = past[(box.written - int(box.whole[spring])) & (box.past_size - 1)]
                disperse(
                    before[begin:end],
                    after[begin + 1 : end + 1],
                    oldest[begin:end],
                    newest[begin:end],
                    held[begin:end],
                    (a, rest, np.float32(box.between[spring])),
                )
            left = right = 0.0
            for spring in range(SPRINGS):
                begin = spring * BOTH_WAYS
                there, back = lines[spring, 0], lines[spring, 1]
                put(there, box.written, after[begin + SECTIONS])
                put(back, box.written, after[begin + BOTH_WAYS])
                heard = take_between(there, box.written + 1, now[DELAYS + spring])
                returned = take_between(back, box.written + 1, now[DELAYS + spring])
                box.low[spring] = now[GAINS + spring] * returned + now[POLES + spring] * box.low[spring]
                after[begin] = sound - box.low[spring]
                after[begin + SECTIONS] = heard
                left += heard * (1.0 if spring == 0 else MIDDLE if spring == 2 else 0.0)
                right += heard * (1.0 if spring == 1 else MIDDLE if spring == 2 else 0.0)
            outputs[0][n] = now[DRY] * inputs[0][n] + now[OWN] * left + now[OTHER] * right
            outputs[1][n] = now[DRY] * inputs[right_in][n] + now[OWN] * right + now[OTHER] * left
            box.written += 1


def stretches(sample_rate: float) -> np.ndarray:
    """K of each spring, in frames: how far its all-passes are stretched, so that their delay is longest at its transition."""
    return np.maximum(sample_rate / (2.0 * np.array(TRANSITION_HZ)), 2.0)


@kernel
def disperse(x, y, oldest, newest, held, coefficients):
    """One frame through many all-passes side by side, H(z) = (a + z^-K) / (1 + a z^-K), as a lattice of unit energy:

    y = a x + r d,  s = r x - a d,  d[n] = s[n - K],  r = sqrt(1 - a^2)

    which adds no energy however `a` moves. It delays by K (1 - a^2) / (1 + a^2 + 2 a cos(K w)) frames.

    oldest, newest  (size,) s of the whole frames of K before, and of this frame.
    held            (size,) for the rest of K, from half a frame to one and a half, by an all-pass of first order.
    coefficients    a, r, and that all-pass's.
    """
    a, r, f = coefficients
    for k in range(x.size):
        d = f * oldest[k] + held[k]
        held[k] = oldest[k] - f * d
        y[k] = a * x[k] + r * d
        newest[k] = r * x[k] - a * d


BOX = Spring
