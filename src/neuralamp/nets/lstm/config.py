"""The shape of a recurrent net, from which all its forms are built."""

from dataclasses import dataclass
from typing import Any, ClassVar

from neuralamp.errors import NetError
from neuralamp.nets.weights import MOST_WEIGHTS, check_size
from neuralamp.settings import NO_OTHER_KEYS

GATES = {"lstm": 4, "gru": 3}


@dataclass(frozen=True)
class LstmConfig:
    """Layers of LSTM or GRU cells, and a linear head that reads the last one.

    cell        "lstm" or "gru", with the equations, gate orders and two biases of torch.nn.LSTM and torch.nn.GRU.
    input_skip  adds the sound that came in to the sound that goes out: the net learns only the difference.
    knobs       names of the conditioning inputs: each is one more input row, held at a knob's value.
    """

    __pydantic_config__: ClassVar = NO_OTHER_KEYS

    hidden: int = 16
    layers: int = 1
    cell: str = "lstm"
    input_skip: bool = False
    knobs: tuple[str, ...] = ()

    def __post_init__(self):
        if self.cell not in GATES:
            raise NetError(f"cell {self.cell} is unknown; known are {', '.join(GATES)}")
        if self.hidden < 1 or not 1 <= self.layers <= 16:
            raise NetError(f"{self.layers} layers of {self.hidden} cells are not possible; 1 to 16 layers of 1 or more are")
        if self.hidden > MOST_WEIGHTS:
            raise NetError(f"a layer cannot have this many cells: of weights alone {MOST_WEIGHTS} is the most that is possible")
        check_size(self.weights(), self.settling_frames)

    @property
    def inputs(self) -> int:
        """Rows of input: the sound, then the knobs."""
        return 1 + len(self.knobs)

    @property
    def outputs(self) -> int:
        """Rows of output: the sound."""
        return 1

    @property
    def resting_knobs(self) -> tuple[float, ...]:
        """Where its knobs stand before anyone turns them."""
        return (0.5,) * len(self.knobs)

    @property
    def inner(self) -> dict[str, Any]:
        """Nets inside this one, by the prefix of their weights: none."""
        return {}

    @property
    def receptive_field(self) -> int:
        """Frames of input that one frame of output needs at hand; the rest of the past is in the state."""
        return 1

    @property
    def settling_frames(self) -> int:
        """Frames of silence after which a fresh net is taken to be at rest: half a second at 48 kHz, as other players do."""
        return 24_000

    def weights(self) -> dict[str, tuple[int, ...]]:
        """Name and shape of every weight, in the order they travel; torch's names, torch's order of gates."""
        rows = GATES[self.cell] * self.hidden
        shapes: dict[str, tuple[int, ...]] = {}
        for i in range(self.layers):
            shapes[f"cells.weight_ih_l{i}"] = (rows, self.inputs if i == 0 else self.hidden)
            shapes[f"cells.weight_hh_l{i}"] = (rows, self.hidden)
            shapes[f"cells.bias_ih_l{i}"] = (rows,)
            shapes[f"cells.bias_hh_l{i}"] = (rows,)
        shapes["head.weight"] = (1, self.hidden)
        shapes["head.bias"] = (1,)
        return shapes


CONFIG = LstmConfig
