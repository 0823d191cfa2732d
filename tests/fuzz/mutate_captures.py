"""A capture in JSON gone wrong where only its format knows how: widths, groups, dilations, sizes, rates, levels, gates."""

import json
from collections.abc import Callable, Sequence
from copy import deepcopy
from random import Random
from typing import Any

from tests.fuzz.mutate_bytes import spoil_bytes
from tests.fuzz.mutate_json import Raw, containers, spoil_json, write_json

SIZES = (
    0,
    -1,
    1,
    2,
    3,
    5,
    16,
    63,
    64,
    65,
    255,
    256,
    257,
    1000,
    10**4,
    10**5,
    2**18,
    2**18 + 1,
    10**6,
    2**24,
    2**24 + 1,
    2**31,
    2**40,
)
"""Of channels, taps, dilations, groups: about each limit that some net has."""
RATES = (0, -1, 1, 999, 1000, 1500, 8000, 22050, 44100, 44101, 47999, 48000.5, 96000, 192000, 192001, 499979, 768000, 999983,
         10**6, 10**6 + 1, 1e308, "44100", "48 kHz", "1e5", None, True, [48000], Raw("1e999"))  # fmt: skip
LEVELS = (0, -18.5, 200, 201, -1e4, 1e4, 1e30, 1e308, -1e308, "12.2", "loud", None, True, [], {}, Raw("1e999"))
ACTIVATIONS = (
    "Tanh", "PReLU", "Softmax", "softmax", "elu", "tanh", "", "x" * 900, "Tanh\n", 3, None, [], ["Tanh"], {}, {"type": None},
    {"type": "Tanh", "negative_slope": 1e308}, {"type": "PReLU", "negative_slope": 1e308},
    {"type": "PReLU", "negative_slopes": []}, {"type": "PReLU", "negative_slopes": [0.1] * 7},
    {"type": "PReLU", "negative_slopes": [[0.1]]},
    {"type": "LeakyReLU", "negative_slope": -1e38}, {"type": {"type": "Tanh"}},
    {"type": "LeakyHardtanh", "min_val": 1.0, "max_val": -1.0, "min_slope": 1e300, "max_slope": "0.1"},
)  # fmt: skip
GATINGS = ("none", "gated", "blended", "Gated", "", None, 1, [], ["none"], ["gated", 3], [["none"]])
FILM = {"active": True, "shift": True, "groups": 1}
FILMS = ("conv_pre_film", "conv_post_film", "input_mixin_pre_film", "input_mixin_post_film", "activation_pre_film",
         "activation_post_film", "layer1x1_post_film", "head1x1_post_film")  # fmt: skip
LEVEL_KEYS = ("loudness", "gain", "input_level_dbu", "output_level_dbu", "in_gain", "out_gain", "epsilon", "validation_esr")
DEPTHS = (2, 4, 5, 9, 10, 40, 300)

Spoiler = Callable[[dict, Random], None]


def _tables(model: dict) -> list[dict]:
    return [found for found in containers([model]) if isinstance(found, dict)]


def _choose(model: dict, rng: Random, *keys: str) -> tuple[dict, str] | None:
    """One of the places at which one of these keys stands."""
    places = [(table, key) for table in _tables(model) for key in keys if key in table]
    return rng.choice(places) if places else None


def _sizes(model: dict, rng: Random) -> None:
    """A count of anything, or one in a list of counts."""
    places = [
        (found, key)
        for found in containers([model])
        for key, value in (found.items() if isinstance(found, dict) else list(enumerate(found))[:64])
        if type(value) is int
    ]
    if places:
        container, key = rng.choice(places)
        container[key] = rng.choice((*SIZES, container[key] * 2, container[key] + 1))


def _rate(model: dict, rng: Random) -> None:
    table = rng.choice([table for table in _tables(model) if "architecture" in table] or [model])
    table[rng.choice(("sample_rate", "samplerate"))] = deepcopy(rng.choice(RATES))


def _level(model: dict, rng: Random) -> None:
    holder = model.get("metadata")
    holder = holder if isinstance(holder, dict) and rng.random() < 0.7 else rng.choice(_tables(model))
    holder[rng.choice(LEVEL_KEYS)] = deepcopy(rng.choice(LEVELS))


def _facts(model: dict, rng: Random) -> None:
    """Metadata of any kind."""
    odd = (3, "text", [], {"name": ["a"]}, {"date": {"year": 1e308, "month": [], "day": 1}}, {"date": "yesterday"},
           {"training": 5}, {"name": "a\nb\x1b[31m", "modeled_by": "\ud800"}, {"knobs": ["a", "a"]},
           {"latency_frames": 10**30})  # fmt: skip
    model["metadata"] = deepcopy(rng.choice(odd))


def _activation(model: dict, rng: Random) -> None:
    if place := _choose(model, rng, "activation", "secondary_activation"):
        table, key = place
        before = table[key]
        odd = deepcopy(rng.choice(ACTIVATIONS))
        table[key] = [odd, *before[1:]] if isinstance(before, list) and rng.random() < 0.7 else odd


