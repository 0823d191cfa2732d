"""The slimmable net that travels: every size in one graph, the wanted one's answer chosen frame by frame."""

import numpy as np

from neuralamp.nets import architecture_of
from neuralamp.nets.onnx_graph import GraphBuilder
from neuralamp.nets.slimmable.config import SlimmableConfig


def draw(builder: GraphBuilder, config: SlimmableConfig, x: str, prefix: str) -> str:
    """x (1, inputs, frames) -> (1, outputs, frames)."""
    rows = builder.add("Split", x, builder.integers(1, 1, config.inputs - 2), outputs=3, axis=1)
    heard = builder.add("Concat", rows, f"{rows}.2", axis=1)
    answers = [architecture_of(net).draw(builder, net, heard, prefix + inside) for inside, net in config.inner.items()]
    y = answers.pop()
    for part, answer in zip(reversed(config.parts[:-1]), reversed(answers), strict=True):
        smaller = builder.add("Less", f"{rows}.1", builder.constant(np.array(part.up_to, np.float32)))
        y = builder.add("Where", smaller, answer, y)
    return y
