"""Input: what comes first on every board: how hot the guitar is, its polarity, and which channel of a take it is on."""

from numba import carray

from neuralamp.block import Block, Choice, Knob, NumberSetting, Part
from neuralamp.dsp.glide import amplify
from neuralamp.dsp.node import Node, State, node
from neuralamp.units import db_to_gain

REFERENCE_DBU = 12.0
"""The voltage that is full scale behind a calibrated input: about that of the instrument input of most interfaces. A sine that
just reaches full scale is 12 dBu: 3.1 V RMS, 4.4 V peak."""

ROWS = {"as-is": (0, 0), "left": (0, 0), "right": (1, 1), "sum": (0, 1)}
"""Which two rows the first one out is the mean of."""


class Input(Block):
    """Calibration: with `device_input_dbu` given, by the rig or by --input-dbu, the sound is as loud as if the interface were one
    of REFERENCE_DBU, so that a volt of the guitar is the same number on each; without it nothing is changed. For the boxes behind
    it full scale is then REFERENCE_DBU, and so an amp there is told.
    """

    trim = Knob(0.0, -24.0, 24.0, "dB", "gain; 0 is the guitar as it is")
    polarity = Knob(1.0, -1.0, 1.0, "", "1 as it comes, -1 turned over; what is between is softer, 0 is silence")
    device_input_dbu = NumberSetting(
        -60.0, 60.0, "dBu", "the voltage at the device's input that is full scale; behind this box it is 12"
    )
    mono = Choice(("as-is", "left", "right", "sum"), "what becomes of a stereo sound: itself, one of its sides, or half of both")

    def settings_behind(self) -> dict[str, float]:
        """A calibrated input is the device for all that stands behind it."""
        return {} if self.set["device_input_dbu"] is None else {"device_input_dbu": REFERENCE_DBU}

    @staticmethod
    def design(knobs, sample_rate, xp):
        """Decibels to a linear gain, and its sign: a turn of polarity glides through zero, so it does not click."""
        return xp.stack([knobs.polarity * db_to_gain(knobs.trim, xp)])

    def prepare(self, sample_rate: float, channels: int, max_frames: int) -> Part:
        chosen = self.set["mono"]
        outputs = channels if chosen == "as-is" else 1
        one, other = ROWS[chosen] if channels > 1 else (0, 0)
        device_dbu = REFERENCE_DBU if self.set["device_input_dbu"] is None else self.set["device_input_dbu"]
        calibration_db, notes = device_dbu - REFERENCE_DBU, []
        if self.set["device_input_dbu"] is not None:
            notes.append(
                f"device at {device_dbu:g} dBu: {calibration_db:+.1f} dB; full scale is {REFERENCE_DBU:g} dBu from here on"
            )
        sizes = {"outputs": outputs, "one": one, "other": other, "calibration": db_to_gain(calibration_db)}
        return Part(Node(self.play, self.start(sample_rate, channels) | sizes), outputs, notes=tuple(notes))

    state = State(goal=(1,), now=(1,), slew=float, outputs=int, one=int, other=int, calibration=float)

    @node(state)
    def play(inputs, outputs, frames, state):
        """y = gain (a + b) / 2 of two rows, which are one and the same where nothing is mixed: that is exact."""
        box = carray(state, (1,))[0]
        now, goal = box.now[0], box.goal[0]
        for c in range(box.outputs):
            a, b, y = carray(inputs[box.one + c], frames), carray(inputs[box.other + c], frames), carray(outputs[c], frames)
            for n in range(frames):
                y[n] = 0.5 * a[n] + 0.5 * b[n]
            box.now[0] = amplify(y, y, box.calibration, now, goal, box.slew)


BOX = Input
