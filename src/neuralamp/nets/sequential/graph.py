"""The sequential net that travels: an ONNX graph whose layers carry their pasts and states from buffer to buffer."""

from neuralamp.dsp.recurrent import PLACES
from neuralamp.nets.onnx_activation import activate
from neuralamp.nets.onnx_graph import GraphBuilder
from neuralamp.nets.onnx_recurrent import recur
from neuralamp.nets.sequential.config import SOFTMAX, SequentialConfig, SequentialLayer


def draw(builder: GraphBuilder, config: SequentialConfig, x: str, prefix: str) -> str:
    """x (1, inputs, frames) -> (1, outputs, frames); all pasts and states begin at zero."""
    y = x
    for i, ((width, _), layer) in enumerate(zip(config.widths, config.layers, strict=True)):
        name = f"{prefix}layers.{i}"
        y = _layer(builder, name, layer, width, y)
        if layer.activation == SOFTMAX:
            y = builder.add("Softmax", y, axis=1)
        else:
            y = activate(builder, layer.activation, y, f"{name}.slopes")
    return builder.with_skip(y, x, config.skip)


def _layer(builder: GraphBuilder, name: str, layer: SequentialLayer, width: int, x: str) -> str:
    if layer.kind == "conv":
        heard = builder.behind_past(f"{name}.past", x, width, layer.past_frames)
        bias = [f"{name}.bias"] if layer.bias else []
        return builder.add("Conv", heard, f"{name}.weight", *bias, dilations=[layer.dilation], group=layer.groups)
    if layer.recurrent:
        steps = builder.add("Transpose", x, perm=[2, 0, 1])  # (frames, 1, channels)
        states = [f"{name}.h", f"{name}.c"][: 2 if layer.kind == "lstm" else 1]
        steps = recur(builder, layer.kind, steps, [f"{name}.{place}" for place in PLACES], states)
        return builder.add("Transpose", steps, perm=[1, 2, 0])
    return x