def _layers_of(model: dict) -> list[dict]:
    return [table for table in _tables(model) if "dilations" in table]


def _options(model: dict, rng: Random) -> None:
    """Options of a layer array: gates, groups, modulations, 1x1s, heads, sizes."""
    layers = _layers_of(model)
    if not layers:
        return
    layer = rng.choice(layers)
    match rng.randrange(7):
        case 0:
            layer["gating_mode"] = deepcopy(rng.choice(GATINGS))
        case 1:
            layer[rng.choice(("groups_input", "groups_input_mixin", "groups"))] = rng.choice(SIZES)
        case 2:
            layer[rng.choice(FILMS)] = rng.choice((True, False, None, 3, {}, dict(FILM), FILM | {"groups": rng.choice(SIZES)}))
        case 3:
            layer[rng.choice(("layer1x1", "head1x1"))] = {
                "active": rng.choice((True, False, 1, 0, 2, None, "true")),
                "groups": rng.choice(SIZES),
                "out_channels": rng.choice(SIZES),
            }
        case 4:
            layer["head"] = {
                "out_channels": 1,
                "kernel_size": rng.choice(SIZES),
                "head_dilation": rng.choice(SIZES),
                "bias": True,
            }
        case 5:
            allowed = rng.choice(([], [1], [3, 2, 1], [1, 1], [0], [-1], list(range(1, 70)), [10**30], ["1"], "1", 3, None, {}))
            layer["slimmable"] = {
                "method": rng.choice(("slice_channels_uniform", "", None, "other")),
                "kwargs": {"allowed_channels": allowed},
            }
        case 6:
            layer["bottleneck"] = rng.choice(SIZES)


def _copies(model: dict, rng: Random) -> None:
    """The entries of a list many times over: layers, nets, dilations."""
    lists = [found for found in containers([model]) if isinstance(found, list) and found][1:]  # not what holds the whole
    found = rng.choice(lists) if lists else []
    if len(write_json(found)) < 20_000:
        found[:] = found * rng.choice((2, 3, 64, 65, 257, 1001))


def _inside(model: dict, rng: Random) -> None:
    """A net inside itself, as a condition or as a part; at times many times over."""
    config = model.get("config")
    if not isinstance(config, dict):
        return
    own = write_json(model)
    if len(own) > 20_000:
        return
    if rng.random() < 0.5:
        config["condition_dsp"] = Raw(own)
        return
    text = own
    for _ in range(rng.choice(DEPTHS)):
        text = f'{{"architecture": "SlimmableContainer", "config": {{"submodels": [{{"max_value": 1, "model": {text}}}]}}}}'
    model.clear()
    model |= {"architecture": "SlimmableContainer", "config": {"submodels": [{"max_value": 1.0, "model": Raw(text)}]}}


def _bounds(model: dict, rng: Random) -> None:
    """Sizes of the parts of a slimmable net."""
    if place := _choose(model, rng, "max_value"):
        table, key = place
        table[key] = rng.choice((Raw("NaN"), Raw("1e999"), -1, 0, 0.5, 1, 2, 1e308, -1e308, "1", None, True, [1]))


def _numbers(model: dict, rng: Random) -> None:
    """Weights too large for what is made of them, or far too small."""
    lists = [found for found in containers([model]) if isinstance(found, list) and found and type(found[-1]) is float]
    if lists:
        weights = rng.choice(lists)
        scale = rng.choice((0.0, 1e-30, 1e-42, 1e4, 1e30, 1e38))
        weights[:] = [value * scale if isinstance(value, float) else value for value in weights]


def _retell(model: dict, rng: Random) -> None:
    """Another architecture's name, or another kind of layer."""
    if place := _choose(model, rng, "architecture", "type", "unit_type", "method"):
        table, key = place
        kinds = ("WaveNet", "LSTM", "ConvNet", "Linear", "SlimmableContainer", "GRU", "dense", "conv1d", "lstm", "gru", "prelu",
                 "batchnorm", "activation", "time-distributed-dense", "conv2d", "", 3, None, [])  # fmt: skip
        table[key] = rng.choice(kinds)


SPOILERS: tuple[Spoiler, ...] = (
    _sizes, _sizes, _sizes, _rate, _level, _facts, _activation, _options, _options, _options, _copies, _inside, _bounds, _numbers,
    _retell,
)  # fmt: skip


def spoil_capture(data: bytes, rng: Random, paths: Sequence[str] = ()) -> bytes:
    """A capture in JSON gone wrong: as any JSON, or as its format alone would have it, or both."""
    kind = rng.random()
    if kind < 0.4:
        return spoil_json(data, rng, paths)
    try:
        model: Any = json.loads(data)
    except (ValueError, RecursionError):  # spoiled before
        return spoil_bytes(data, rng)
    for _ in range(rng.choice((1, 1, 1, 2, 3))):
        rng.choice(SPOILERS)(model, rng)
    spoiled = write_json(model).encode()
    return spoil_json(spoiled, rng, paths) if kind > 0.9 else spoiled
