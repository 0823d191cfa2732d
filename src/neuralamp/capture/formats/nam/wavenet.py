"""A WaveNet as a .nam file holds it."""

from collections.abc import Iterator
from typing import Any

import numpy as np

from neuralamp.capture.formats.nam import activations
from neuralamp.capture.formats.nam.weights import Numbers
from neuralamp.capture.json_table import Table
from neuralamp.errors import CaptureError
from neuralamp.nets.nested import within
from neuralamp.nets.wavenet.config import WaveNetConfig
from neuralamp.nets.wavenet.layers import GATINGS, PLACES, Film, LayerArray, PostLayer
from neuralamp.nets.weights import Weights

FILMS = dict(zip(PLACES, (
    "conv_pre_film", "conv_post_film", "input_mixin_pre_film", "input_mixin_post_film",
    "activation_pre_film", "activation_post_film", "layer1x1_post_film", "head1x1_post_film",
), strict=True))  # fmt: skip
"""Our places, their names."""


Slopes = dict[str, list[float]]
"""The slopes that a file writes beside a PReLU's name, by the name of our weight: one for all channels, or one each."""


def read_config(model: Table, condition: Any) -> tuple[WaveNetConfig, Slopes]:
    """The config, and the slopes of its PReLUs; `condition` is the config of the net in condition_dsp, None for none."""
    table = model.table("config")
    if table.integer("in_channels", 1) != 1:
        table.fail("in_channels", "should be 1: an amp hears one signal", table.get("in_channels"))
    slopes: Slopes = {}
    layers = table.tables("layers")
    arrays = []
    for a, layer in enumerate(layers):
        with layer.blamed():
            arrays.append(_array(layer, f"arrays.{a}", slopes))
    post_head = _post_head(table.table("head"), slopes) if "head" in table else ()
    config = WaveNetConfig(tuple(arrays), condition=condition, post_head=post_head)
    _check_widths(layers, config)
    return config, slopes


def read_weights(config: WaveNetConfig, slopes: Slopes, numbers: Numbers) -> dict[str, np.ndarray]:
    """The weights of the net itself, without those of its condition net."""
    weights: dict[str, np.ndarray] = {}
    for name, shape in in_file(config):
        values = numbers.take(shape)
        if name:
            weights[name] = values
    shapes = config.weights()
    for name, given in slopes.items():
        if len(given) not in (1, *shapes[name]):
            raise CaptureError(f"{name} has {len(given)} slopes; its layer has {shapes[name][0]} channels")
        weights[name] = np.array(np.broadcast_to(np.array(given, np.float32), shapes[name]))
    numbers.finish()
    return weights


def in_file(config: WaveNetConfig) -> Iterator[tuple[str, tuple[int, ...]]]:
    """Name and shape of all that the file's list holds, in its order.

    It is the order of the config, but slopes stand among the activations, a condition net has a file in the file, and a
    modulation of the residual 1x1 has weights in layers that do not blend, where no player applies it: these have no name here.
    """
    inside = tuple(config.inner)
    dumb = dict(_unheard(config))
    for name, shape in config.weights().items():
        if name in dumb:
            yield from (("", held) for held in dumb[name])
        if not name.endswith(".slopes") and not name.startswith(inside or "\0"):
            yield name, shape


