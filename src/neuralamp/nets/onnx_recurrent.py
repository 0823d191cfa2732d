"""Recurrent cells as ONNX's own LSTM and GRU, a state in and out for each layer."""

from typing import Any

from neuralamp.dsp.recurrent import GATES
from neuralamp.nets.onnx_graph import NEXT, GraphBuilder

ORDER = {"lstm": (0, 3, 1, 2), "gru": (1, 0, 2)}
"""torch's gates in the order in which ONNX wants them: i f g o -> i o f g, and r z n -> z r n."""


def recur(builder: GraphBuilder, cell: str, steps: str, names: list[str], states: list[str]) -> str:
    """One layer: (frames, 1, channels) -> (frames, 1, hidden).

    names   of its weights: weight_ih, weight_hh, bias_ih, bias_hh.
    states  h, and c of an LSTM. One that is a weight's name begins as that weight, (hidden,); another at zero.
    """
    hidden = builder.width(names[1]) // GATES[cell]
    direction = builder.integers(0)
    w, r, bias_ih, bias_hh = (builder.add("Unsqueeze", _reorder(builder, cell, hidden, name), direction) for name in names)
    bias = builder.add("Concat", bias_ih, bias_hh, axis=1)
    shape = builder.integers(1, 1, hidden)
    before = [builder.add("Reshape", builder.state(state, (hidden,)), shape) for state in states]
    # torch's GRU applies its reset gate behind the recurrent matrix: linear_before_reset.
    attributes: dict[str, Any] = {"hidden_size": hidden}
    if cell == "gru":
        attributes["linear_before_reset"] = 1
    y = builder.add(cell.upper(), steps, w, r, bias, "", *before, outputs=1 + len(states), **attributes)
    flat = builder.integers(hidden)
    for k, state in enumerate(states):
        builder.add("Reshape", f"{y}.{k + 1}", flat, to=NEXT + state)
    return builder.add("Squeeze", y, builder.integers(1))


def _reorder(builder: GraphBuilder, cell: str, hidden: int, name: str) -> str:
    """A weight's rows, gate by gate, from torch's order to ONNX's; onnxruntime does this once, when it opens the file."""
    gates = GATES[cell]
    first = builder.add("Split", name, builder.integers(*[hidden] * gates), outputs=gates, axis=0)
    parts = [first, *(f"{first}.{k}" for k in range(1, gates))]
    return builder.add("Concat", *(parts[k] for k in ORDER[cell]), axis=0)
