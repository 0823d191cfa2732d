"""Random .nam files of every architecture, valid and small, in all the words that the format has for the same thing."""

import math
from typing import Any

import numpy as np

from tests.capture.dice import Dice
from tests.capture.nam_activations import random_activation
from tests.capture.nam_wavenets import Json, random_post_head, random_wavenet
from tests.peers.nam_by_hand import play

ARCHITECTURES = ("WaveNet", "LSTM", "ConvNet", "Linear", "SlimmableContainer")
NESTED = ("WaveNet", "LSTM", "ConvNet", "Linear")
VERSIONS = ("0.5.0", "0.5.1", "0.5.4", "0.6.0", "0.7.0", "0.7.2", "0.5", "0.5.2-beta", "v0.5.4", "1.0.0", "")
"""Right ones, newer ones, and ones as they are met in the wild."""
SAMPLE_RATES = (None, 48000, 48000.0, 44100, 96000)
"""None is a file that says none."""
METADATA: tuple[Json, ...] = (
    {},
    {"metadata": None},
    {"metadata": {}},
    {"metadata": {"loudness": None, "gain": None, "input_level_dbu": None, "name": None, "training": None}},
    {"metadata": {"loudness": -18.5, "input_level_dbu": 12.2, "output_level_dbu": 9.1, "name": "Ampère", "gear_type": "amp"}},
)


def random_nam(architecture: str, seed: int, **wishes: Any) -> Json:
    """The parsed JSON of a valid .nam file that sounds: 0.01 to 10 RMS, and more of it sound than offset, at every size.

    wishes  choices by the name that they have in the generator, such as outputs=1, slimmable=True, condition_dsp=False,
            sample_rate=48000, channels=3. Nested nets follow chance, but run at the same rate. A choice that never came up
            raises KeyError.
    """
    for attempt in range(100):
        dice = Dice(np.random.default_rng([ARCHITECTURES.index(architecture), seed, attempt]), wishes)
        try:
            model = generate(architecture, dice, nested=False)
        except PoorSoundError:
            continue
        if dice.unheard:
            raise KeyError(f"this {architecture} was never asked about {', '.join(sorted(dice.unheard))}")
        return model
    raise ValueError(f"no {architecture} of seed {seed} sounds with {wishes}")


class PoorSoundError(Exception):
    """These weights make silence, little but an offset, or a roar."""


def generate(architecture: str, dice: Dice, nested: bool) -> Json:
    rate = dice.pick("sample_rate", SAMPLE_RATES)
    model: Json = {"version": dice.pick("version", VERSIONS), "architecture": architecture}
    model |= dice.pick("metadata", METADATA)
    model |= {} if rate is None else {"sample_rate": rate}
    model |= {"notes": ["not a word of the format"]} if dice.yes("notes", 0.1) else {}
    match architecture:
        case "SlimmableContainer":
            fill_container(dice, model)
        case "WaveNet":
            fill_wavenet(dice, model, nested)
        case "LSTM":
            fill_lstm(dice, model)
        case "ConvNet":
            fill_convnet(dice, model)
        case "Linear":
            fill_linear(dice, model)
    return model


def nest(dice: Dice, outputs: int, rate: float | None) -> Json:
    """A net for the inside of another."""
    architecture = dice.pick("nested", ("WaveNet", *NESTED))
    return generate(architecture, Dice(dice.rng, {"sample_rate": rate, "outputs": outputs}), nested=True)


def fill_wavenet(dice: Dice, model: Json, nested: bool) -> None:
    """At times with a net that listens first and tells all layers what to do, at times with a stack that comes after."""
    slimmable = dice.yes("slimmable", 0.25)
    post_head = dice.yes("post_head", 0.25) and not slimmable
    outputs, skipped = dice.number("outputs", 1, 3), dice.number("post_head_into", 1, 4)
    before: Json = dice.pick("null_condition", ({}, {"condition_dsp": None}))
    condition = 1
    if dice.yes("condition_dsp", 0.2 if nested else 0.5):
        condition = dice.pick("condition_outputs", (1, 2, 4, 6))
        before = {"condition_dsp": nest(dice, condition, model.get("sample_rate"))}
    config, weights = random_wavenet(dice, condition, slimmable, skipped if post_head else outputs)
    config |= before | ({"head": None} if dice.yes("null_post_head") else {})
    model |= {"config": config, "weights": weights}
    make_sound(dice, model, slice(-1, None), rms=1.0 if post_head else None)
    if post_head:
        config["head"], more, last = random_post_head(dice, skipped, outputs)
        model["weights"][-1:-1] = more
        make_sound(dice, model, slice(-1 - last, -1))


def fill_container(dice: Dice, model: Json) -> None:
    """One to four nets of one output each, the last for every size that no other takes."""
    bounds = {dice.decimal(0.05, 0.95) for _ in range(dice.number("submodels", 1, 4) - 1)}
    rows = []
    for bound in [*sorted(bounds), dice.pick("last_bound", (1, 1.0, 1.5))]:
        rate = None if dice.yes("submodel_without_rate", 0.2) else model.get("sample_rate")
        rows.append({"max_value": bound, "model": nest(dice, 1, rate)})
    model |= {"config": {"submodels": rows}, "weights": []}


