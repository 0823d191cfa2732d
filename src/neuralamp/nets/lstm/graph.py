"""The recurrent net that travels: ONNX's own LSTM or GRU, a state in and out for each layer."""

from neuralamp.dsp.recurrent import PLACES
from neuralamp.nets.lstm.config import LstmConfig
from neuralamp.nets.onnx_graph import GraphBuilder
from neuralamp.nets.onnx_recurrent import recur


def draw(builder: GraphBuilder, config: LstmConfig, x: str, prefix: str) -> str:
    """x (1, inputs, frames) -> (1, outputs, frames). States that begin as a weight bear its name."""
    steps = builder.add("Transpose", x, perm=[2, 0, 1])  # (frames, 1, inputs)
    for i in range(config.layers):
        names = [f"{prefix}cells.{place}_l{i}" for place in PLACES]
        states = [f"{prefix}initial.{s}_l{i}" if config.initial_state else f"{prefix}layers.{i}.{s}" for s in config.states]
        steps = recur(builder, config.cell, steps, names, states)
    steps = builder.add("Transpose", steps, perm=[1, 0, 2])  # (1, frames, hidden)
    head = builder.add("Transpose", f"{prefix}head.weight", perm=[1, 0])
    y = builder.add("Add", builder.add("MatMul", steps, head), f"{prefix}head.bias")
    y = builder.add("Transpose", y, perm=[0, 2, 1])
    return builder.with_skip(y, x, config.skip)
