"""The WaveNet that plays: tiles of frames through a table of layers, each with the past that it still hears.

Frames go in the inner loop, which LLVM turns into vector instructions at any channel count; each frame's sums keep one order, so
no cut of the stream can be heard. The input of every layer, and of every head, lies in a ring: rows of `frames` + TILE floats
whose first TILE frames are repeated behind the end, so that any read of up to TILE frames is one contiguous stretch.
"""

import numpy as np
from numba import carray

from neuralamp.dsp.activation import NAMES, activate
from neuralamp.dsp.jit import as_pointer, floats_at, fma, kernel
from neuralamp.dsp.node import POINTER, Node, State, node
from neuralamp.nets.wavenet.config import GATINGS, LayerArray, WaveNetConfig
from neuralamp.nets.weights import Weights, check_weights, in_order

TILE = 64  # frames worked on at once: the rows of a layer stay in the first-level cache
NONE, GATED, BLENDED = range(len(GATINGS))
ONE = np.float32(1.0)

# The table: one row for each convolution with a past. `ring` is the address of its rows, every other place is an index into the
# flat weights, -1 where a layer has no such part.
RING = ["ring", "channels", "ring_frames", "stride", "taps", "dilation", "width", "weight", "bias"]
LAYER = np.dtype(
    [(name, np.int64) for name in RING]
    + [(name, np.int64) for name in ("bottleneck", "gating", "activation", "gate_activation")]
    + [(name, np.int64) for name in ("mixin", "residual", "residual_bias", "head_1x1", "head_1x1_bias")]
    + [("slope", np.float64)]
)
HEAD = np.dtype([(name, np.int64) for name in [*RING, "first_layer", "layers", "stream_channels", "rechannel"]])
STATE = State(
    frame=int, inputs=int, head_scale=float, layer_count=int, head_count=int,
    layers=POINTER, heads=POINTER, weights=POINTER, weight_count=int, rings=POINTER, stream=POINTER, z=POINTER, out=POINTER,
)  # fmt: skip


@kernel
def add_rows(y, weights, first, rows, stride, count):
    """y += weights[first] row 0 + weights[first + 1] row 1 + ..., in this order; rows lie `stride` floats apart."""
    i = 0
    while i + 4 <= count:
        a = floats_at(rows + 4 * i * stride, y.size)
        b = floats_at(rows + 4 * (i + 1) * stride, y.size)
        c = floats_at(rows + 4 * (i + 2) * stride, y.size)
        d = floats_at(rows + 4 * (i + 3) * stride, y.size)
        wa, wb, wc, wd = weights[first + i], weights[first + i + 1], weights[first + i + 2], weights[first + i + 3]
        for n in range(y.size):
            y[n] = fma(wd, d[n], fma(wc, c[n], fma(wb, b[n], fma(wa, a[n], y[n]))))
        i += 4
    while i < count:
        a = floats_at(rows + 4 * i * stride, y.size)
        w = weights[first + i]
        for n in range(y.size):
            y[n] = fma(w, a[n], y[n])
        i += 1


@kernel
def convolve(y, weights, o, row, frame):
    """y = output channel `o` of the dilated convolution that `row` of a table describes, at `frame`; oldest tap first."""
    y[:] = weights[row.bias + o] if row.bias >= 0 else np.float32(0.0)
    for tap in range(row.taps):
        start = (frame - (row.taps - 1 - tap) * row.dilation) % row.ring_frames
        first = row.weight + (o * row.taps + tap) * row.channels
        add_rows(y, weights, first, row.ring + 4 * start, row.stride, row.channels)


@kernel
def newest(row, c, frame, frames):
    """Channel `c` of a ring at `frame`: where this tile is written, and read again until it is mirrored."""
    return floats_at(row.ring + 4 * (c * row.stride + frame % row.ring_frames), frames)


@kernel
def mirror(row, frame, frames):
    """After a tile was written: bring what ran over the ring's end to its start, and its start behind its end."""
    position = frame % row.ring_frames
    for c in range(row.channels):
        ring = floats_at(row.ring + 4 * c * row.stride, row.stride)
        for n in range(row.ring_frames, position + frames):
            ring[n - row.ring_frames] = ring[n]
        for n in range(position, min(position + frames, TILE)):
            ring[n + row.ring_frames] = ring[n]


@kernel
def add_condition(y, weights, first, inputs, count, start):
    """y += the mixin of the condition, which is the sound and then the knobs, from `start` in the buffer."""
    for c in range(count):
        x = carray(inputs[c], start + y.size)[start:]
        w = weights[first + c]
        for n in range(y.size):
            y[n] = fma(w, x[n], y[n])


