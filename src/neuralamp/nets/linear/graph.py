"""The linear net that travels: one ONNX convolution that carries its own past from buffer to buffer."""

import numpy as np

from neuralamp.nets.linear.config import LinearConfig
from neuralamp.nets.onnx_graph import GraphBuilder


def draw(builder: GraphBuilder, config: LinearConfig, x: str, prefix: str) -> str:
    """x (1, 1, frames) -> (1, 1, frames); the past begins at zero."""
    last, all_taps, backwards = builder.integers(-1), builder.integers(np.iinfo(np.int64).min), builder.integers(-1)
    oldest_first = builder.add("Slice", f"{prefix}impulse", last, all_taps, builder.integers(0), backwards)
    kernel = builder.add("Unsqueeze", oldest_first, builder.integers(0, 1))
    heard = builder.behind_past(f"{prefix}past", x, 1, config.settling_frames)
    return builder.add("Conv", heard, kernel, *([f"{prefix}bias"] if config.bias else []))
