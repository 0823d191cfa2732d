"""The shape of a recurrent net, from which all its forms are built."""

import math
from dataclasses import dataclass
from typing import ClassVar

from neuralamp.dsp.recurrent import GATES, most_floats
from neuralamp.dsp.rows import TILE
from neuralamp.errors import NetError
from neuralamp.nets.shape import Shape
from neuralamp.nets.weights import MOST_WEIGHTS, WORK_OF_AN_ACTIVATION, check_size
from neuralamp.settings import NO_OTHER_KEYS


@dataclass(frozen=True)
class LstmConfig(Shape):
    """Layers of LSTM or GRU cells, and a linear head that reads the last one.

    cell           "lstm" or "gru", with the equations, gate orders and two biases of torch.nn.LSTM and torch.nn.GRU.
    skip           how much of the sound that came in is added to what goes out: with 1 the net learns only the difference.
    knobs          names of the conditioning inputs: each is one more input row, held at a knob's value.
    outputs        rows of output: one, but for a net that conditions another.
    initial_state  the cells begin where the weights say, not at zero.
    """

    __pydantic_config__: ClassVar = NO_OTHER_KEYS

    hidden: int = 16
    layers: int = 1
    cell: str = "lstm"
    skip: float = 0.0
    knobs: tuple[str, ...] = ()
    outputs: int = 1
    initial_state: bool = False

    def __post_init__(self):
        if self.cell not in GATES:
            raise NetError(f"cell {self.cell} is unknown; known are {', '.join(GATES)}")
        if self.hidden < 1 or not 1 <= self.layers <= 16:
            raise NetError(f"{self.layers} layers of {self.hidden} cells are not possible; 1 to 16 layers of 1 or more are")
        if self.outputs < 1 or not math.isfinite(self.skip):
            raise NetError(
                f"{self.outputs} outputs and a skip of {self.skip} are not possible; 1 output or more and a number are"
            )
        if max(self.hidden, self.outputs) > MOST_WEIGHTS:
            raise NetError(f"a layer cannot have this many cells: of weights alone {MOST_WEIGHTS} is the most that is possible")
        check_size(self)

    @property
    def states(self) -> tuple[str, ...]:
        """What each layer remembers: its output h, and an LSTM's cells c."""
        return ("h", "c")[: 2 if self.cell == "lstm" else 1]

    @property
    def receptive_field(self) -> int:
        """Frames of input that one frame of output needs at hand; the rest of the past is in the state."""
        return 1

    @property
    def settling_frames(self) -> int:
        """Frames of silence after which a fresh net is taken to be at rest: half a second at 48 kHz, as other players do."""
        return 24_000

    @property
    def work(self) -> int:
        """Multiplications' worth of a frame."""
        rows = GATES[self.cell] * self.hidden
        heard = self.inputs + (2 * self.layers - 1) * self.hidden  # by all layers: what comes in, and their own past
        return rows * (heard + WORK_OF_AN_ACTIVATION * self.layers) + self.outputs * self.hidden

    @property
    def floats(self) -> int:
        """Numbers that it remembers, or works on within a tile of frames."""
        return self.layers * most_floats(self.hidden) + 2 * TILE * max(self.inputs, self.outputs)

    def weights(self) -> dict[str, tuple[int, ...]]:
        """Name and shape of every weight, in the order they travel; torch's names, torch's order of gates."""
        rows = GATES[self.cell] * self.hidden
        shapes: dict[str, tuple[int, ...]] = {}
        for i in range(self.layers):
            shapes[f"cells.weight_ih_l{i}"] = (rows, self.inputs if i == 0 else self.hidden)
            shapes[f"cells.weight_hh_l{i}"] = (rows, self.hidden)
            shapes[f"cells.bias_ih_l{i}"] = (rows,)
            shapes[f"cells.bias_hh_l{i}"] = (rows,)
        if self.initial_state:
            shapes |= {f"initial.{state}_l{i}": (self.hidden,) for i in range(self.layers) for state in self.states}
        shapes["head.weight"] = (self.outputs, self.hidden)
        shapes["head.bias"] = (self.outputs,)
        return shapes


CONFIG = LstmConfig