def fill_lstm(dice: Dice, model: Json) -> None:
    """One to three layers that begin somewhere else than at zero."""
    layers, hidden, outputs = dice.number("layers", 1, 3), dice.number("hidden", 1, 6), dice.number("outputs", 1, 3)
    weights: list[float] = []
    for layer in range(layers):
        into = hidden if layer else 1
        matrix = np.reshape(dice.weights(4 * hidden * (into + hidden), 1.0), (4 * hidden, into + hidden))
        matrix[:, :into] *= 1.5 / math.sqrt(into) if layer else 3.0
        matrix[:, into:] *= 0.7 / math.sqrt(hidden)  # small enough that what it heard fades
        weights += matrix.ravel().tolist()
        weights += dice.weights(4 * hidden, 0.5) + dice.weights(hidden, 0.3) + dice.weights(hidden, 0.3)
    head = dice.weights(outputs * hidden, 1.0) + dice.weights(outputs, 0.1)
    config = {"num_layers": layers, "input_size": 1, "hidden_size": hidden} | said_channels(dice, outputs)
    model |= {"config": config, "weights": weights + head}
    make_sound(dice, model, slice(-len(head), None))


def fill_convnet(dice: Dice, model: Json) -> None:
    """One to four blocks, with and without batch norm."""
    channels, outputs, layers = dice.number("channels", 1, 6), dice.number("outputs", 1, 3), dice.number("layers", 1, 4)
    normalised = dice.yes("batchnorm")
    config: Json = {"channels": channels, "dilations": [dice.number("dilation", 1, 40) for _ in range(layers)]}
    config |= {"batchnorm": normalised, "activation": random_activation(dice, channels, False, False)}
    config |= dice.pick("say_groups", ({}, {"groups": 1})) | said_channels(dice, outputs)
    weights: list[float] = []
    for layer in range(layers):
        into = channels if layer else 1
        weights += dice.weights(channels * into * 2, 2.5 / math.sqrt(2 * into) if layer else 3.0)
        if normalised:
            mean, bias = dice.weights(channels, 0.3), dice.weights(channels, 0.3)
            variance, scale = np.abs(dice.weights(channels, 0.3, mean=1.0)).tolist(), dice.weights(channels, 0.4, mean=1.0)
            weights += [*mean, *variance, *scale, *bias, dice.pick("eps", (1e-5, 1e-3, 0.1))]
        else:
            weights += dice.weights(channels, 0.4)
    head = dice.weights(outputs * channels, 1.0) + dice.weights(outputs, 0.1)
    model |= {"config": config, "weights": weights + head}
    make_sound(dice, model, slice(-len(head), None))


def fill_linear(dice: Dice, model: Json) -> None:
    """A noise that fades; longer than 256 frames the reference player changes to an FFT."""
    taps, outputs = dice.pick("receptive_field", (1, 2, 31, 200, 256, 257, 600)), dice.number("outputs", 1, 2)
    response = np.asarray(dice.weights(taps, 1.0)) * np.exp(-4.0 * np.arange(taps) / taps)
    bias = dice.yes("bias")
    config = {"receptive_field": taps, "bias": bias} | said_channels(dice, outputs)
    config |= dice.pick("implementation", ({}, *({"implementation": word} for word in ("auto", "direct", "fft"))))
    model |= {"config": config, "weights": response.tolist() + (dice.weights(1, 0.1) if bias else [])}
    make_sound(dice, model, slice(None))


def said_channels(dice: Dice, outputs: int) -> Json:
    """Channels in and out of the file; one is what is meant where nothing is said."""
    said = dice.pick("say_in_channels", ({}, {"in_channels": 1}))
    return said | ({"out_channels": outputs} if outputs > 1 or dice.yes("say_out_channels") else {})


# A look at the sound. It need not have settled for that; and by hand an LSTM is slow.
SILENCE_FRAMES = 500
HEARD_FRAMES = 1000


def make_sound(dice: Dice, model: Json, linear: slice, rms: float | None = None) -> None:
    """Scale the weights that the output is linear in to this RMS of the first channel, then listen at every size.

    The level before that must be ordinary: float32 rounds what roars inside too coarsely to hold a player to it.
    """
    found, _ = levels(model, None)
    if not 0.02 < found < 20.0:
        raise PoorSoundError
    wanted = dice.pick("rms", (0.1, 0.3, 0.5)) if rms is None else rms
    weights = np.asarray(model["weights"])
    weights[linear] *= wanted / found
    model["weights"] = weights.astype(np.float32).tolist()
    for size in sizes_of(model):
        sound, offset = levels(model, size)
        if not 0.015 < sound < 7.0 or offset > 10.0 * sound:
            raise PoorSoundError


def levels(model: Json, size: float | None) -> tuple[float, float]:
    """(RMS of what moves, size of the offset) of the first output, for a noise that swells."""
    x = np.random.default_rng(1).uniform(-0.5, 0.5, SILENCE_FRAMES + HEARD_FRAMES)
    x[:SILENCE_FRAMES] = 0.0
    y = play(model, (x * np.linspace(0.0, 1.0, len(x)))[None], size)[0, SILENCE_FRAMES:]
    return float(np.std(y)), abs(float(np.mean(y)))


def sizes_of(model: Json) -> list[float | None]:
    """The largest, and one size for each of the others that a slimmable net or container has."""
    config = model["config"]
    if model["architecture"] == "SlimmableContainer":
        return [None, *(row["max_value"] - 0.005 for row in config["submodels"])]
    steps = max((len(allowed_channels(array)) for array in config.get("layers", []) if array.get("slimmable")), default=0)
    return [None, *((step + 0.5) / steps for step in range(steps))]


def allowed_channels(array: Json) -> list[int]:
    return array["slimmable"].get("kwargs", {}).get("allowed_channels", list(range(1, array["channels"] + 1)))