def _unheard(config: WaveNetConfig) -> Iterator[tuple[str, list[tuple[int, ...]]]]:
    """The name before which unheard weights stand, and their shapes."""
    names = list(config.weights())
    for a, array in enumerate(config.arrays):
        film = next((film for film in array.films if film.place == "residual_out"), None)
        for i in range(array.layers if film and array.residual_1x1 else 0):
            if array.gatings[i] == "blended" or film is None:
                continue
            layer = f"arrays.{a}.layers.{i}."
            behind = [name for name in names if name.startswith(layer) and "head_1x1_out" not in name and ".slopes" not in name]
            rows = (1 + film.shift) * array.channels
            following = names[names.index(behind[-1]) + 1]
            yield following, [(rows, config.condition_channels // film.groups), (rows,)]


def _array(table: Table, name: str, slopes: Slopes) -> LayerArray:
    channels = table.integer("channels")
    dilations = table.integers("dilations")
    layers = len(dilations)
    bottleneck = table.integer("bottleneck", channels)
    residual = table.table("layer1x1") if "layer1x1" in table else Table({}, table.place)
    head_1x1 = table.table("head1x1") if "head1x1" in table else Table({"active": False}, table.place)
    active = head_1x1.flag("active")
    gatings = _gatings(table, layers)
    main = activations.per_layer(table, "activation", layers)
    gates = activations.gates_per_layer(table, "secondary_activation" if "gating_mode" in table else "", gatings)
    for i in range(layers):
        if main[i][1]:
            slopes[f"{name}.layers.{i}.activation.slopes"] = main[i][1]
        if gates[i][1]:
            slopes[f"{name}.layers.{i}.gate_activation.slopes"] = gates[i][1]
    return LayerArray(
        channels=channels,
        kernel_sizes=_kernel_sizes(table, layers),
        dilations=dilations,
        activations=tuple(text for text, _ in main),
        gatings=gatings,
        gate_activations=tuple(text for text, _ in gates),
        bottleneck=bottleneck,
        residual_1x1=residual.flag("active", True),
        residual_groups=residual.integer("groups", 1),
        head_1x1=head_1x1.integer("out_channels", channels) if active else 0,
        head_1x1_groups=head_1x1.integer("groups", 1) if active else 1,
        films=tuple(film for place in PLACES if (film := _film(table, place)) is not None),
        conv_groups=table.integer("groups_input", 1),
        mixin_groups=table.integer("groups_input_mixin", 1),
        **_head(table),
    )


def _head(table: Table) -> dict[str, Any]:
    """The fields of an array's head: an object, or the two fields of older files."""
    if "head" not in table:
        return {"head_channels": table.integer("head_size"), "head_bias": table.flag("head_bias")}
    head = table.table("head")
    return {
        "head_channels": head.integer("out_channels"),
        "head_kernel_size": head.integer("kernel_size"),
        "head_dilation": head.integer("head_dilation", 1),
        "head_bias": head.flag("bias"),
    }


def _kernel_sizes(table: Table, layers: int) -> tuple[int, ...]:
    if "kernel_sizes" not in table:
        return (table.integer("kernel_size"),) * layers
    sizes = table.integers("kernel_sizes")
    if len(sizes) != layers:
        table.fail("kernel_sizes", f"should hold one size for each of the {layers} layers", table.get("kernel_sizes"))
    return sizes


def _gatings(table: Table, layers: int) -> tuple[str, ...]:
    """One gating for each layer; older files only say whether all are gated."""
    if "gating_mode" not in table:
        return ("gated" if table.flag("gated", False) else "none",) * layers
    value = table.get("gating_mode")
    gatings = value if isinstance(value, list) else [value] * layers
    if len(gatings) != layers or not all(isinstance(gating, str) and gating in GATINGS for gating in gatings):
        table.fail("gating_mode", f"should be one of {', '.join(GATINGS)} for each of the {layers} layers", value)
    return tuple(gatings)


def _film(table: Table, place: str) -> Film | None:
    key = FILMS[place]
    if key not in table or table.get(key) is False:
        return None
    film = table.table(key)
    return Film(place, film.flag("shift", True), film.integer("groups", 1)) if film.flag("active", True) else None


def _post_head(table: Table, slopes: Slopes) -> tuple[PostLayer, ...]:
    sizes = table.integers("kernel_sizes")
    if not sizes:
        table.fail("kernel_sizes", "should hold one size for each layer behind the head", [])
    text, given = activations.read(table, "activation", table.get("activation"))
    if given:
        slopes |= {f"post_head.{i}.activation.slopes": given for i in range(len(sizes))}
    inner = table.integer("channels") if len(sizes) > 1 else 0
    widths = [*[inner] * (len(sizes) - 1), table.integer("out_channels")]
    return tuple(PostLayer(width, size, text) for width, size in zip(widths, sizes, strict=True))


def _check_widths(layers: list[Table], config: WaveNetConfig) -> None:
    """Raise CaptureError where an array says to hear other widths than there are."""
    stream = config.inputs
    for table, array in zip(layers, config.arrays, strict=True):
        for key, right in (("input_size", stream), ("condition_size", config.condition_channels)):
            if table.integer(key) != right:
                table.fail(key, f"should be {right}, as the net has it", table.get(key))
        stream = array.channels


def write_config(config: WaveNetConfig, weights: Weights) -> dict[str, Any]:
    """The object under "config", but for condition_dsp."""
    stream = config.inputs
    layers = []
    for a, array in enumerate(config.arrays):
        layers.append(_write_array(array, stream, config.condition_channels, within(f"arrays.{a}.layers.", weights)))
        stream = array.channels
    return {"layers": layers, "head": _write_post_head(config, weights), "head_scale": float(weights["head_scale"][0])}


def write_weights(config: WaveNetConfig, weights: Weights) -> list[np.ndarray]:
    """The list of numbers; what is unheard is zero."""
    return [weights[name] if name else np.zeros(shape, np.float32) for name, shape in in_file(config)]


def is_plain(array: LayerArray) -> bool:
    """Whether the oldest files could hold such an array."""
    plain = LayerArray(array.channels, array.kernel_sizes, array.dilations, array.activations, array.gatings)
    same = ("bottleneck", "residual_1x1", "head_1x1", "head_kernel_size", "films", "conv_groups", "mixin_groups")
    uniform = len({*array.kernel_sizes}) == len({*array.activations}) == len({*array.gatings}) == 1
    simple = array.activations[0] in activations.THEIRS and array.gatings[0] in ("none", "gated")
    sigmoid = set(array.gate_activations) == {"sigmoid"}
    return uniform and simple and sigmoid and all(getattr(array, name) == getattr(plain, name) for name in same)


def _write_array(array: LayerArray, stream: int, condition: int, weights: Weights) -> dict[str, Any]:
    table: dict[str, Any] = {"input_size": stream, "condition_size": condition, "channels": array.channels}
    table["dilations"] = list(array.dilations)
    if is_plain(array):
        return table | {
            "head_size": array.head_channels,
            "head_bias": array.head_bias,
            "kernel_size": array.kernel_sizes[0],
            "activation": activations.write(array.activations[0], []),
            "gated": array.gatings[0] == "gated",
        }
    films = {film.place: film for film in array.films}
    return (
        table
        | {
            "head": {
                "out_channels": array.head_channels,
                "kernel_size": array.head_kernel_size,
                "head_dilation": array.head_dilation,
                "bias": array.head_bias,
            },
            "kernel_sizes": list(array.kernel_sizes),
            "bottleneck": array.bottleneck,
            "activation": _write_activations(array.activations, "activation", weights),
            "gating_mode": list(array.gatings),
            "secondary_activation": _write_activations(array.gate_activations, "gate_activation", weights),
            "layer1x1": {"active": array.residual_1x1, "groups": array.residual_groups},
            "head1x1": {"active": bool(array.head_1x1), "out_channels": array.head_1x1 or 1, "groups": array.head_1x1_groups},
            "groups_input": array.conv_groups,
            "groups_input_mixin": array.mixin_groups,
        }
        | {
            theirs: {"active": True, "shift": films[place].shift, "groups": films[place].groups}
            if place in films
            else {"active": False, "shift": True, "groups": 1}
            for place, theirs in FILMS.items()
        }
    )


def _write_activations(texts: tuple[str, ...], field: str, weights: Weights) -> list[Any]:
    slopes = ([float(slope) for slope in weights.get(f"{i}.{field}.slopes", ())] for i in range(len(texts)))
    return [activations.write(text, given) for text, given in zip(texts, slopes, strict=True)]


def _write_post_head(config: WaveNetConfig, weights: Weights) -> dict[str, Any] | None:
    if not config.post_head:
        return None
    inner = {layer.channels for layer in config.post_head[:-1]}
    slopes = [weights.get(f"post_head.{i}.activation.slopes") for i in range(len(config.post_head))]
    texts = {layer.activation for layer in config.post_head}
    if len(inner) > 1 or len(texts) > 1 or any(each is not None for each in slopes):
        raise CaptureError("its layers behind the head are of several widths or activations, which a .nam file cannot say")
    return {
        "channels": next(iter(inner), config.post_head[-1].channels),
        "out_channels": config.outputs,
        "kernel_sizes": [layer.kernel_size for layer in config.post_head],
        "activation": activations.write(texts.pop(), []),
    }
