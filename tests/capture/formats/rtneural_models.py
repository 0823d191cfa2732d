"""Random models as RTNeural's JSON has them: every kind of layer, in keras's orders."""

from typing import Any

import numpy as np

Model = dict[str, Any]
HEARING = ("dense", "conv1d", "lstm", "gru")
KINDS = (*HEARING, "batchnorm", "prelu", "activation")
GATES = {"lstm": 4, "gru": 3}


def numbers(rng: np.random.Generator, *shape: int) -> list:
    """Weights as wide as keras first makes them."""
    return rng.uniform(-0.7, 0.7, shape).astype(np.float32).tolist()


def layer(rng: np.random.Generator, kind: str, width: int, channels: int, **changes: Any) -> Model:
    """A layer that hears `width` channels; a pointwise one gives as many."""
    if kind not in HEARING:
        channels = width
    made: Model = {"type": kind, "activation": "", "shape": [None, None, channels]}
    match kind:
        case "dense":
            made["weights"] = [numbers(rng, width, channels), numbers(rng, channels)]
        case "conv1d":
            groups = changes.get("groups", 1)
            made |= {"kernel_size": [3], "dilation": [2], "groups": groups}
            made["weights"] = [numbers(rng, 3, width // groups, channels), numbers(rng, channels)]
        case "lstm" | "gru":
            rows = GATES[kind] * channels
            bias = numbers(rng, rows) if kind == "lstm" else numbers(rng, 2, rows)
            made["weights"] = [numbers(rng, width, rows), numbers(rng, channels, rows), bias]
        case "batchnorm":
            variance = rng.uniform(0.05, 2.0, channels).astype(np.float32).tolist()
            made |= {"epsilon": 0.1, "weights": [*(numbers(rng, channels) for _ in range(3)), variance]}
        case "prelu":
            made["weights"] = [numbers(rng, 1, channels)]
        case "activation":
            made |= {"activation": "tanh", "weights": []}
    return made | changes


def model(layers: list[Model], inputs: int = 1, **changes: Any) -> Model:
    return {"in_shape": [None, None, inputs], "layers": layers, "samplerate": 48000} | changes


def recurrent(rng: np.random.Generator, kind: str = "lstm", hidden: int = 6, inputs: int = 1, **changes: Any) -> Model:
    """What AIDA-X plays: cells and one dense layer."""
    return model([layer(rng, kind, inputs, hidden), layer(rng, "dense", hidden, 1)], inputs, **changes)


def random_model(rng: np.random.Generator) -> Model:
    """One to six layers of any kind, and a dense one that gives a single channel."""
    inputs = int(rng.integers(1, 4))
    layers, width = [], inputs
    for _ in range(rng.integers(1, 7)):
        kind = str(rng.choice(KINDS))
        channels = int(rng.choice([2, 4, 6]))
        changes: Model = {}
        if kind in ("dense", "conv1d", "activation"):
            changes["activation"] = str(rng.choice(["", "tanh", "relu", "sigmoid", "softmax", "elu"]))
        if kind == "conv1d" and width % 2 == 0:
            changes["groups"] = int(rng.integers(1, 3))
        layers.append(layer(rng, kind, width, channels, **changes))
        width = layers[-1]["shape"][-1]
    gains = {"in_skip": int(rng.integers(2)), "in_gain": float(rng.uniform(-12, 12)), "out_gain": float(rng.uniform(-12, 12))}
    return model([*layers, layer(rng, "dense", width, 1)], inputs, **gains)
