"""The WaveNet of a .nam file by hand: layer arrays with every option of the format, slimmed where asked."""

import math
from typing import Any, NamedTuple

import numpy as np

from tests.peers.maps_by_hand import Film, Json, Map, Weights, Width, activate


def play_wavenet(config: Json, weights: Weights, x: np.ndarray, condition: np.ndarray, size: float | None) -> np.ndarray:
    """(1, frames) and what conditions every layer (condition size, frames) -> (outputs, frames)."""
    channels = [channels_of(array, size) for array in config["layers"]]
    skipped: Any = 0.0
    for a, array in enumerate(config["layers"]):
        head = head_of(array)
        into = Width(array["input_size"], channels[a - 1].kept if a else array["input_size"])
        out = Width(head.outputs, channels[a + 1].kept if a + 1 < len(channels) else head.outputs)
        rechannel = Map(weights, into, channels[a], bias=False)
        layers = [Layer(array, k, weights, channels[a]) for k in range(len(array["dilations"]))]
        rehead = Map(weights, layers[0].skip, out, bias=head.bias, taps=head.taps, dilation=head.dilation)

        x = rechannel(x)
        for layer in layers:
            x, heard = layer(x, condition)
            skipped = skipped + heard
        skipped = rehead(skipped)
    return play_post_head(config.get("head"), weights, skipped)


def play_post_head(head: Json | None, weights: Weights, y: np.ndarray) -> np.ndarray:
    """The stack after the last array, if there is one, on the sound that head_scale has scaled: the last weight of all."""
    maps, into = [], Width(len(y), len(y))
    widths = [head["channels"]] * (len(head["kernel_sizes"]) - 1) + [head["out_channels"]] if head else []
    for taps, width in zip(head["kernel_sizes"] if head else [], widths, strict=True):
        maps.append(Map(weights, into, Width(width, width), bias=True, taps=taps))
        into = Width(width, width)
    y = weights.take(1) * y
    for one in maps:
        y = one(activate(head["activation"], y))
    return y


def receptive_field(config: Json) -> int:
    """Frames of the past that one frame of output has heard."""
    frames = 0
    for array in config["layers"]:
        for taps, dilation in zip(taps_of(array), array["dilations"], strict=True):
            frames += (taps - 1) * dilation
        frames += (head_of(array).taps - 1) * head_of(array).dilation
    return frames + sum(taps - 1 for taps in (config.get("head") or {"kernel_sizes": []})["kernel_sizes"])


# What a layer array says of itself, in its old and new words


class ArrayHead(NamedTuple):
    outputs: int
    taps: int
    bias: bool
    dilation: int


def head_of(array: Json) -> ArrayHead:
    head = array.get("head")
    if head is None:
        return ArrayHead(array["head_size"], 1, array["head_bias"], 1)
    return ArrayHead(head["out_channels"], head["kernel_size"], head["bias"], head.get("head_dilation", 1))


def per_layer(said: Any, array: Json) -> list[Any]:
    return said if isinstance(said, list) else [said] * len(array["dilations"])


def taps_of(array: Json) -> list[int]:
    return per_layer(array.get("kernel_sizes", array.get("kernel_size")), array)


def gates_of(array: Json) -> tuple[list[str], list[Any]]:
    """The gating mode and the gate's activation of each layer; a legacy `gated` opens with a sigmoid, whatever else is said."""
    if "gating_mode" in array:
        return per_layer(array["gating_mode"], array), per_layer(array.get("secondary_activation", "Sigmoid"), array)
    return per_layer("gated" if array.get("gated", False) else "none", array), per_layer("Sigmoid", array)


def channels_of(array: Json, size: float | None) -> Width:
    full, slimmable = array["channels"], array.get("slimmable")
    if size is None or slimmable is None:
        return Width(full, full)
    allowed = slimmable.get("kwargs", {}).get("allowed_channels", range(1, full + 1))
    return Width(full, allowed[min(math.floor(size * len(allowed)), len(allowed) - 1)])


FILMS = ("conv_pre", "conv_post", "input_mixin_pre", "input_mixin_post", "activation_pre", "activation_post")
FILMS += ("layer1x1_post", "head1x1_post")
"""In the order of their weights."""


class Layer:
    """Layer k of an array. `inner` is the bottleneck, `wide` what the convolution makes: twice that for a gate."""

    def __init__(self, array: Json, k: int, weights: Weights, channels: Width):
        gatings, gates = gates_of(array)
        self.gating, self.gate = gatings[k], gates[k]
        self.activation = per_layer(array["activation"], array)[k]
        residual = array.get("layer1x1", {"active": True})
        head = array.get("head1x1", {"active": False})
        inner = inner_of(array, channels)
        wide = inner.times(1 if self.gating == "none" else 2)
        condition = Width(array["condition_size"], array["condition_size"])
        self.skip = Width(head["out_channels"], head["out_channels"]) if head["active"] else inner

        taps, dilation, groups = taps_of(array)[k], array["dilations"][k], array.get("groups_input", 1)
        self.conv = Map(weights, channels, wide, bias=True, taps=taps, dilation=dilation, groups=groups)
        self.mixin = Map(weights, condition, wide, bias=False, groups=array.get("groups_input_mixin", 1))
        self.residual = self.head = None
        if residual["active"]:
            self.residual = Map(weights, inner, channels, bias=True, groups=residual.get("groups", 1))
        if head["active"]:
            self.head = Map(weights, inner, self.skip, bias=True, groups=head.get("groups", 1))

        self.films: dict[str, Film] = {}
        widths = (channels, wide, condition, wide, wide, inner, channels, self.skip)
        for name, width in zip(FILMS, widths, strict=True):
            said = array.get(f"{name}_film", False)
            if said is not False and said.get("active", True):
                self.films[name] = Film(said, weights, condition, width)

    def __call__(self, x: np.ndarray, condition: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """(channels, frames) -> what goes on to the next layer (channels, frames), what goes to the head (skip, frames)."""

        def film(name: str, sound: np.ndarray) -> np.ndarray:
            return self.films[name](sound, condition) if name in self.films else sound

        z = film("conv_post", self.conv(film("conv_pre", x)))
        z = z + film("input_mixin_post", self.mixin(film("input_mixin_pre", condition)))
        z = film("activation_post", self.activated(film("activation_pre", z)))
        heard = film("head1x1_post", self.head(z)) if self.head else z
        if not self.residual:
            return x, heard
        added = self.residual(z)
        if self.gating == "blended":  # a quirk of the reference player: the other layers carry the weights and do not use them
            added = film("layer1x1_post", added)
        return x + added, heard

    def activated(self, z: np.ndarray) -> np.ndarray:
        """(wide, frames) -> (inner, frames); of two halves the first is the sound, the second opens the gate."""
        if self.gating == "none":
            return activate(self.activation, z)
        plain, gate = np.split(z, 2)
        shaped, opened = activate(self.activation, plain), activate(self.gate, gate)
        return opened * shaped + (1.0 - opened) * plain if self.gating == "blended" else opened * shaped


def inner_of(array: Json, channels: Width) -> Width:
    full = array.get("bottleneck", channels.full)
    if not array.get("layer1x1", {"active": True})["active"]:
        return Width(full, channels.kept)
    return Width(full, max(1, full * channels.kept // channels.full))
