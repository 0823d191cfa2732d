"""The recurrent net that travels: ONNX's own LSTM or GRU, a state in and out for each layer."""

from typing import Any

from neuralamp.nets.lstm.config import GATES, LstmConfig
from neuralamp.nets.onnx_graph import NEXT, GraphBuilder

ORDER = {"lstm": (0, 3, 1, 2), "gru": (1, 0, 2)}
"""torch's gates in the order in which ONNX wants them: i f g o -> i o f g, and r z n -> z r n."""


def draw(builder: GraphBuilder, config: LstmConfig, x: str, prefix: str) -> str:
    """x (1, inputs, frames) -> (1, outputs, frames)."""
    steps = builder.add("Transpose", x, perm=[2, 0, 1])  # (frames, 1, inputs)
    for i in range(config.layers):
        steps = _cells(builder, config, i, steps, prefix)
    steps = builder.add("Transpose", steps, perm=[1, 0, 2])  # (1, frames, hidden)
    head = builder.add("Transpose", f"{prefix}head.weight", perm=[1, 0])
    y = builder.add("Add", builder.add("MatMul", steps, head), f"{prefix}head.bias")
    y = builder.add("Transpose", y, perm=[0, 2, 1])
    if config.input_skip:
        zero, one, channels = builder.integers(0), builder.integers(1), builder.integers(1)
        y = builder.add("Add", y, builder.add("Slice", x, zero, one, channels))
    return y


def _cells(builder: GraphBuilder, config: LstmConfig, i: int, steps: str, prefix: str) -> str:
    """One layer: (frames, 1, channels) -> (frames, 1, hidden)."""
    names = [f"{prefix}cells.{name}_l{i}" for name in ("weight_ih", "weight_hh", "bias_ih", "bias_hh")]
    direction = builder.integers(0)
    w, r, bias_ih, bias_hh = (builder.add("Unsqueeze", _reorder(builder, config, name), direction) for name in names)
    bias = builder.add("Concat", bias_ih, bias_hh, axis=1)
    states = [
        builder.state(f"{prefix}layers.{i}.{name}", (1, 1, config.hidden))
        for name in ("h", "c")[: 2 if config.cell == "lstm" else 1]
    ]
    # torch's GRU applies its reset gate behind the recurrent matrix: linear_before_reset.
    attributes: dict[str, Any] = {"hidden_size": config.hidden}
    if config.cell == "gru":
        attributes["linear_before_reset"] = 1
    y = builder.add(config.cell.upper(), steps, w, r, bias, "", *states, outputs=1 + len(states), **attributes)
    for k, state in enumerate(states):
        builder.add("Identity", f"{y}.{k + 1}", to=NEXT + state)
    return builder.add("Squeeze", y, builder.integers(1))


def _reorder(builder: GraphBuilder, config: LstmConfig, name: str) -> str:
    """A weight's rows, gate by gate, from torch's order to ONNX's; onnxruntime does this once, when it opens the file."""
    gates = GATES[config.cell]
    first = builder.add("Split", name, builder.integers(*[config.hidden] * gates), outputs=gates, axis=0)
    parts = [first, *(f"{first}.{k}" for k in range(1, gates))]
    return builder.add("Concat", *(parts[k] for k in ORDER[config.cell]), axis=0)
