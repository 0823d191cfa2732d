"""Named weights laid end to end for a kernel, with the places where each begins, and the rings that its convolutions need."""

from typing import Any

import numpy as np

from neuralamp.dsp.activation import MOST_NUMBERS, PRELU, parse
from neuralamp.dsp.node import aligned_zeros
from neuralamp.dsp.rings import RING, SUM, ring_size
from neuralamp.dsp.rows import TILE
from neuralamp.nets.weights import Shapes, Weights, check_weights, in_order

Row = dict[str, Any]


class Packer:
    """Collects numbers and rings for tiles of this many frames; `weights()` and `rings()` make them once all is told."""

    def __init__(self, shapes: Shapes, weights: Weights, tile: int = TILE):
        self._tile = tile
        check_weights(shapes, weights)
        self._arrays = dict(zip(shapes, in_order(shapes, weights), strict=True))
        self._packed: list[np.ndarray] = []
        self._size = 0
        self._ring_floats = 0

    def pack(self, numbers: np.ndarray) -> int:
        """Append numbers; returns where they begin."""
        place = self._size
        self._packed.append(np.ascontiguousarray(numbers, np.float32).ravel())
        self._size += numbers.size
        return place

    def matrix(self, name: str, groups: int = 1) -> int:
        """A convolution's weight (out, in / groups, taps), laid out (taps, in, out); -1 if the net has none of this name.

        Groups become the full matrix, zero where they are deaf to each other: adding a product with zero changes nothing.
        """
        if name not in self._arrays:
            return -1
        parted = self._arrays[name]
        width, heard, taps = parted.shape
        full = np.zeros((width, heard * groups, taps), np.float32)
        for rows, columns in zip(np.split(np.arange(width), groups), np.split(np.arange(heard * groups), groups), strict=True):
            full[rows[:, None], columns] = parted[rows]
        return self.pack(full.transpose(2, 1, 0))

    def columns(self, name: str) -> int:
        """A matrix (out, in), laid out (in, out)."""
        return self.pack(self._arrays[name].T)

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
        """The fields of RING for one convolution; the ring is given as an offset in floats until `rings` places it."""
        ring_frames, stride = ring_size((taps - 1) * dilation, self._tile)
        offset, self._ring_floats = self._ring_floats, self._ring_floats + channels * stride
        weight, bias = self.matrix(f"{name}.weight", groups), self.bias(f"{name}.bias", width)
        taps_in_sum = max(1, SUM // channels)
        values = (offset, channels, ring_frames, 4 * stride, taps, dilation, width, weight, bias, taps_in_sum)
        return dict(zip(RING, values, strict=True))

    def rings(self, *tables: list[Row]) -> np.ndarray:
        """The memory of all rings; every row's `ring` becomes an address in it."""
        rings = aligned_zeros(self._ring_floats)
        for row in (row for table in tables for row in table):
            row["ring"] = rings.ctypes.data + 4 * row["ring"]
        return rings

    def weights(self) -> np.ndarray:
        """All numbers; behind the last lie as many zeros as an activation may read."""
        return np.concatenate([*self._packed, np.zeros(MOST_NUMBERS, np.float32)])


ACTIVATION = ["activation", "activation_numbers", "activation_step"]
"""The fields that `activation` gives for the field "activation"."""


def table(rows: list[Row], dtype: np.dtype) -> np.ndarray:
    """Rows as records; one record of zeros where there are none, since no address may be missing."""
    return np.array([tuple(row[name] for name in dtype.names or ()) for row in rows], dtype) if rows else np.zeros(1, dtype)
