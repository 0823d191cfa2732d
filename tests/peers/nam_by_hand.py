"""A .nam file played by hand: slowly, plainly, in float64, and knowing nothing of ours. It judges the fast path.

Written from the format alone, so that a misreading of ours cannot be on both sides of a comparison. It plays valid files; what is
wrong with a file is for the fast path to say, and only a wrong number of weights is refused here.
"""

import math

import numpy as np

from tests.peers.maps_by_hand import Json, Map, Weights, Width, activate, sigmoid
from tests.peers.wavenet_by_hand import play_wavenet, receptive_field

BUFFER_FRAMES = 64
"""The reference player warms up in whole buffers; these are the ones that the golden renders were played in."""


def play_by_hand(model: Json, x: np.ndarray, size: float | None = None) -> np.ndarray:
    """Mono sound (frames,) through the parsed JSON of a .nam file, after silence: (outputs, frames) float64.

    size  of a slimmable net or container, from 0 to 1; None is the largest. Whatever is nested plays at its largest.
    Raises ValueError where the number of weights is not what the shape asks for.
    """
    silence = math.ceil(warm_up_frames(model, size) / BUFFER_FRAMES) * BUFFER_FRAMES
    y = play(model, np.concatenate([np.zeros(silence), x])[None], size)
    return y[:, silence:]


def warm_up_frames(model: Json, size: float | None) -> int:
    """How much silence the reference player plays first: the receptive field; for an LSTM half a second.

    Where no rate is known, half a second of an LSTM is a single frame there, so one buffer.
    """
    model, size = inside(model, size)
    config = model["config"]
    match model["architecture"]:
        case "LSTM":
            return max(1, int(0.5 * model.get("sample_rate", 0.0)))
        case "ConvNet":
            return 1 + sum(config["dilations"])
        case "WaveNet":
            condition = config.get("condition_dsp")
            return receptive_field(config) + (warm_up_frames(condition, None) if condition else 1)
    return 0  # Linear: its past is silent as it is


def inside(model: Json, size: float | None) -> tuple[Json, float | None]:
    """The net that plays: of a container the first submodel with size < max_value, or the last, at its own largest."""
    while model["architecture"] == "SlimmableContainer":
        submodels = model["config"]["submodels"]
        fitting = [submodel for submodel in submodels if size is not None and size < submodel["max_value"]]
        model, size = (fitting or submodels[-1:])[0]["model"], None
    return model, size


def play(model: Json, x: np.ndarray, size: float | None) -> np.ndarray:
    """(1, frames) -> (outputs, frames); what came before the first frame is zero everywhere."""
    model, size = inside(model, size)
    config, weights = model["config"], Weights(model["weights"])
    match model["architecture"]:
        case "WaveNet":
            condition = play(config["condition_dsp"], x, None) if config.get("condition_dsp") else x
            y = play_wavenet(config, weights, x, condition, size)
        case "LSTM":
            y = play_lstm(config, weights, x)
        case "ConvNet":
            y = play_convnet(config, weights, x)
        case "Linear":
            y = play_linear(config, weights, x)
    weights.end()
    return y


def play_lstm(config: Json, weights: Weights, x: np.ndarray) -> np.ndarray:
    """c = f c + i g, h = o tanh(c); the gates i, f, g, o from one matrix on (x, h). It begins with the h and c of the file."""
    hidden = config["hidden_size"]
    for _ in range(config["num_layers"]):
        weight, bias = weights.take(4 * hidden, len(x) + hidden), weights.take(4 * hidden)
        h, c = weights.take(hidden), weights.take(hidden)
        from_input = (weight[:, : len(x)] @ x + bias[:, None]).T.copy()
        recurrent = np.ascontiguousarray(weight[:, len(x) :])
        x = np.empty((hidden, len(from_input)))
        for n, heard in enumerate(from_input):
            z = heard + recurrent @ h
            gates = sigmoid(z)
            c = gates[hidden : 2 * hidden] * c + gates[:hidden] * np.tanh(z[2 * hidden : 3 * hidden])
            h = gates[3 * hidden :] * np.tanh(c)
            x[:, n] = h
    outputs = config.get("out_channels", 1)
    return weights.take(outputs, hidden) @ x + weights.take(outputs)[:, None]


def play_convnet(config: Json, weights: Weights, x: np.ndarray) -> np.ndarray:
    """Blocks of two taps, with a bias or with the running figures of a batch norm; no residuals."""
    channels, normalised = config["channels"], config["batchnorm"]
    for dilation in config["dilations"]:
        into, out = Width(len(x), len(x)), Width(channels, channels)
        groups = config.get("groups", 1)
        x = Map(weights, into, out, bias=not normalised, taps=2, dilation=dilation, groups=groups)(x)
        if normalised:
            mean, variance, weight, bias = weights.take(4, channels)
            scale = weight / np.sqrt(weights.take(1) + variance)
            x = x * scale[:, None] + (bias - scale * mean)[:, None]
        x = activate(config["activation"], x)
    outputs = config.get("out_channels", 1)
    return weights.take(outputs, channels) @ x + weights.take(outputs)[:, None]


def play_linear(config: Json, weights: Weights, x: np.ndarray) -> np.ndarray:
    """One impulse response; the player sends it to the first output only and leaves the others silent."""
    response = weights.take(config["receptive_field"])
    y = np.zeros((config.get("out_channels", 1), x.shape[1]))
    frames = x.shape[1] + len(response)  # room for the tail, so that it does not come round to the front
    y[0] = np.fft.irfft(np.fft.rfft(x[0], frames) * np.fft.rfft(response, frames), frames)[: x.shape[1]]
    y[0] += weights.take(1) if config["bias"] else 0.0
    return y