@kernel
def shape(layer, z, frames):
    """z -> a, in place in the first `bottleneck` rows of z: activation and gate, as LayerArray has them."""
    slope = np.float32(layer.slope)
    for c in range(layer.bottleneck):
        a = floats_at(z + 4 * c * TILE, frames)
        if layer.gating == NONE:
            activate(layer.activation, slope, a, a)
            continue
        gate = floats_at(z + 4 * (layer.bottleneck + c) * TILE, frames)
        activate(layer.gate_activation, slope, gate, gate)
        activated = floats_at(z + 4 * layer.width * TILE, frames)  # the spare row behind z
        activate(layer.activation, slope, a, activated)
        if layer.gating == GATED:
            for n in range(frames):
                a[n] = activated[n] * gate[n]
        else:
            for n in range(frames):
                a[n] = fma(gate[n], activated[n], (ONE - gate[n]) * a[n])


@kernel
def add_skip(layer, weights, z, head, frame, frames):
    """The ring that the head reads += a, through the layer's own 1x1 where it has one."""
    for c in range(head.channels):
        skip = newest(head, c, frame, frames)
        if layer.head_1x1 >= 0:
            bias = weights[layer.head_1x1_bias + c]
            for n in range(frames):
                skip[n] += bias
            add_rows(skip, weights, layer.head_1x1 + c * layer.bottleneck, z, TILE, layer.bottleneck)
        else:
            a = floats_at(z + 4 * c * TILE, frames)
            for n in range(frames):
                skip[n] += a[n]


@kernel
def pass_on(layer, weights, c, z, y, frame, frames):
    """y = channel `c` of the residual stream behind this layer: what came in, plus a through the 1x1 where it has one."""
    x = newest(layer, c, frame, frames)
    bias = weights[layer.residual_bias + c] if layer.residual >= 0 else np.float32(0.0)
    for n in range(frames):
        y[n] = x[n] + bias
    if layer.residual >= 0:
        add_rows(y, weights, layer.residual + c * layer.bottleneck, z, TILE, layer.bottleneck)


@kernel
def play_array(head, layers, weights, inputs, input_count, start, frame, frames, stream, z):
    """One layer array on one tile: the stream of the array before (the input, for the first) -> its own, skips in its ring."""
    first = layers[head.first_layer]
    for c in range(first.channels):
        y = newest(first, c, frame, frames)
        y[:] = np.float32(0.0)
        if head.first_layer == 0:
            add_condition(y, weights, head.rechannel + c * input_count, inputs, input_count, start)
        else:
            add_rows(y, weights, head.rechannel + c * head.stream_channels, stream, TILE, head.stream_channels)
    mirror(first, frame, frames)
    for i in range(head.first_layer, head.first_layer + head.layers):
        layer = layers[i]
        for o in range(layer.width):
            y = floats_at(z + 4 * o * TILE, frames)
            convolve(y, weights, o, layer, frame)
            add_condition(y, weights, layer.mixin + o * input_count, inputs, input_count, start)
        shape(layer, z, frames)
        add_skip(layer, weights, z, head, frame, frames)
        if i + 1 < head.first_layer + head.layers:
            following = layers[i + 1]
            for c in range(layer.channels):
                pass_on(layer, weights, c, z, newest(following, c, frame, frames), frame, frames)
            mirror(following, frame, frames)
        else:
            for c in range(layer.channels):
                pass_on(layer, weights, c, z, floats_at(stream + 4 * c * TILE, frames), frame, frames)
    mirror(head, frame, frames)


@node(STATE)
def play(inputs, outputs, frames, state):
    net = carray(state, (1,))[0]
    layers = carray(as_pointer(net.layers), net.layer_count, LAYER)
    heads = carray(as_pointer(net.heads), net.head_count, HEAD)
    weights = floats_at(net.weights, net.weight_count)
    head_scale = np.float32(net.head_scale)
    start = 0
    while start < frames:
        count = min(TILE, frames - start)
        for a in range(net.head_count):
            head = heads[a]
            for c in range(head.channels):
                skip = newest(head, c, net.frame, count)
                if a == 0:
                    skip[:] = np.float32(0.0)
                else:  # the head of the array before
                    skip[:] = floats_at(net.out + 4 * c * TILE, count)
            play_array(head, layers, weights, inputs, net.inputs, start, net.frame, count, net.stream, net.z)
            for o in range(head.width):
                convolve(floats_at(net.out + 4 * o * TILE, count), weights, o, head, net.frame)
        sound = floats_at(net.out, count)
        y = carray(outputs[0], frames)
        for n in range(count):
            y[start + n] = head_scale * sound[n]
        net.frame += count
        start += count


