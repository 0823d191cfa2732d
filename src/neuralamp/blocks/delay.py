"""Digital delay: clean echoes, by the clock or in time with the song, from side to side where that is asked."""

import math

import numpy as np
from numba import carray

from neuralamp.block import Block, Choice, Knob, Part, Switch
from neuralamp.dsp.delay_line import line_size, put, recalled
from neuralamp.dsp.echo import fall_rate, tail_seconds
from neuralamp.dsp.glide import glide, glides
from neuralamp.dsp.jit import floats_at
from neuralamp.dsp.mix import wet_onto_dry
from neuralamp.dsp.node import CHANNELS, POINTER, Node, State, node
from neuralamp.dsp.svf import VALUES, high_cut, low_cut, svf
from neuralamp.dsp.tempo import FASTEST_BPM, NOTE_WORDS, SLOWEST_BPM, quarters

LONGEST_MS = 2000.0
FADE_MS = 50.0  # from the old time to the new one: two swings of a low E, so that not even that steps
LOW_CUT_FULL_HZ = 25.0  # from the end of its range to here a cut is faded in, so that turning it on is no jump
HIGH_CUT_FULL_HZ = 18000.0

TIME, QUARTER, FEEDBACK, DRY, WET, LOW, HIGH = 0, 1, 2, 3, 4, 5, 5 + VALUES
GOALS = HIGH + VALUES


class Delay(Block):
    time = Knob(350.0, 1.0, LONGEST_MS, "ms", "from the sound to its first echo, where note is off", taper="log")
    feedback = Knob(35.0, 0.0, 98.0, "%", "how much of each echo is left in the next; less where echoes would last half a minute")
    mix = Knob(25.0, 0.0, 100.0, "%", "the echoes' share: the dry sound stays whole up to 50, where both are, and is gone at 100")
    low_cut = Knob(20.0, 20.0, 1000.0, "Hz", "each echo loses what is below, 12 dB per octave; 20 is off", taper="log")
    high_cut = Knob(20000.0, 1000.0, 20000.0, "Hz", "each echo loses what is above, 12 dB per octave; 20000 is off", taper="log")
    tempo = Knob(120.0, SLOWEST_BPM, FASTEST_BPM, "bpm", "quarters in a minute, where a note is chosen")
    note = Choice(NOTE_WORDS, "the note from echo to echo; t is a triplet, off goes by time")
    ping_pong = Switch(False, "echoes from side to side, the first on the left; what comes out is stereo")

    trails = True

    @staticmethod
    def design(knobs, sample_rate, xp):
        """Frames of the time and of a quarter, the loop's gain, dry and wet gain, five values of each cut (see dsp/svf.py)."""
        dry, wet = wet_onto_dry(knobs.mix, xp)
        time, quarter = knobs.time * (sample_rate / 1000.0), 60.0 * sample_rate / knobs.tempo
        low_amount = xp.clip((knobs.low_cut - 20.0) / (LOW_CUT_FULL_HZ - 20.0), max=1.0)
        high_amount = xp.clip((20000.0 - knobs.high_cut) / (20000.0 - HIGH_CUT_FULL_HZ), max=1.0)
        return xp.concat(
            [
                xp.stack([time, quarter, knobs.feedback / 100.0, dry, wet]),
                low_cut(knobs.low_cut, low_amount, sample_rate, xp),
                high_cut(knobs.high_cut, high_amount, sample_rate, xp),
            ]
        )

    def prepare(self, sample_rate: float, channels: int, max_frames: int) -> Part:
        beats, lanes = quarters(self.set["note"]), CHANNELS if self.set["ping_pong"] else channels
        longest = beats * 60.0 / SLOWEST_BPM if beats else LONGEST_MS / 1000.0
        size = line_size(longest * sample_rate)
        fixed = {
            "lanes": lanes,
            "ping_pong": int(self.set["ping_pong"]),
            "beats": beats,
            "size": size,
            "fall": fall_rate(sample_rate),
            "fade_step": 1000.0 / (FADE_MS * sample_rate),
        }
        scratch = {"lines": np.zeros((lanes, size), np.float32)}
        made = Node(self.play, self.start(sample_rate, channels) | fixed, scratch=scratch)
        return Part(made, lanes, tail_frames=math.ceil(tail_seconds(longest) * sample_rate))

    # delay, next_delay: frames of the echo that is heard, and of the one that `fade`, from 0 to 1, is on the way to.
    # limit, next_limit: the largest gain of their loops. echo: the newest frame of each lane's echo.
    state = State(
        goal=(GOALS,),
        now=(GOALS,),
        slew=float,
        channels=int,
        lanes=int,
        ping_pong=int,
        beats=float,
        size=int,
        fall=float,
        fade_step=float,
        written=int,
        delay=int,
        next_delay=int,
        limit=float,
        next_limit=float,
        fade=float,
        memory=(CHANNELS, 2, 2),
        echo=(CHANNELS,),
        lines=POINTER,
    )

    @node(state)
    def play(inputs, outputs, frames, state):
        """line = x + f e, y = dry x + wet e, with the echo e = cuts(line, D frames ago) and f = min(feedback, limit(D)).

        From side to side the left line hears the mean of the input, and each line the echo of the other. D is whole, so that an
        echo is exact. A new D is faded to, and only then the next one: sweeping the knob never clicks, and never bends the pitch.
        """
        box = carray(state, (1,))[0]
        goal, now = box.goal, box.now
        lines = floats_at(box.lines, (box.lanes, box.size))
        now[TIME], now[QUARTER] = goal[TIME], goal[QUARTER]
        asked = box.beats * goal[QUARTER] if box.beats > 0.0 else goal[TIME]
        wanted = int(min(max(np.floor(asked + 0.5), 1.0), box.size - 1.0))
        if box.delay == 0:
            box.delay = box.next_delay = wanted
            box.limit = box.next_limit = math.exp(-box.fall * wanted)
        gliding = glides(now, goal)
        for n in range(frames):
            for k in range(FEEDBACK, GOALS if gliding else FEEDBACK):
                now[k] = glide(now[k], goal[k], box.slew)
            if box.next_delay == box.delay and wanted != box.delay:
                box.next_delay, box.next_limit, box.fade = wanted, math.exp(-box.fall * wanted), 0.0
            fading = box.next_delay != box.delay
            share = 0.0
            if fading:
                box.fade = min(1.0, box.fade + box.fade_step)
                share = box.fade * box.fade * (3.0 - 2.0 * box.fade)
            for lane in range(box.lanes):
                echo = recalled(lines[lane], box.written, box.delay - 1)
                if fading:
                    echo += share * (recalled(lines[lane], box.written, box.next_delay - 1) - echo)
                echo = svf(echo + 0.0, now[LOW:HIGH], box.memory[lane, 0])
                box.echo[lane] = svf(echo, now[HIGH:GOALS], box.memory[lane, 1])
            back = min(now[FEEDBACK], box.limit + share * (box.next_limit - box.limit))
            for lane in range(box.lanes):
                dry = inputs[min(lane, box.channels - 1)][n] + 0.0
                heard = dry
                if box.ping_pong:
                    heard = 0.0 if lane else 0.5 * (inputs[0][n] + inputs[box.channels - 1][n])
                put(lines[lane], box.written, heard + back * box.echo[lane ^ box.ping_pong])
                outputs[lane][n] = now[DRY] * dry + now[WET] * box.echo[lane]
            box.written += 1
            if box.fade == 1.0:
                box.delay, box.limit, box.fade = box.next_delay, box.next_limit, 0.0


BOX = Delay
