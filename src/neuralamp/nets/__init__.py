"""Architectures, a folder each: config.py the shape, module.py learns, graph.py travels, stream.py plays.

Some have a fourth, fused/: the module's step in kernels, for learning on a processor (see learn/fused.py).
The forms do not know each other: all speak the names of `config.weights()`. A folder that holds these four files is an
architecture; nothing else has to be told.
"""

import importlib
import pkgutil
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cache, cached_property
from typing import TYPE_CHECKING, Any

import numpy as np

from neuralamp.dsp.node import Node
from neuralamp.nets.weights import Weights, check_weights

if TYPE_CHECKING:
    import onnx

BUFFER_FRAMES = 4096


@dataclass(frozen=True)
class Architecture:
    """A net's three forms, each loaded when it is first asked for, so that playing never loads torch."""

    name: str

    @cached_property
    def config(self) -> type:
        """The frozen dataclass of its shape."""
        return self._form("config").CONFIG

    @cached_property
    def module(self) -> Callable[..., Any]:
        """config -> torch module, called as module(x, warm_up). Needs torch."""
        return self._form("module").MODULE

    @cached_property
    def draw(self) -> Callable[..., str]:
        """(builder, config, x, prefix) -> name of its output: the net drawn into an ONNX graph, its weights under a prefix."""
        return self._form("graph").draw

    @cached_property
    def stream(self) -> Callable[..., Any]:
        """(config, weights) -> Node that plays, at rest."""
        return self._form("stream").stream

    def _form(self, form: str) -> Any:
        return importlib.import_module(f"{__name__}.{self.name}.{form}")


@cache
def architectures() -> dict[str, Architecture]:
    """Every architecture by name."""
    names = sorted(module.name for module in pkgutil.iter_modules(__path__) if module.ispkg)
    return {name: Architecture(name) for name in names}


def architecture_of(config: Any) -> Architecture:
    """The architecture that a config is a shape of."""
    return next(found for found in architectures().values() if isinstance(config, found.config))


def graph(config: Any, weights: Weights) -> "onnx.ModelProto":
    """The travelling form: an ONNX model, x (1, inputs, frames) and states -> y (1, outputs, frames) and next states."""
    from neuralamp.nets.onnx_graph import INPUT, GraphBuilder  # only those who write a file need onnx

    check_weights(config.weights(), weights)
    architecture = architecture_of(config)
    builder = GraphBuilder(architecture.name, config.inputs, config.outputs, config.weights(), weights)
    return builder.model(architecture.draw(builder, config, INPUT, ""))


def stream_at_rest(config: Any, weights: Weights, knobs: Sequence[float] = ()) -> Node:
    """The playing form, settled on silence with its knobs at these values: what an amp is before the first note."""
    node = architecture_of(config).stream(config, weights)
    silence = np.zeros((config.inputs, min(config.settling_frames, BUFFER_FRAMES)), np.float32)
    silence[1:] = np.reshape(np.asarray(knobs, np.float32), (-1, 1))
    for start in range(0, config.settling_frames, BUFFER_FRAMES):
        node.play(silence[:, : config.settling_frames - start], config.outputs)
    return node
