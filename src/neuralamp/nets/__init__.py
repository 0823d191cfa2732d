"""Architectures, a folder each: config.py the shape, module.py learns, graph.py travels, stream.py plays.

The forms do not know each other: all speak the names of `config.weights()`. A folder that holds these four files is an
architecture; nothing else has to be told.
"""

import importlib
import pkgutil
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cache, cached_property
from typing import Any

import numpy as np

from neuralamp.dsp.node import Node
from neuralamp.nets.weights import Weights

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
    def graph(self) -> Callable[..., Any]:
        """(config, weights) -> ONNX graph with explicit state."""
        return self._form("graph").graph

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


def stream_at_rest(config: Any, weights: Weights, knobs: Sequence[float] = ()) -> Node:
    """The playing form, settled on silence with its knobs at these values: what an amp is before the first note."""
    node = architecture_of(config).stream(config, weights)
    silence = np.zeros((config.inputs, min(config.settling_frames, BUFFER_FRAMES)), np.float32)
    silence[1:] = np.reshape(np.asarray(knobs, np.float32), (-1, 1))
    for start in range(0, config.settling_frames, BUFFER_FRAMES):
        node.play(silence[:, : config.settling_frames - start], outputs=1)
    return node
