"""Tape delay: echoes that grow darker and softer at the edges, waver, and bend in pitch while the tape finds its new speed."""

import math

import numpy as np
from numba import carray

from neuralamp.block import Block, Choice, Knob, Part
from neuralamp.dsp.delay_line import begin, line_size, put, recalled_between
from neuralamp.dsp.echo import fall_rate, tail_seconds
from neuralamp.dsp.glide import glide, glides
from neuralamp.dsp.halfband import DELAY, TAPS, earlier, middle, push
from neuralamp.dsp.jit import floats_at, inlined, kernel
from neuralamp.dsp.mix import wet_onto_dry
from neuralamp.dsp.node import CHANNELS, POINTER, Node, State, node
from neuralamp.dsp.svf import VALUES, high_cut, low_cut, svf
from neuralamp.dsp.tempo import FASTEST_BPM, NOTE_WORDS, SLOWEST_BPM, quarters
from neuralamp.units import db_to_gain, time_coefficient

LONGEST_MS = 1500.0
# What turns in a machine wavers at its own rate, and no two in step: reels and loop, then capstan, roller and motor.
WOW_HZ = (0.37, 0.61, 1.03, 1.7)
FLUTTER_HZ = (5.9, 8.3, 11.7, 16.1)
WAVERS = len(WOW_HZ) + len(FLUTTER_HZ)
SEED = 1  # of where each stands at the first frame: every take of a rig wavers alike
FURTHEST_SECONDS = 0.015  # that all of them together move an echo, both knobs full
# The head bump and the fall under it are one high-pass with a resonance: 2.4 dB at 76 Hz, which it holds back by some ms.
BUMP_HZ, BUMP_Q = 60.0, 1.2
BUMP_GAIN = BUMP_Q / math.sqrt(1.0 - 0.25 / BUMP_Q**2)
HELD_SECONDS = 0.006
CLOSING_MS, MOTOR_MS = 150.0, 25.0  # how the speed follows the time that is wanted, and how heavy the motor is
OCTAVE_DOWN, OCTAVE_UP = 0.5, -1.0  # frames of delay gained in a frame: a tape at half and at twice its speed
KNEE = 1.5  # where the cubic has become flat, at 1
EARLY = 1.0 + DELAY + 0.25  # frames that are late anyway: the newest in the line, and the saturation, a quarter of it its mean

TIME, QUARTER, FEEDBACK, DRY, WET, DRIVE, WOW, FLUTTER, HIGH = range(9)
GOALS = HIGH + VALUES


