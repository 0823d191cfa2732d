"""A WaveNet whose channels may be fewer: the sizes that a file allows, each cut out of the full net."""

from dataclasses import replace
from fractions import Fraction

import numpy as np

from neuralamp.capture.json_table import Table
from neuralamp.errors import CaptureError
from neuralamp.nets.slimmable.config import MOST_PARTS, Part, SlimmableConfig
from neuralamp.nets.wavenet.config import WaveNetConfig
from neuralamp.nets.wavenet.layers import LayerArray
from neuralamp.nets.weights import Weights

METHOD = "slice_channels_uniform"


def allowed_channels(model: Table) -> list[tuple[int, ...]]:
    """For each array the channels that it may have, rising to all it has; one entry where it cannot shrink."""
    allowed = []
    for layer in model.table("config").tables("layers"):
        channels = layer.integer("channels")
        widths: tuple[int, ...] = (channels,)
        if isinstance(layer.get("slimmable"), dict):
            slimmable = layer.table("slimmable")
            if slimmable.text("method", "") not in ("", METHOD):
                slimmable.fail("method", f"should be {METHOD}", slimmable.get("method"))
            if slimmable.text("method", "") == METHOD:
                widths = tuple(range(1, channels + 1))
                if "kwargs" in slimmable and "allowed_channels" in slimmable.table("kwargs"):
                    widths = slimmable.table("kwargs").integers("allowed_channels")
            if len(widths) > MOST_PARTS:
                slimmable.fail(
                    "", f"should allow {MOST_PARTS} numbers of channels at most, and allows {len(widths)}", slimmable.value
                )
            if not widths or list(widths) != sorted(set(widths)) or widths[-1] != channels:
                slimmable.fail("kwargs", f"should allow channels that rise to {channels}", slimmable.get("kwargs"))
        allowed.append(widths)
    return allowed


def slimmed(config: WaveNetConfig, weights: Weights, allowed: list[tuple[int, ...]]) -> tuple[SlimmableConfig, Weights]:
    """All sizes of a net as one slimmable net; at size s an array has the allowed channels number floor(s len(allowed))."""
    if config.post_head:
        raise CaptureError("it is slimmable and has layers behind its head, which no player can slim")
    if any(array.head_kernel_size > 1 or _groups(array) != {1} for array in config.arrays):
        raise CaptureError("it is slimmable and has groups or a head with a past, which no player can slim")
    steps = sorted({Fraction(k, len(widths)) for widths in allowed for k in range(1, len(widths))})
    if len(steps) >= MOST_PARTS:
        raise CaptureError(f"it has {len(steps) + 1} sizes; {MOST_PARTS} is the most that is possible")
    parts: list[Part] = []
    table: dict[str, np.ndarray] = {}
    for i, (lowest, up_to) in enumerate(zip([Fraction(0), *steps], [*steps, Fraction(1)], strict=True)):
        channels = [widths[int(lowest * len(widths))] for widths in allowed]
        slim = _with_channels(config, channels)
        parts.append(Part(float(up_to), slim))
        cut = {name: _first(weights[name], shape) for name, shape in slim.weights().items()}
        table |= {f"parts.{i}.{name}": values for name, values in cut.items()}
    return SlimmableConfig(tuple(parts)), table


def _groups(array: LayerArray) -> set[int]:
    return {array.conv_groups, array.mixin_groups, array.residual_groups, array.head_1x1_groups}


def _with_channels(config: WaveNetConfig, channels: list[int]) -> WaveNetConfig:
    """The net with so many channels in each array; heads inside it follow, its own output stays."""
    arrays = []
    for a, (array, width) in enumerate(zip(config.arrays, channels, strict=True)):
        bottleneck = max(1, array.bottleneck * width // array.channels) if array.residual_1x1 else width
        last = a + 1 == len(channels)
        head = array.head_channels if last else channels[a + 1]
        arrays.append(replace(array, channels=width, bottleneck=bottleneck, head_channels=head))
    return replace(config, arrays=tuple(arrays))


def _first(full: np.ndarray, shape: tuple[int, ...]) -> np.ndarray:
    """The first rows and columns of a weight; of two halves stacked (a gate's, a shift's) too, as other players cut them."""
    return np.ascontiguousarray(full[tuple(slice(size) for size in shape)])
