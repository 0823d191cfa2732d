"""Layers as they are read, one on top of the other, until they are a net."""

from typing import Any

import numpy as np

from neuralamp.dsp.recurrent import PLACES
from neuralamp.errors import NetError
from neuralamp.nets.lstm.config import LstmConfig
from neuralamp.nets.sequential.config import MOST_LAYERS, SequentialConfig, SequentialLayer
from neuralamp.nets.weights import check_weights

Net = tuple[Any, dict[str, np.ndarray]]
MOST_INPUTS = 17  # the sound and 16 knobs; AIDA-X has two knobs at most
MOST_CELL_LAYERS = 16  # of an LstmConfig


class Stack:
    """Layers and their weights; `gain_in` is what the sound, the first of the inputs, is multiplied with before them."""

    def __init__(self, inputs: int, gain_in: float = 1.0):
        self.inputs, self._gain_in = inputs, gain_in
        self.layers: list[SequentialLayer] = []
        self._weights: list[dict[str, np.ndarray]] = []

    @property
    def width(self) -> int:
        """Channels that the next layer hears."""
        return self.layers[-1].channels if self.layers else self.inputs

    def add(self, layer: SequentialLayer, **weights: np.ndarray) -> None:
        """The next layer, its weights by their last names. The first takes the input's gain into what it does to the sound.

        Raises NetError for more layers than a net can have, before a file of a million has been read.
        """
        if len(self.layers) >= MOST_LAYERS:
            raise NetError(f"a net of more than {MOST_LAYERS} layers is not possible")
        weights = {name: np.array(numbers, np.float64) for name, numbers in weights.items()}
        if not self.layers and self._gain_in != 1.0:
            if layer.kind == "pointwise":
                self._scale([self._gain_in] + [1.0] * (self.inputs - 1))
            elif layer.recurrent:
                weights["weight_ih"][:, 0] *= self._gain_in
            else:
                weights["weight"][: layer.channels // layer.groups, 0] *= self._gain_in
        self.layers.append(layer)
        self._weights.append(weights)

    def _scale(self, gains: list[float]) -> None:
        """A layer that multiplies each channel with a gain of its own."""
        self.layers.append(SequentialLayer("conv", len(gains), groups=len(gains), bias=False))
        self._weights.append({"weight": np.array(gains)[:, None, None]})

    def amplify(self, gain: float) -> None:
        """Multiply what goes out: in the last layer where it is linear, else in one more."""
        if gain == 1.0 or not self.layers:
            return
        if self.layers[-1].kind == "conv" and self.layers[-1].activation == "linear":
            self._weights[-1] = {name: numbers * gain for name, numbers in self._weights[-1].items()}
        else:
            self._scale([gain] * self.width)

    def net(self, knobs: tuple[str, ...], skip: float = 0.0) -> Net:
        """The config and the weights by their whole names. Raises NetError where the layers are no net."""
        if self._is_recurrent_net():
            return self._recurrent_net(knobs, skip)
        named = {f"layers.{i}.{name}": numbers for i, each in enumerate(self._weights) for name, numbers in each.items()}
        return _checked(SequentialConfig(tuple(self.layers), knobs, skip), named)

    def _is_recurrent_net(self) -> bool:
        """Whether these are cells of one kind and width, and one linear layer."""
        *cells, head = self.layers or [SequentialLayer("pointwise", 1)]
        if not 0 < len(cells) <= MOST_CELL_LAYERS or not cells[0].recurrent:
            return False
        alike = set(cells) == {SequentialLayer(cells[0].kind, cells[0].channels)}
        return alike and head == SequentialLayer("conv", head.channels, bias=head.bias)

    def _recurrent_net(self, knobs: tuple[str, ...], skip: float) -> Net:
        *cells, head = self.layers
        config = LstmConfig(cells[0].channels, len(cells), cells[0].kind, skip, knobs, outputs=head.channels)
        named = {f"cells.{place}_l{i}": each[place] for i, each in enumerate(self._weights[:-1]) for place in PLACES}
        named["head.weight"] = self._weights[-1]["weight"][..., 0]
        named["head.bias"] = self._weights[-1].get("bias", np.zeros(head.channels))
        return _checked(config, named)


def _checked(config: Any, exact: dict[str, np.ndarray]) -> Net:
    """The weights in float32. Raises NetError for one that is none, as gains may have made it."""
    with np.errstate(over="ignore"):
        weights = {name: np.ascontiguousarray(numbers, np.float32) for name, numbers in exact.items()}
    check_weights(config.weights(), weights)
    return config, weights
