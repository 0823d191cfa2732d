"""Where the kernels that learn find everything: rows of a step's record, packed weights, their gradients."""

import numpy as np

from neuralamp.dsp.jit import LANES
from neuralamp.dsp.node import aligned_zeros
from neuralamp.dsp.recurrent_batch import CACHE_LINE, GRU_KEEPS, LSTM_KEEPS, UNITS
from neuralamp.dsp.vector import VECTOR_BYTES
from neuralamp.nets.lstm.config import LstmConfig
from neuralamp.nets.weights import Weights

# Which of the kernels' four gates each of torch's is, where it hears what comes from below and where it hears the past.
BELOW = {"lstm": [0, 1, 2, 3], "gru": [1, 2, 0]}
PAST = {"lstm": [0, 1, 2, 3], "gru": [1, 2, 3]}

# What the kernels know of a net and of its layers: how many rows, and places in bytes from the beginning of
#   a record, of one step    x: 1, the inputs; of each layer what it keeps, 1, h; y
#   the slopes of a step     of each layer 4 gates; dy, dx
#   the weights              of each layer as its cells take them, its beginning, as its slopes go back and down; of the head
#   the gradients            a vector for each weight: (4 gates, 1 + heard + hidden) of a layer, (outputs, 1 + hidden) of the head
# In front of what is heard stands a row of ones, whose weights are the biases.
NET = np.dtype(
    [(name, np.int64) for name in ("lstm", "layers", "inputs", "outputs", "hidden", "record", "slopes")]
    + [(name, np.int64) for name in ("x", "top", "y", "dy", "dx", "head", "head_back", "head_gradient")]
)
LAYER = np.dtype(
    [(name, np.int64) for name in ("hidden", "heard", "below", "kept", "h", "slopes", "weights", "gradient", "begins")]
    + [(name, np.int64) for name in ("back", "back_first", "back_rows", "down", "down_rows")]
)


class Stretch:
    """Memory that is given away piece by piece, in units of `size` bytes."""

    def __init__(self, size: int):
        self.size, self.count = size, 0

    def take(self, count: int) -> int:
        """The place of the next `count` units, in bytes."""
        self.count += count
        return self.size * (self.count - count)


