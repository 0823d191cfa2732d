"""RTNeural's JSON and AIDA-X's gains read by hand: plain numpy in float64, layer by layer, as slow as it is plain.

Nothing here is shared with the package. From rest, which is zero everywhere.
"""

from typing import Any

import numpy as np

ACTIVATIONS = {
    "": lambda x: x,
    "tanh": np.tanh,
    "sigmoid": lambda x: 1.0 / (1.0 + np.exp(-x)),
    "relu": lambda x: np.maximum(x, 0.0),
    "elu": lambda x: np.where(x > 0.0, x, np.expm1(np.minimum(x, 0.0))),
    "softmax": lambda x: np.exp(x) / np.sum(np.exp(x), axis=1, keepdims=True),
}
sigmoid = ACTIVATIONS["sigmoid"]


def play_by_hand(model: dict[str, Any], x: np.ndarray) -> np.ndarray:
    """(inputs, frames), the sound and the knobs, to (outputs, frames)."""
    gains = {key: 10.0 ** (model.get(key, 0.0) / 20.0) for key in ("in_gain", "out_gain")}
    heard = x.T.astype(np.float64)  # (frames, inputs)
    heard[:, 0] *= gains["in_gain"]
    y = heard
    for layer in model["layers"]:
        weights = [np.array(each, np.float64) for each in layer["weights"]]
        y = LAYERS[layer["type"]](y, weights, layer)
        if layer["type"] not in ("lstm", "gru"):
            y = ACTIVATIONS[layer.get("activation", "")](y)
    return (gains["out_gain"] * (y + model.get("in_skip", 0) * heard[:, :1])).T


def dense(x, weights, layer):
    return x @ weights[0] + (weights[1] if len(weights) > 1 else 0.0)


def conv1d(x, weights, layer):
    kernel, groups = weights[0], layer.get("groups", 1)
    taps, heard, channels = kernel.shape
    dilation = layer.get("dilation", [1])[-1]
    y = np.zeros((len(x), channels))
    for n in range(len(x)):
        for tap in range(taps):
            past = n - (taps - 1 - tap) * dilation
            if past < 0:
                continue
            for g in range(groups):
                mine = slice(g * channels // groups, (g + 1) * channels // groups)
                y[n, mine] += x[past, g * heard : (g + 1) * heard] @ kernel[tap][:, mine]
    return y + (weights[1] if len(weights) > 1 else 0.0)


def lstm(x, weights, layer):
    kernel, recurrent, bias = weights
    h, c, y = np.zeros(len(recurrent)), np.zeros(len(recurrent)), []
    for frame in x:
        i, f, candidate, o = np.split(frame @ kernel + h @ recurrent + bias, 4)
        c = sigmoid(f) * c + sigmoid(i) * np.tanh(candidate)
        h = sigmoid(o) * np.tanh(c)
        y.append(h)
    return np.array(y)


def gru(x, weights, layer):
    kernel, recurrent, bias = weights
    h, y = np.zeros(len(recurrent)), []
    for frame in x:
        xz, xr, xh = np.split(frame @ kernel + bias[0], 3)
        hz, hr, hh = np.split(h @ recurrent + bias[1], 3)
        z, r = sigmoid(xz + hz), sigmoid(xr + hr)
        h = z * h + (1.0 - z) * np.tanh(xh + r * hh)
        y.append(h)
    return np.array(y)


def batchnorm(x, weights, layer):
    gamma, beta, mean, variance = weights if len(weights) == 4 else (1.0, 0.0, *weights)
    return gamma * (x - mean) / np.sqrt(variance + layer["epsilon"]) + beta


def prelu(x, weights, layer):
    return np.where(x > 0.0, x, weights[0][0] * x)


def activation(x, weights, layer):
    return x


LAYERS = {
    "dense": dense,
    "time-distributed-dense": dense,
    "conv1d": conv1d,
    "lstm": lstm,
    "gru": gru,
    "batchnorm": batchnorm,
    "prelu": prelu,
    "activation": activation,
}
