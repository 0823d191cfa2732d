"""Named weights laid end to end for a kernel, with the places where each begins, and the rings that its convolutions need."""

from collections.abc import Sequence
from typing import Any

import numpy as np

from neuralamp.dsp.activation import MOST_NUMBERS, PRELU, parse
from neuralamp.dsp.jit import LANES
from neuralamp.dsp.node import aligned_zeros
from neuralamp.dsp.recurrent import CELLS, GATES, HEARD, SPLITS, arranged, padded
from neuralamp.dsp.rings import FIELDS, SUM, ring_size
from neuralamp.dsp.rows import TILE
from neuralamp.nets.weights import Shapes, Weights, check_weights, in_order

Row = dict[str, Any]


def ungrouped(parted: np.ndarray, groups: int) -> np.ndarray:
    """A convolution's weight (out, in / groups, taps) as the full matrix (out, in, taps).

    It is zero where groups are deaf to each other: adding a product with zero changes nothing.
    """
    width, heard, taps = parted.shape
    full = np.zeros((groups, width // groups, groups, heard, taps), parted.dtype)
    for group, rows in enumerate(np.split(parted, groups)):
        full[group, :, group] = rows
    return full.reshape(width, groups * heard, taps)


class Packer:
    """Collects numbers and rings for tiles of this many frames; `weights()` and `rings()` make them once all is told."""

    def __init__(self, shapes: Shapes, weights: Weights, tile: int = TILE):
        self._tile = tile
        check_weights(shapes, weights)
        self._arrays = dict(zip(shapes, in_order(shapes, weights), strict=True))
        self._packed: list[np.ndarray] = []
        self._size = 0
        self._ring_floats = 0
        self._convolutions: list[Row] = []
        self._states: list[np.ndarray] = []
        self._widest_cells = 0

    def pack(self, numbers: np.ndarray) -> int:
        """Append numbers; returns where they begin."""
        place = self._size
        self._packed.append(np.ascontiguousarray(numbers, np.float32).ravel())
        self._size += numbers.size
        return place

    def matrix(self, name: str, groups: int = 1) -> int:
        """A convolution's weight (out, in / groups, taps), laid out (taps, in, out); -1 if the net has none of this name."""
        return self.pack(ungrouped(self._arrays[name], groups).transpose(2, 1, 0)) if name in self._arrays else -1

    def lanes(self, numbers: np.ndarray) -> int:
        """Append numbers that are read in whole vectors: they begin where one begins."""
        self.pack(np.zeros(-self._size % LANES, np.float32))
        return self.pack(numbers)

    def vector(self, name: str) -> int:
        """A bias, or any weight as it lies; -1 if the net has none of this name."""
        return self.pack(self._arrays[name]) if name in self._arrays else -1

    def bias(self, name: str, width: int) -> int:
        """A bias; zeros if the net has none of this name."""
        return self.vector(name) if name in self._arrays else self.zeros(width)

    def zeros(self, width: int) -> int:
        """The bias of a matrix that has none."""
        return self.pack(np.zeros(width, np.float32))

    def activation(self, field: str, text: str, slopes: str) -> Row:
        """The fields of an activation: its code, where its numbers lie, and how far apart the channels' own ones are."""
        activation = parse(text)
        own = activation.code == PRELU
        numbers = self.vector(slopes) if own else self.pack(np.array(activation.numbers, np.float32))
        return {field: activation.code, f"{field}_numbers": numbers, f"{field}_step": int(own)}

    def convolution(self, name: str, channels: int, width: int, taps: int, dilation: int, groups: int = 1) -> Row:
        """What RING holds of one convolution; the ring is given as an offset in floats until `rings` places it."""
        ring_frames, stride = ring_size((taps - 1) * dilation, self._tile)
        offset, self._ring_floats = self._ring_floats, self._ring_floats + channels * stride
        weight, bias = self.matrix(f"{name}.weight", groups), self.bias(f"{name}.bias", width)
        taps_in_sum = max(1, SUM // channels)
        values = (offset, 0, channels, ring_frames, 4 * stride, taps, dilation, width, weight, bias, taps_in_sum)
        convolution = dict(zip(FIELDS, values, strict=True))
        self._convolutions.append(convolution)
        return convolution

    def rings(self) -> np.ndarray:
        """The memory of all rings; every convolution's `ring` becomes an address in it."""
        rings = aligned_zeros(self._ring_floats)
        for convolution in self._convolutions:
            convolution["ring"] = rings.ctypes.data + 4 * convolution["ring"]
        return rings

    def cells(self, kind: str, names: list[str], beginning: Sequence[str] = ()) -> Row:
        """The fields of CELLS for a recurrent layer whose PLACES have these names, and where its h and c begin: else at zero."""
        w, b, u = arranged(kind, *(self._arrays[name] for name in names))
        hidden = self._arrays[names[-1]].size // GATES[kind]
        h, number, lost = np.zeros((3, padded(hidden)), np.float32)
        if beginning:
            h[:hidden], number[:hidden] = self._arrays[beginning[0]], self._arrays[beginning[-1]]  # a GRU's cells are its h
        state = sum(states.size for states in self._states)
        self._states += [h, np.stack([part.reshape(-1, LANES) for part in (number, lost)], axis=1)]
        self._widest_cells = max(self._widest_cells, h.size)
        places = (self.lanes(w), self.lanes(b), self.lanes(u), state)
        return dict(zip(CELLS, (int(kind == "lstm"), h.size // LANES, padded(hidden, SPLITS), *places), strict=True))

    def cell_memory(self) -> dict[str, np.ndarray]:
        """The states of all recurrent layers, and the work spaces of the widest."""
        states = aligned_zeros(sum(states.size for states in self._states))
        if self._states:
            states[:] = np.concatenate([state.ravel() for state in self._states])
        gates, past = aligned_zeros(TILE, HEARD * self._widest_cells), aligned_zeros(1 + TILE, self._widest_cells)
        return {"states": states, "gates": gates, "past": past}

    def weights(self) -> np.ndarray:
        """All numbers; behind the last lie as many zeros as an activation may read."""
        weights = aligned_zeros(self._size + MOST_NUMBERS)
        weights[: self._size] = np.concatenate(self._packed)
        return weights


ACTIVATION = ["activation", "activation_numbers", "activation_step"]
"""The fields that `activation` gives for the field "activation"."""


def table(rows: list[Row], dtype: np.dtype) -> np.ndarray:
    """Rows as records; one record of zeros where there are none, since no address may be missing."""
    return np.array([_record(row, dtype) for row in rows], dtype) if rows else np.zeros(1, dtype)


def _record(row: Row, dtype: np.dtype) -> tuple:
    """The values of a record in their order, a record within it likewise."""
    values = [row[name] for name in dtype.names or ()]
    return tuple(_record(value, dtype[k]) if isinstance(value, dict) else value for k, value in enumerate(values))