class Layout:
    """The tables of a config's net, its weights as the kernels read them, its gradients as torch names them."""

    def __init__(self, config: LstmConfig):
        self.config = config
        self.hidden = -(-config.hidden // UNITS) * UNITS
        self.net, self.layers = np.zeros(1, NET), np.zeros(config.layers, LAYER)
        record, slopes, gradients = (Stretch(VECTOR_BYTES) for _ in range(3))
        weights = Stretch(4)
        lstm, hidden, gates = config.cell == "lstm", self.hidden, 4 * self.hidden
        ones = [record.take(1)]
        below, heard = record.take(config.inputs), config.inputs
        net = self.net[0]
        net["x"] = below
        for layer in self.layers:
            layer["hidden"], layer["heard"], layer["below"] = hidden, heard, below
            layer["kept"] = record.take((LSTM_KEEPS if lstm else GRU_KEEPS) * hidden)
            ones.append(record.take(1))
            layer["h"] = record.take(hidden)
            layer["slopes"] = slopes.take(gates)
            layer["weights"] = weights.take(gates * (1 + heard + hidden))
            layer["begins"] = weights.take(2 * hidden)
            layer["back_first"], layer["back_rows"] = (0, gates) if lstm else (hidden, 3 * hidden)
            layer["back"] = weights.take(layer["back_rows"] * hidden)
            layer["down_rows"] = layer["back_rows"]
            layer["down"] = weights.take(layer["down_rows"] * heard)
            layer["gradient"] = gradients.take(gates * (1 + heard + hidden))
            below, heard = layer["h"], hidden
        net["lstm"], net["layers"] = lstm, config.layers
        net["inputs"], net["outputs"], net["hidden"] = config.inputs, config.outputs, hidden
        net["top"], net["y"] = below, record.take(config.outputs)
        net["dy"], net["dx"] = slopes.take(config.outputs), slopes.take(config.inputs)
        net["head"] = weights.take((1 + hidden) * config.outputs)
        net["head_back"] = weights.take(config.outputs * hidden)
        net["head_gradient"] = gradients.take(config.outputs * (1 + hidden))
        net["record"], net["slopes"] = _odd_lines(record), _odd_lines(slopes)
        self.weights, self.gradients = weights.count, gradients.count
        self._ones = [place // 4 for place in ones]

    def records(self, count: int) -> np.ndarray:
        """(count, floats of a record), all that never changes in its place."""
        records = aligned_zeros(count, int(self.net[0]["record"]) // 4)
        for first in self._ones:
            records[:, first : first + LANES] = 1.0
        return records

    def slopes(self, count: int) -> np.ndarray:
        """(count, floats of the slopes of a step)"""
        return aligned_zeros(count, int(self.net[0]["slopes"]) // 4)

    def pack(self, weights: Weights) -> np.ndarray:
        """All weights, flat, where the tables say."""
        config, hidden, flat = self.config, self.hidden, aligned_zeros(self.weights)

        def put(place: int, array: np.ndarray) -> None:
            flat[place // 4 : place // 4 + array.size] = array.ravel()

        for i, layer in enumerate(self.layers):
            matrix, heard = self._matrix(weights, i), layer["heard"]
            put(layer["weights"], matrix.reshape(4, hidden // UNITS, UNITS, -1).transpose(1, 3, 0, 2))
            rows = matrix.reshape(4 * hidden, -1)
            put(layer["back"], rows[layer["back_first"] :, 1 + heard :])
            put(layer["down"], rows[: layer["down_rows"], 1 : 1 + heard])
            if config.initial_state:
                for k, state in enumerate(config.states):
                    put(layer["begins"] + 4 * k * hidden, weights[f"initial.{state}_l{i}"])
        head = np.zeros((config.outputs, 1 + hidden), np.float32)
        head[:, 0], head[:, 1 : 1 + config.hidden] = weights["head.bias"], weights["head.weight"]
        put(self.net[0]["head"], head.T)
        put(self.net[0]["head_back"], head[:, 1:])
        return flat

    def _matrix(self, weights: Weights, i: int) -> np.ndarray:
        """(4, hidden, 1 + heard + hidden): biases, W and U of layer i; zero where the kernels have what it has not."""
        names = ("weight_ih", "weight_hh", "bias_ih", "bias_hh")
        w, u, b, b_past = (weights[f"cells.{name}_l{i}"] for name in names)
        hidden, past = self.config.hidden, 1 + int(self.layers[i]["heard"])
        from_below, from_past = BELOW[self.config.cell], PAST[self.config.cell]
        matrix = np.zeros((4, self.hidden, past + self.hidden), np.float32)
        matrix[from_below, :hidden, 0] += b.reshape(-1, hidden)
        matrix[from_past, :hidden, 0] += b_past.reshape(-1, hidden)
        matrix[from_below, :hidden, 1 : 1 + w.shape[1]] = w.reshape(-1, hidden, w.shape[1])
        matrix[from_past, :hidden, past : past + hidden] = u.reshape(-1, hidden, hidden)
        return matrix

    def by_name(self, gradients: np.ndarray, beginnings: np.ndarray) -> dict[str, np.ndarray]:
        """The gradient of every weight: what `pack` did, undone.

        gradients   (numbers,), where the tables say.
        beginnings  (layers, 2, hidden), along the first state; only learned ones are named.
        """
        config, hidden = self.config, self.config.hidden
        from_below, from_past = BELOW[config.cell], PAST[config.cell]
        found: dict[str, np.ndarray] = {}
        for i, layer in enumerate(self.layers):
            inputs, past = config.inputs if i == 0 else hidden, 1 + int(layer["heard"])
            matrix = _part(gradients, layer["gradient"], 4, self.hidden, past + self.hidden)[:, :hidden]
            found[f"cells.weight_ih_l{i}"] = matrix[from_below, :, 1 : 1 + inputs].reshape(-1, inputs)
            found[f"cells.weight_hh_l{i}"] = matrix[from_past, :, past : past + hidden].reshape(-1, hidden)
            found[f"cells.bias_ih_l{i}"] = matrix[from_below, :, 0].ravel()
            found[f"cells.bias_hh_l{i}"] = matrix[from_past, :, 0].ravel()
            if config.initial_state:
                found |= {f"initial.{state}_l{i}": beginnings[i, k, :hidden] for k, state in enumerate(config.states)}
        head = _part(gradients, self.net[0]["head_gradient"], config.outputs, 1 + self.hidden)
        found["head.weight"], found["head.bias"] = head[:, 1 : 1 + hidden], head[:, 0]
        return found


def _part(gradients: np.ndarray, place: int, *shape: int) -> np.ndarray:
    first = place // VECTOR_BYTES
    return gradients[first : first + int(np.prod(shape))].reshape(shape)


def _odd_lines(stretch: Stretch) -> int:
    """The bytes of a step that hold it and are an odd number of cache lines.

    A power of two would put one row of all steps into the same few places of the first-level cache.
    """
    lines = -(-stretch.size * stretch.count // CACHE_LINE)
    return CACHE_LINE * (lines | 1)
