"""Random shapes of every architecture, and nets of them."""

from dataclasses import replace

import numpy as np
import torch

from neuralamp.dsp import activation
from neuralamp.nets import architecture_of
from neuralamp.nets.linear.config import LinearConfig
from neuralamp.nets.lstm.config import LstmConfig
from neuralamp.nets.sequential.config import SequentialConfig, SequentialLayer
from neuralamp.nets.slimmable.config import Part, SlimmableConfig
from neuralamp.nets.wavenet.config import WaveNetConfig
from neuralamp.nets.wavenet.layers import GATINGS, PLACES, Film, LayerArray, PostLayer
from tests.sound import noise

torch.set_num_threads(1)  # these nets are small: a second thread would wait more than it works


def divisor(rng: np.random.Generator, *numbers: int) -> int:
    """One of the numbers that divide all of these."""
    return int(rng.choice([k for k in range(1, min(numbers) + 1) if all(number % k == 0 for number in numbers)]))


def random_films(rng: np.random.Generator, condition: int) -> tuple[Film, ...]:
    chosen = [place for place in PLACES if rng.integers(3) == 0]
    return tuple(Film(place, shift=bool(rng.integers(2)), groups=divisor(rng, condition)) for place in chosen)


def random_wavenet(rng: np.random.Generator, outputs: int = 1, nests: bool = True) -> WaveNetConfig:
    """Odd widths, mixed activations, gatings, groups, bottlenecks, modulations, heads with a past, nets inside, knobs."""
    count = int(rng.integers(1, 4))
    knobs = ("gain", "tone")[: int(rng.integers(3))] if nests else ()
    condition = None
    if nests and not knobs and rng.integers(2):
        width = int(rng.integers(1, 5))
        condition = random_wavenet(rng, width, nests=False) if rng.integers(3) else LstmConfig(3, layers=2)
    rows = 1 + len(knobs) if condition is None else condition.outputs
    post_head = random_post_head(rng, outputs) if rng.integers(3) == 0 else ()
    skips = [int(rng.integers(1, 6)) for _ in range(count)]
    arrays = []
    for a in range(count):
        layers = int(rng.integers(1, 5))
        skip_1x1 = bool(rng.integers(2))
        bottleneck = int(rng.integers(1, 7)) if skip_1x1 else skips[a]
        channels = int(rng.integers(1, 10))
        last = int(rng.integers(1, 5)) if post_head else outputs
        arrays.append(
            LayerArray(
                channels=channels,
                kernel_sizes=tuple(int(size) for size in rng.integers(1, 7, layers)),
                dilations=tuple(int(dilation) for dilation in rng.integers(1, 90, layers)),
                activations=tuple(random_activation(rng) for _ in range(layers)),
                gatings=tuple(str(name) for name in rng.choice(GATINGS, layers)),
                gate_activations=tuple(str(name) for name in rng.choice(("sigmoid", "tanh", "hard_tanh", "prelu"), layers)),
                bottleneck=bottleneck,
                residual_1x1=bool(rng.integers(2)),
                head_1x1=skips[a] if skip_1x1 else 0,
                head_channels=skips[a + 1] if a + 1 < count else last,
                head_kernel_size=int(rng.integers(1, 5)),
                head_dilation=int(rng.integers(1, 4)),
                head_bias=bool(rng.integers(2)),
                films=random_films(rng, rows) if rng.integers(2) else (),
                conv_groups=divisor(rng, channels, bottleneck),
                mixin_groups=divisor(rng, rows, bottleneck),
                residual_groups=divisor(rng, channels, bottleneck),
                head_1x1_groups=divisor(rng, bottleneck, skips[a]) if skip_1x1 else 1,
            )
        )
    arrays = [replace(array, films=tuple(film for film in array.films if fits(film, array, rows))) for array in arrays]
    return WaveNetConfig(tuple(arrays), knobs, condition, post_head)


def fits(film: Film, array: LayerArray, rows: int) -> bool:
    """Whether the modulation can be parted into its groups in every layer."""
    width = (1 + film.shift) * np.array([array.film_width(film.place, i, rows) for i in range(array.layers)])
    return bool(np.all(width % film.groups == 0))


def random_activation(rng: np.random.Generator) -> str:
    name = str(rng.choice(activation.NAMES))
    numbers = rng.uniform(0.0, 0.3, len(activation.USUAL[name]))
    if name == "leaky_hard_tanh":
        numbers += (-1.0, 0.5, 0.0, 0.0)
    return activation.write(name, *numbers)


def random_post_head(rng: np.random.Generator, outputs: int) -> tuple[PostLayer, ...]:
    widths = [*rng.integers(1, 5, rng.integers(0, 3)), outputs]
    return tuple(PostLayer(int(width), int(rng.integers(1, 5)), random_activation(rng)) for width in widths)


