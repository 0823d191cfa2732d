"""What a WaveNet in kernels reads: a row for every convolution with a past, and all weights in one flat array.

A place is an index into the flat weights, -1 where a layer has no such part.
"""

import numpy as np

from neuralamp.dsp.rings import RING
from neuralamp.dsp.rows import TILE
from neuralamp.nets.packing import ACTIVATION, Packer, Row, table
from neuralamp.nets.wavenet.config import WaveNetConfig
from neuralamp.nets.wavenet.layers import GATINGS, PLACES, LayerArray
from neuralamp.nets.weights import Weights

LAYER = np.dtype(
    [("conv", RING)]
    + [(name, np.int64) for name in ("bottleneck", "gating", *ACTIVATION)]
    + [(name, np.int64) for name in ("gate", "gate_numbers", "gate_step")]
    + [(name, np.int64) for name in ("mixin", "mixin_bias", "residual", "residual_bias", "head_1x1", "head_1x1_bias")]
    + [(name, np.int64, (len(PLACES),)) for name in ("films", "film_widths", "film_shifts")]
)
HEAD = np.dtype(
    [("conv", RING)] + [(name, np.int64) for name in ("first_layer", "layers", "stream_channels", "rechannel", "rechannel_bias")]
)
POST = np.dtype([("conv", RING)] + [(name, np.int64) for name in ACTIVATION])


class Tables:
    """The tables of a net, its packed weights and the memory of its rings.

    tile    frames that are worked on at once.
    widest  rows that any work space may need: of z, of what is heard, of a stream, a skip sum or a head.
    """

    def __init__(self, config: WaveNetConfig, weights: Weights, tile: int = TILE):
        self._packer = Packer(config.weights(), weights, tile)
        self._condition = config.condition_channels
        layers: list[Row] = []
        heads: list[Row] = []
        stream_channels = config.inputs
        for a, array in enumerate(config.arrays):
            name = f"arrays.{a}"
            taps, dilation = array.head_kernel_size, array.head_dilation
            heads.append(
                {"conv": self._packer.convolution(f"{name}.head", array.skip_channels, array.head_channels, taps, dilation)}
                | {"first_layer": len(layers), "layers": array.layers, "stream_channels": stream_channels}
                | {"rechannel": self._packer.matrix(f"{name}.rechannel.weight")}
                | {"rechannel_bias": self._packer.zeros(array.channels)}
            )
            layers += [self._layer(f"{name}.layers.{i}", array, i) for i in range(array.layers)]
            stream_channels = array.channels
        posts = [
            {"conv": self._packer.convolution(f"post_head.{i}.conv", *widths, layer.kernel_size, 1)}
            | self._packer.activation("activation", layer.activation, f"post_head.{i}.activation.slopes")
            for i, (widths, layer) in enumerate(zip(config.post_widths, config.post_head, strict=True))
        ]
        self.rings = self._packer.rings()
        self.weights = self._packer.weights()
        self.layers, self.heads, self.posts = table(layers, LAYER), table(heads, HEAD), table(posts, POST)
        self.widest = max(
            config.inputs,
            self._condition,
            int(max(self.layers["conv"]["width"])),
            *(max(array.channels, array.skip_channels, array.head_channels) for array in config.arrays),
            *(channels for widths in config.post_widths for channels in widths),
        )

    def _layer(self, name: str, array: LayerArray, i: int) -> Row:
        """The row of LAYER for one layer."""
        packer = self._packer
        taps, dilation, groups = array.kernel_sizes[i], array.dilations[i], array.conv_groups
        gate = array.gate_activations[i] if array.gatings[i] != "none" else "linear"
        return (
            {"conv": packer.convolution(f"{name}.conv", array.channels, array.conv_channels(i), taps, dilation, groups)}
            | {"bottleneck": array.bottleneck, "gating": GATINGS.index(array.gatings[i])}
            | packer.activation("activation", array.activations[i], f"{name}.activation.slopes")
            | packer.activation("gate", gate, f"{name}.gate_activation.slopes")
            | {
                "mixin": packer.matrix(f"{name}.mixin.weight", array.mixin_groups),
                "mixin_bias": packer.zeros(array.conv_channels(i)),
                "residual": packer.matrix(f"{name}.residual_1x1.weight", array.residual_groups),
                "residual_bias": packer.vector(f"{name}.residual_1x1.bias"),
                "head_1x1": packer.matrix(f"{name}.head_1x1.weight", array.head_1x1_groups),
                "head_1x1_bias": packer.vector(f"{name}.head_1x1.bias"),
            }
            | self._films(name, array, i)
        )

    def _films(self, name: str, array: LayerArray, i: int) -> Row:
        """Where each modulation's matrix begins (its biases lie behind it), its width, and whether it shifts."""
        places, widths, shifts = [-1] * len(PLACES), [0] * len(PLACES), [0] * len(PLACES)
        for place, film in array.films_of(i).items():
            k = PLACES.index(place)
            places[k] = self._packer.matrix(f"{name}.films.{place}.weight", film.groups)
            self._packer.vector(f"{name}.films.{place}.bias")
            widths[k], shifts[k] = array.film_width(place, i, self._condition), int(film.shift)
        return {"films": places, "film_widths": widths, "film_shifts": shifts}