class _Packer:
    """Lays weights and rings end to end and tells where each begins."""

    def __init__(self, config: WaveNetConfig, weights: Weights):
        self.places: dict[str, int] = {}
        packed: list[np.ndarray] = []
        for name, array in zip(config.weights(), in_order(config.weights(), weights), strict=True):
            self.places[name] = sum(part.size for part in packed)
            # (out, in, taps) -> (out, taps, in): the sum over input channels is the innermost one
            packed.append((array.transpose(0, 2, 1) if array.ndim == 3 else array).ravel())
        self.weights = np.concatenate(packed)
        self.ring_floats = 0

    def place(self, name: str) -> int:
        """Where a weight begins; -1 if the net has none of this name."""
        return self.places.get(name, -1)

    def convolution(self, name: str, channels: int, width: int, taps: int, dilation: int) -> dict[str, float]:
        """The fields of RING for one convolution; the ring is given as an offset in floats until its memory is there."""
        ring_frames = (taps - 1) * dilation + TILE
        # An odd number of cache lines (16 floats) apart, so that the rows do not compete for the same cache sets.
        stride = (-(-(ring_frames + TILE) // 16) | 1) * 16
        offset, self.ring_floats = self.ring_floats, self.ring_floats + channels * stride
        values = (
            offset, channels, ring_frames, stride, taps, dilation, width,
            self.place(f"{name}.weight"), self.place(f"{name}.bias"),
        )  # fmt: skip
        return dict(zip(RING, values, strict=True))

    def layer(self, name: str, array: LayerArray, i: int) -> dict[str, float]:
        """The row of LAYER for one layer."""
        return self.convolution(
            f"{name}.conv", array.channels, array.conv_channels(i), array.kernel_sizes[i], array.dilations[i]
        ) | {
            "bottleneck": array.bottleneck,
            "gating": GATINGS.index(array.gatings[i]),
            "activation": NAMES.index(array.activations[i]),
            "gate_activation": NAMES.index(array.gate_activations[i]),
            "mixin": self.place(f"{name}.mixin.weight"),
            "residual": self.place(f"{name}.residual_1x1.weight"),
            "residual_bias": self.place(f"{name}.residual_1x1.bias"),
            "head_1x1": self.place(f"{name}.head_1x1.weight"),
            "head_1x1_bias": self.place(f"{name}.head_1x1.bias"),
            "slope": array.negative_slope,
        }


def _table(rows: list[dict[str, float]], dtype: np.dtype) -> np.ndarray:
    return np.array([tuple(row[name] for name in dtype.names or ()) for row in rows], dtype)


def stream(config: WaveNetConfig, weights: Weights) -> Node:
    """The net as a node: rows of sound and knobs in, one row of sound out. All past is zero: let it settle on silence first."""
    check_weights(config.weights(), weights)
    packer = _Packer(config, weights)
    layers: list[dict[str, float]] = []
    heads: list[dict[str, float]] = []
    stream_channels = config.inputs
    for a, array in enumerate(config.arrays):
        heads.append(
            packer.convolution(f"arrays.{a}.head", array.skip_channels, array.head_channels, array.head_kernel_size, 1)
            | {"first_layer": len(layers), "layers": array.layers, "stream_channels": stream_channels}
            | {"rechannel": packer.place(f"arrays.{a}.rechannel.weight")}
        )
        layers += [packer.layer(f"arrays.{a}.layers.{i}", array, i) for i in range(array.layers)]
        stream_channels = array.channels
    rings = np.zeros(packer.ring_floats, np.float32)
    for row in (*layers, *heads):
        row["ring"] = rings.ctypes.data + 4 * row["ring"]
    widest_z = 1 + max(array.conv_channels(i) for array in config.arrays for i in range(array.layers))
    return Node(
        play,
        {
            "inputs": config.inputs,
            "head_scale": weights["head_scale"][0],
            "layer_count": len(layers),
            "head_count": len(heads),
            "weight_count": packer.weights.size,
        },
        memory={
            "rings": rings,
            "stream": np.zeros((max(array.channels for array in config.arrays), TILE), np.float32),
            "z": np.zeros((widest_z, TILE), np.float32),
            "out": np.zeros((max(array.head_channels for array in config.arrays), TILE), np.float32),
        },
        constants={
            "layers": _table(layers, LAYER),
            "heads": _table(heads, HEAD),
            "weights": packer.weights,
        },
    )
