"""Tone stack: bass, middle and treble as the amp has them, each pulling at the others."""

from typing import Any

from numba import carray

from neuralamp.block import Block, Choice, Knob
from neuralamp.dsp.circuit import MEMORY, OUT, VALUES, circuit_filter, play_circuit
from neuralamp.dsp.glide import glide, glides
from neuralamp.dsp.node import CHANNELS, State, node
from neuralamp.dsp.tone_stacks import TONE_STACKS, positions
from neuralamp.units import db_to_gain


def _dial(meaning: str) -> Knob:
    return Knob(5.0, 0.0, 10.0, "on the dial", meaning)


class ToneStack(Block):
    tail_seconds = 0.55  # to -120 dB of the slowest: the bass of the twin, all the way up, has a time constant of 39 ms

    bass = _dial("bass; the muff has none")
    middle = _dial("middle; top_boost, james and muff have none")
    treble = _dial("treble; the one tone control of the muff")
    level = Knob(0.0, -24.0, 36.0, "dB", "makes up for what the circuit takes; 0 leaves its own loss")
    circuit = Choice(tuple(TONE_STACKS), "whose tone controls they are")

    def design(self, knobs: Any, sample_rate: float, xp: Any) -> Any:  # type: ignore[override]  # the circuit is the box's own
        """Dials to a filter of the circuit as it then stands (see dsp/circuit.py), and what it gives out to the level."""
        stack = TONE_STACKS[self.set["circuit"]]
        dials = xp.stack([knobs.bass, knobs.middle, knobs.treble]) / 10.0
        values = circuit_filter(stack.circuit, positions(stack, dials, xp), sample_rate, xp)
        return xp.concat([values[:OUT], db_to_gain(knobs.level, xp) * values[OUT:]])

    state = State(goal=(VALUES,), now=(VALUES,), slew=float, channels=int, memory=(CHANNELS, MEMORY))

    @node(state)
    def play(inputs, outputs, frames, state):
        box = carray(state, (1,))[0]
        goal, now, slew, memory = box.goal, box.now, box.slew, box.memory
        gliding = glides(now, goal)
        for n in range(frames):
            for k in range(VALUES if gliding else 0):
                now[k] = glide(now[k], goal[k], slew)
            for c in range(box.channels):
                outputs[c][n] = play_circuit(inputs[c][n] + 0.0, now, memory[c])


BOX = ToneStack
