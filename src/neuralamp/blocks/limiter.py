"""Limiter: nothing leaves it louder than the ceiling, and what is louder is turned down before it arrives."""

import numpy as np
from numba import carray

from neuralamp.block import Block, Knob, NumberSetting, Part
from neuralamp.dsp.envelope import HOLD_MS, MARKS, held_peak, hold_rows
from neuralamp.dsp.glide import glide, glides
from neuralamp.dsp.jit import floats_at, integers_at
from neuralamp.dsp.node import POINTER, Node, State, node
from neuralamp.units import db_to_gain, time_coefficient

LOOKAHEAD_MS = 1.5
WHOLE = 2**40  # a gain of 1 in the sums, which are whole numbers: what was added is taken away exactly, however long it plays
ROUNDED_DOWN = 1.0 - 2.0**-23  # of a ceiling: its float32 is never above it


class Limiter(Block):
    """Both channels get one gain, by the louder of them.

    release  after the last frame that was too loud, 63 % of the way back to full gain is done in this time, the 12 ms in which
             the peak is held included; the smoothing adds half the lookahead.

    It looks at frames, not at the wave that a converter draws between them, which may be higher. A pure tone beside a simple
    fraction of the sample rate, as 7999 Hz at 48 kHz, swings as its frames do: by 1.2 dB there, by 0.1 dB at 2399 Hz.
    """

    drive = Knob(0.0, 0.0, 30.0, "dB", "gain into it: more is louder and denser")
    ceiling = Knob(-1.0, -30.0, 0.0, "dB", "the level, under full scale, that nothing exceeds")
    release = Knob(100.0, 20.0, 2000.0, "ms", "how soon it comes up again", taper="log")
    lookahead = NumberSetting(0.2, 10.0, "ms", "how early it turns down, and how late the sound is: 1.5 where it is not given")

    @staticmethod
    def design(knobs, sample_rate, xp):
        """Linear gain and ceiling, and how much of the way back is covered in a frame."""
        return xp.stack(
            [
                db_to_gain(knobs.drive, xp),
                db_to_gain(knobs.ceiling, xp),
                time_coefficient(knobs.release - HOLD_MS, sample_rate, xp),
            ]
        )

    def prepare(self, sample_rate: float, channels: int, max_frames: int) -> Part:
        lookahead_ms = LOOKAHEAD_MS if self.set["lookahead"] is None else self.set["lookahead"]
        slope = max(1, round(0.5e-3 * lookahead_ms * sample_rate))
        recent = hold_rows(2 * slope + 1 + HOLD_MS * 1e-3 * sample_rate)
        values = {"half": recent.shape[1] - 1, "slope": slope, "gain": 1.0}
        memory = {
            "recent": recent,
            "line": np.zeros((channels + 1, 2 * slope), np.float32),
            "boxes": np.zeros((2, slope + 1), np.int64),
        }
        return Part(Node(self.play, self.start(sample_rate, channels) | values, memory), channels, latency_frames=2 * slope)

    # gain: before it is smoothed. place, turn: where line and boxes are written next. one, two: the sums over the boxes.
    # line: the sound on its way, and in its last row the ceiling that each frame came under.
    state = State(
        goal=(3,), now=(3,), slew=float, channels=int, half=int, slope=int, marks=(MARKS,), gain=float,
        place=int, turn=int, one=int, two=int, recent=POINTER, line=POINTER, boxes=POINTER,
    )  # fmt: skip
    readings = ("gain",)

    @node(state)
    def play(inputs, outputs, frames, state):
        """y[n] = g[n] v[n - late] with v = drive x; g is the gain that the loudest frame in sight asks for, 1 / its excess.

        The excess is held for 12 ms and as long as a frame is on its way, so a steady note keeps a steady gain; the gain falls at
        once and comes back slowly; two averages over `slope` + 1 frames each, one behind the other, make of a fall an S of
        late = 2 slope frames. Each gain averaged for a frame was at most what that frame asked for, and so is their average. The
        clamp behind it takes what rounding leaves, and what is so loud that the gain would need more digits.
        """
        box = carray(state, (1,))[0]
        now, marks, slope, channels = box.now, box.marks, box.slope, box.channels
        recent, line = floats_at(box.recent, (2, box.half + 1)), floats_at(box.line, (channels + 1, 2 * slope))
        boxes = integers_at(box.boxes, (2, slope + 1))
        average = 1.0 / (WHOLE * (slope + 1.0) * (slope + 1.0))
        gliding = glides(now, box.goal)
        for n in range(frames):
            for k in range(3 if gliding else 0):
                now[k] = glide(now[k], box.goal[k], box.slew)
            place, turn = box.place, box.turn
            box.place = place + 1 if place + 1 < 2 * slope else 0
            box.turn = turn + 1 if turn < slope else 0
            ceiling = np.float32(now[1] * ROUNDED_DOWN)
            bound, line[channels, place] = line[channels, place], ceiling

            loudest = np.float32(0.0)
            for c in range(channels):
                sample = np.float32(inputs[c][n] * now[0])
                outputs[c][n], line[c, place] = line[c, place], sample
                loudest = abs(sample) if abs(sample) > loudest else loudest
            held = held_peak(np.float32(loudest / ceiling), recent, marks)
            wanted = 1.0 / held if held > 1.0 else 1.0
            box.gain = wanted if wanted < box.gain else glide(box.gain, wanted, now[2])

            less = int((1.0 - box.gain) * WHOLE)
            box.one += less - boxes[0, turn]
            boxes[0, turn] = less
            box.two += box.one - boxes[1, turn]
            boxes[1, turn] = box.one
            gain = 1.0 - box.two * average
            for c in range(channels):
                sample = np.float32(outputs[c][n] * gain)
                sample = bound if sample > bound else sample
                outputs[c][n] = -bound if sample < -bound else sample


BOX = Limiter