def random_lstm(rng: np.random.Generator) -> LstmConfig:
    return LstmConfig(
        hidden=int(rng.integers(1, 41)),
        layers=int(rng.integers(1, 4)),
        cell=str(rng.choice(("lstm", "gru"))),
        skip=float(rng.choice((0.0, 1.0, -0.3))),
        knobs=("gain", "tone")[: int(rng.integers(3))],
        initial_state=bool(rng.integers(2)),
    )


def random_slimmable(rng: np.random.Generator) -> SlimmableConfig:
    sizes = [*np.sort(rng.uniform(0.1, 0.9, rng.integers(0, 3))), 1.0]
    nets = [random_wavenet(rng, nests=False) if rng.integers(4) else LstmConfig(int(rng.integers(1, 9))) for _ in sizes]
    return SlimmableConfig(tuple(Part(float(size), net) for size, net in zip(sizes, nets, strict=True)))


def random_linear(rng: np.random.Generator) -> LinearConfig:
    """Short ones, which play directly, and long ones, which play in partitions."""
    return LinearConfig(round(2.0 ** rng.uniform(0.0, 13.0)), bias=bool(rng.integers(2)))


def random_sequential(rng: np.random.Generator) -> SequentialConfig:
    """All kinds of layers, few of them recurrent; the last one is a plain convolution, which scales the output."""
    knobs = ("gain", "tone")[: int(rng.integers(3))]
    width, layers = 1 + len(knobs), []
    for _ in range(rng.integers(1, 6)):
        kind = str(rng.choice(("conv", "conv", "pointwise", "lstm", "gru")))
        channels = width if kind == "pointwise" else int(rng.integers(1, 9))
        nonlinearity = random_activation(rng) if rng.integers(5) else "softmax"
        shape = {}
        if kind == "conv":
            shape = {"kernel_size": int(rng.integers(1, 6)), "dilation": int(rng.integers(1, 90)), "bias": bool(rng.integers(2))}
            shape |= {"groups": divisor(rng, width, channels)}
        layers.append(SequentialLayer(kind, channels, activation=nonlinearity, **shape))
        width = channels
    layers.append(SequentialLayer("conv", 1, kernel_size=int(rng.integers(1, 3))))
    return SequentialConfig(tuple(layers), knobs, skip=float(rng.choice((0.0, 1.0, -0.3))))


RANDOM = {
    "linear": random_linear,
    "wavenet": random_wavenet,
    "lstm": random_lstm,
    "sequential": random_sequential,
    "slimmable": random_slimmable,
}
"""A maker of random shapes for each architecture; one that is missing here fails the parity test."""


def learned_net(config, x: np.ndarray, seed: int):
    """A torch net with torch's own first weights, but the last of them, which scale its output on x to unit RMS.

    Returns (weights, its output (1, frames) on x (inputs, frames) from rest).
    """
    torch.manual_seed(seed)
    net = architecture_of(config).module(config)
    for name, parameter in net.named_parameters():
        if "initial." in name:  # where nothing has been learned yet, a state begins at zero as if it had no beginning
            torch.nn.init.uniform_(parameter, -0.9, 0.9)
    for _ in range(2):  # a bias makes the scaling of a head inexact at once; the second round makes it good
        y = learned(net, x)
        scale_output(net, 1.0 / float(np.sqrt(np.mean(np.square(y)))))
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
        for scaled in last_numbers(net):
            scaled.mul_(gain)


def last_numbers(net) -> list[torch.Tensor]:
    """The weights that the output is proportional to."""
    if hasattr(net, "impulse"):
        return [net.impulse] if net.bias is None else [net.impulse, net.bias]
    if isinstance(net.config, SequentialConfig):
        return [net.layers[-1].weight, net.layers[-1].bias]
    if hasattr(net, "parts"):
        return [number for part in net.parts for number in last_numbers(part)]
    if getattr(net, "post_head", ()):
        return [net.post_head[-1].conv.weight, net.post_head[-1].conv.bias]
    return [net.head_scale] if hasattr(net, "head_scale") else [net.head.weight, net.head.bias]


def excitation(config, frames: int, seed: int) -> np.ndarray:
    """(inputs, frames): noise at a guitar's level that swells and fades, and knobs held still."""
    x = noise(config.inputs, frames, seed, peak=0.5)
    x[0] *= np.linspace(0.05, 1.0, frames, dtype=np.float32) ** 2
    x[1:] = np.random.default_rng(seed).uniform(0.0, 1.0, (config.inputs - 1, 1)).astype(np.float32)
    return x