class TapeDelay(Block):
    time = Knob(320.0, 30.0, LONGEST_MS, "ms", "from the sound to its first echo, where note is off", taper="log")
    feedback = Knob(40.0, 0.0, 95.0, "%", "how much of each echo is left in the next; less where echoes would last half a minute")
    mix = Knob(25.0, 0.0, 100.0, "%", "the echoes' share: the dry sound stays whole up to 50, where both are, and is gone at 100")
    drive = Knob(6.0, 0.0, 24.0, "dB", "how hard the tape is driven; 0 rounds off the loudest peaks only")
    tone = Knob(4500.0, 1000.0, 12000.0, "Hz", "each echo loses what is above, 12 dB per octave", taper="log")
    wow = Knob(0.25, 0.0, 2.0, "%", "how far the speed wanders slowly, rms; 0.25 is 4 cents, 2 a machine to be mended")
    flutter = Knob(0.1, 0.0, 1.0, "%", "how far the speed trembles, rms")
    tempo = Knob(120.0, SLOWEST_BPM, FASTEST_BPM, "bpm", "quarters in a minute, where a note is chosen")
    note = Choice(NOTE_WORDS, "the note from echo to echo; t is a triplet, off goes by time")

    trails = True

    @staticmethod
    def design(knobs, sample_rate, xp):
        """Frames of the time and of a quarter, the loop's, dry, wet and driving gain, the swing of a waver's speed, the cut."""
        dry, wet = wet_onto_dry(knobs.mix, xp)
        return xp.concat(
            [
                xp.stack(
                    [
                        knobs.time * (sample_rate / 1000.0),
                        60.0 * sample_rate / knobs.tempo,
                        knobs.feedback / 100.0,
                        dry,
                        wet,
                        db_to_gain(knobs.drive, xp),
                        knobs.wow * (0.01 * math.sqrt(2.0 / len(WOW_HZ))),
                        knobs.flutter * (0.01 * math.sqrt(2.0 / len(FLUTTER_HZ))),
                    ]
                ),
                high_cut(knobs.tone, xp.ones_like(knobs.tone), sample_rate, xp),
            ]
        )

    def prepare(self, sample_rate: float, channels: int, max_frames: int) -> Part:
        beats = quarters(self.set["note"])
        longest = beats * 60.0 / SLOWEST_BPM if beats else LONGEST_MS / 1000.0
        size = line_size((longest + FURTHEST_SECONDS) * sample_rate)
        steps = np.array(WOW_HZ + FLUTTER_HZ) * (2.0 * math.pi / sample_rate)
        places = np.random.default_rng(SEED).uniform(high=2.0 * math.pi, size=WAVERS)
        bump = low_cut(np.float64(BUMP_HZ), np.float64(1.0), sample_rate, np)
        bump[1], bump[3] = 1.0 / BUMP_Q, -1.0 / BUMP_Q
        fixed = {
            "beats": beats,
            "size": size,
            "fall": fall_rate(sample_rate),
            "held": HELD_SECONDS * sample_rate,
            "closing": time_coefficient(CLOSING_MS, sample_rate),
            "motor": time_coefficient(MOTOR_MS, sample_rate),
            "turns": [np.cos(steps), np.sin(steps)],
            "places": [np.cos(places) / steps, np.sin(places) / steps],
            "bump": bump,
        }
        scratch = {"lines": np.zeros((channels, size), np.float32)}
        made = Node(self.play, self.start(sample_rate, channels) | fixed, scratch=scratch)
        return Part(made, channels, tail_frames=math.ceil(tail_seconds(longest + FURTHEST_SECONDS) * sample_rate))

    # delay, speed: frames to the echo, and frames that they grow in a frame. held: frames that the bump adds for low notes.
    # limit: the loop's largest gain.
    # places, turns: each waver a point (x, y) that goes round; it moves an echo by x frames where its speed swings by 1.
    # An hour of rounding makes it wider or narrower by 1e-8.
    # memory: of the cut and the bump. rings: what the tape was given, what lies between, and what it made of both.
    state = State(
        goal=(GOALS,),
        now=(GOALS,),
        slew=float,
        channels=int,
        beats=float,
        size=int,
        fall=float,
        held=float,
        closing=float,
        motor=float,
        turns=(2, WAVERS),
        bump=(VALUES,),
        places=(2, WAVERS),
        written=int,
        delay=float,
        speed=float,
        limit=float,
        memory=(CHANNELS, 2, 2),
        rings=(CHANNELS, 4, TAPS),
        lines=POINTER,
    )

    @node(state)
    def play(inputs, outputs, frames, state):
        """tape = s(g cut(x + f e)) / g and y = dry x + wet e, with the echo e = bump(tape, D + w frames ago).

        D glides to the time wanted, never faster than a tape at half or twice its speed, bending the pitch by an octave at most;
        w is the sum of the wavers. All that the loop does has a gain of 1 at most, but the bump: f = min(feedback, limit / bump).
        """
        box = carray(state, (1,))[0]
        goal, now, turns, places = box.goal, box.now, box.turns, box.places
        lines = floats_at(box.lines, (box.channels, box.size))
        now[TIME], now[QUARTER] = goal[TIME], goal[QUARTER]
        wanted = box.beats * goal[QUARTER] if box.beats > 0.0 else goal[TIME]
        limit = math.exp(-box.fall * (wanted + box.held)) / BUMP_GAIN
        if box.written == 0:
            box.delay, box.limit = wanted, limit
            for c in range(box.channels):
                begin(lines[c])
        gliding = glides(now, goal)
        for n in range(frames):
            for k in range(FEEDBACK, GOALS if gliding else FEEDBACK):
                now[k] = glide(now[k], goal[k], box.slew)
            box.limit = glide(box.limit, limit, box.slew)
            speed = min(max(box.closing * (wanted - box.delay), OCTAVE_UP), OCTAVE_DOWN)
            box.speed += box.motor * (speed - box.speed)
            box.delay += box.speed
            wow = flutter = 0.0
            for k in range(WAVERS):
                x, y = places[0, k], places[1, k]
                places[0, k] = turns[0, k] * x - turns[1, k] * y
                places[1, k] = turns[0, k] * y + turns[1, k] * x
            for k in range(len(WOW_HZ)):
                wow += places[0, k]
            for k in range(len(WOW_HZ), WAVERS):
                flutter += places[0, k]
            at = min(max(box.delay - EARLY + now[WOW] * wow + now[FLUTTER] * flutter, 1.0), box.size - 4.0)
            back, drive = min(now[FEEDBACK], box.limit), now[DRIVE]
            for c in range(box.channels):
                x = inputs[c][n] + 0.0
                echo = svf(recalled_between(lines[c], box.written, at), box.bump, box.memory[c, 1])
                heard = drive * svf(x + back * echo, now[HIGH:GOALS], box.memory[c, 0])
                put(lines[c], box.written, taped(heard, box.written, box.rings[c]) / drive)
                outputs[c][n] = now[DRY] * x + now[WET] * echo
            box.written += 1


@kernel
def taped(x, clock, rings):
    """What the tape keeps of a frame: saturated at twice the sample rate, DELAY and a quarter of a frame late."""
    push(rings[0], clock, x)
    push(rings[1], clock, middle(rings[0], clock))
    last, now, after = earlier(rings[1], clock, 1), earlier(rings[0], clock, 8), earlier(rings[1], clock, 0)
    push(rings[2], clock, saturated(now, last))
    push(rings[3], clock, saturated(after, now))
    return 0.5 * (earlier(rings[2], clock, 7) + middle(rings[3], clock))


@inlined
def soft(x):
    """x - 4/27 x^3 up to the knee, where it is flat, and 1 beyond: only a third harmonic until then."""
    x = min(max(x, -KNEE), KNEE)
    return x - (4.0 / 27.0) * x * x * x


@inlined
def soft_integral(x):
    """The antiderivative of `soft`: x^2/2 - x^4/27 up to the knee, a straight line beyond."""
    bent = min(abs(x), KNEE)
    return bent * bent * (0.5 - bent * bent / 27.0) + (abs(x) - bent)


@inlined
def saturated(x, last):
    """The mean of `soft` on the way from the last value to this one, half a step late: what folds back is softer.

    (F(x) - F(last)) / (x - last), in closed form inside the knee. Source: Parker, Zavalishin, Le Bivic, "Reducing the aliasing of
    nonlinear waveshaping using continuous-time convolution", DAFx 2016.
    """
    if abs(x) <= KNEE and abs(last) <= KNEE:
        mean = (x + last) * (0.5 - (x * x + last * last) / 27.0)
    elif abs(x - last) > 1e-5:
        mean = (soft_integral(x) - soft_integral(last)) / (x - last)
    else:
        mean = soft(0.5 * (x + last))
    return mean


BOX = TapeDelay
