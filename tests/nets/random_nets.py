"""Random shapes of every architecture, and nets of them."""

import numpy as np
import torch

from neuralamp.dsp import activation
from neuralamp.nets import architecture_of
from neuralamp.nets.lstm.config import LstmConfig
from neuralamp.nets.wavenet.config import GATINGS, LayerArray, WaveNetConfig
from tests.sound import noise

torch.set_num_threads(1)  # these nets are small: a second thread would wait more than it works


def random_wavenet(rng: np.random.Generator) -> WaveNetConfig:
    """Odd widths, mixed activations, all gatings, bottlenecks, 1x1s present and absent, heads with a past, knobs."""
    count = int(rng.integers(1, 4))
    skips = [int(rng.integers(1, 6)) for _ in range(count)]
    arrays = []
    for a in range(count):
        layers = int(rng.integers(1, 5))
        residual = bool(rng.integers(2))
        skip_1x1 = bool(rng.integers(2))
        bottleneck = int(rng.integers(1, 6)) if skip_1x1 else skips[a]
        arrays.append(
            LayerArray(
                channels=int(rng.integers(1, 10)),
                kernel_sizes=tuple(int(size) for size in rng.integers(1, 7, layers)),
                dilations=tuple(int(dilation) for dilation in rng.integers(1, 90, layers)),
                activations=tuple(str(name) for name in rng.choice(activation.NAMES, layers)),
                gatings=tuple(str(name) for name in rng.choice(GATINGS, layers)),
                gate_activations=tuple(str(name) for name in rng.choice(("sigmoid", "tanh", "hard_tanh"), layers)),
                negative_slope=float(rng.uniform(0.0, 0.3)),
                bottleneck=bottleneck,
                residual_1x1=residual,
                head_1x1=skips[a] if skip_1x1 else 0,
                head_channels=skips[a + 1] if a + 1 < count else 1,
                head_kernel_size=int(rng.integers(1, 5)),
                head_bias=bool(rng.integers(2)),
            )
        )
    return WaveNetConfig(tuple(arrays), knobs=("gain", "tone")[: int(rng.integers(3))])


def random_lstm(rng: np.random.Generator) -> LstmConfig:
    return LstmConfig(
        hidden=int(rng.integers(1, 41)),
        layers=int(rng.integers(1, 4)),
        cell=str(rng.choice(("lstm", "gru"))),
        input_skip=bool(rng.integers(2)),
        knobs=("gain", "tone")[: int(rng.integers(3))],
    )


RANDOM = {"wavenet": random_wavenet, "lstm": random_lstm}
"""A maker of random shapes for each architecture; one that is missing here fails the parity test."""


def learned_net(config, x: np.ndarray, seed: int):
    """A torch net with torch's own first weights, but the last of them, which scale its output on x to unit RMS.

    Returns (weights, its output (1, frames) on x (inputs, frames) from rest).
    """
    torch.manual_seed(seed)
    net = architecture_of(config).module(config)
    for _ in range(2):  # a bias makes the scaling of a head inexact at once; the second round makes it good
        y = learned(net, x)
        scale_output(net, 1.0 / float(np.sqrt(np.mean(np.square(y)))))
        if hasattr(net, "head_scale"):
            break
    return {name: value.detach().numpy().copy() for name, value in net.state_dict().items()}, learned(net, x)


def learned(net, x: np.ndarray) -> np.ndarray:
    """(inputs, frames) through the torch form, in float64 and from rest: (1, frames).

    float64, because two float32 forms that err independently would be blamed for each other.
    """
    warm_up = net.config.settling_frames
    padded = np.pad(x, ((0, 0), (warm_up, 0)))
    padded[1:, :warm_up] = x[1:, :1]  # the knobs stand where they will stand
    with torch.no_grad():
        y = net.double()(torch.from_numpy(padded.astype(np.float64))[None], warm_up)[0].numpy()
    net.float()
    return y


def scale_output(net, gain: float) -> None:
    with torch.no_grad():
        for parameter in [net.head_scale] if hasattr(net, "head_scale") else [net.head.weight, net.head.bias]:
            parameter.mul_(gain)


def excitation(config, frames: int, seed: int) -> np.ndarray:
    """(inputs, frames): noise at a guitar's level that swells and fades, and knobs held still."""
    x = noise(config.inputs, frames, seed, peak=0.5)
    x[0] *= np.linspace(0.05, 1.0, frames, dtype=np.float32) ** 2
    x[1:] = np.random.default_rng(seed).uniform(0.0, 1.0, (config.inputs - 1, 1)).astype(np.float32)
    return x
