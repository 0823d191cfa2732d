"""Random WaveNets as .nam files spell them, with every option of the format, and weights in their order."""

import itertools
import math
from dataclasses import dataclass, field
from typing import Any

from tests.capture.dice import Dice
from tests.capture.nam_activations import random_activation

Json = dict[str, Any]

FILMS = ("conv_pre", "conv_post", "input_mixin_pre", "input_mixin_post", "activation_pre", "activation_post")
FILMS += ("layer1x1_post", "head1x1_post")
GATINGS = ("none", "gated", "blended")
WIDTHS = (1, 1, 2, 3, 4, 4, 5, 6)
"""One, where several ways of saying a thing are the same, and four, which divides, are met more often."""


@dataclass
class Array:
    """One layer array: what it says in the file, and what its weights need to know."""

    into: int
    channels: int
    condition: int
    head_out: int
    first: bool
    shrinks: bool
    """Whether this array is slimmable."""
    simple: bool
    """Whether any is: then none may have groups, or taps in its head."""
    said: Json = field(default_factory=dict)
    inner: int = 1
    skip: int = 1
    gatings: list[str] = field(default_factory=list)
    films: dict[str, tuple[bool, int]] = field(default_factory=dict)
    """Of the active ones: shift and groups."""

    @property
    def wide(self) -> list[int]:
        """What the convolution of each layer makes: twice the bottleneck for a gate."""
        return [self.inner if gating == "none" else 2 * self.inner for gating in self.gatings]


def random_array(dice: Dice, array: Array) -> Array:
    array.said = {"input_size": array.into, "condition_size": array.condition, "channels": array.channels}
    layers = dice.number("layers", 1, 4)
    array.said["dilations"] = [dice.number("dilation", 1, 40) for _ in range(layers)]
    if dice.yes("kernel_sizes"):
        array.said["kernel_sizes"] = [dice.number("taps", 1, 5) for _ in range(layers)]
    else:
        array.said["kernel_size"] = dice.number("taps", 1, 5)
    say_widths(dice, array)
    say_gates(dice, array)
    say_groups(dice, array)
    say_films(dice, array)
    say_head(dice, array)
    if array.shrinks:
        say_slimmable(dice, array)
    elif dice.yes("null_slimmable", 0.3):
        array.said["slimmable"] = None
    return array


def say_widths(dice: Dice, array: Array) -> None:
    """Bottleneck and the two 1x1s. What a later array adds to the head must be as wide as its channels."""
    residual = dice.yes("layer1x1", 0.8)
    head = dice.yes("head1x1", 0.4) and (array.first or not array.shrinks)
    array.inner = dice.pick("bottleneck", WIDTHS) if residual and (array.first or head) else array.channels
    array.skip = array.inner
    if head:
        array.skip = dice.number("head1x1_out", 1, 6) if array.first else array.channels
    if array.inner != array.channels or dice.yes("say_bottleneck"):
        array.said["bottleneck"] = array.inner
    if not residual or dice.yes("say_layer1x1"):
        array.said["layer1x1"] = {"active": residual, "groups": 1}
    if head or dice.yes("say_head1x1"):
        array.said["head1x1"] = {"active": head, "out_channels": array.skip, "groups": 1}


def say_gates(dice: Dice, array: Array) -> None:
    """Activation and gating, for all layers at once, for each, or in the old word."""
    layers = len(array.said["dilations"])
    words = dice.pick("gating_words", ("old", "one", "list", "list"))
    if words == "list":
        array.gatings = [dice.pick("gating", GATINGS) for _ in range(layers)]
        array.said["gating_mode"] = array.gatings
    elif words == "one":
        array.gatings = [dice.pick("gating", GATINGS)] * layers
        array.said["gating_mode"] = array.gatings[0]
    else:
        array.gatings = [dice.pick("gating", ("none", "gated"))] * layers
        if array.gatings[0] == "gated" or dice.yes("say_gated"):
            array.said["gated"] = array.gatings[0] == "gated"

    gated = [gating != "none" for gating in array.gatings]
    if dice.yes("activation_list"):
        array.said["activation"] = [random_activation(dice, array.inner, gate, array.shrinks) for gate in gated]
    else:
        array.said["activation"] = random_activation(dice, array.inner, any(gated), array.shrinks)
    gates = [random_activation(dice, array.inner, True, array.shrinks) for _ in gated]
    if words == "list" and dice.yes("secondary_list", 0.4):
        gates = [gates[k] if gate else dice.pick("unused_gate", (None, "", "Tanh")) for k, gate in enumerate(gated)]
        array.said["secondary_activation"] = gates
    elif any(gated) and dice.yes("secondary", 0.7):
        array.said["secondary_activation"] = gates[0]
    elif not any(gated):
        array.said |= dice.pick("unused_gates", ({}, {"secondary_activation": None}, {"secondary_activation": ""}))


def random_groups(dice: Dice, array: Array, *widths: int) -> int:
    """A number of groups that all these widths divide into, the most with the same chance as any; a slimmable net has none."""
    most = 1 if array.simple else math.gcd(*widths)
    return dice.pick("groups", [count for count in range(1, most + 1) if most % count == 0])


def say_groups(dice: Dice, array: Array) -> None:
    for name, widths in (
        ("groups_input", (array.channels, *array.wide)),
        ("groups_input_mixin", (array.condition, *array.wide)),
    ):
        groups = random_groups(dice, array, *widths)
        if groups > 1 or dice.yes("say_groups"):
            array.said[name] = groups
    for name, widths in (("layer1x1", (array.inner, array.channels)), ("head1x1", (array.inner, array.skip))):
        if array.said.get(name, {"active": False})["active"]:
            array.said[name]["groups"] = random_groups(dice, array, *widths)


def film_widths(array: Array, wide: int) -> dict[str, int]:
    widths = (array.channels, wide, array.condition, wide, wide, array.inner, array.channels, array.skip)
    return dict(zip(FILMS, widths, strict=True))


def say_films(dice: Dice, array: Array) -> None:
    """Active ones with what is the default left out at times; inactive ones absent, false, or an object that says so."""
    busy = dice.yes("films", 0.6)
    for name in FILMS:
        possible = name not in ("layer1x1_post", "head1x1_post") or says_active(array, name.removesuffix("_post"))
        if not (busy and possible and dice.yes(f"{name}_film", 0.5)):
            off = dice.pick("film_off", ("absent", False, {"active": False, "shift": True, "groups": 1}, {"active": False}))
            array.said |= {} if off == "absent" else {f"{name}_film": off}
            continue
        shift = dice.yes("shift")
        widths = {(1 + shift) * film_widths(array, wide)[name] for wide in array.wide}
        groups = random_groups(dice, array, array.condition, *widths)
        array.films[name] = (shift, groups)
        said: Json = {"active": True}
        said |= {} if shift and dice.yes("film_default") else {"shift": shift}
        said |= {} if groups == 1 and dice.yes("film_default") else {"groups": groups}
        array.said[f"{name}_film"] = said


def says_active(array: Array, name: str) -> bool:
    return array.said.get(name, {"active": name == "layer1x1"})["active"]


def say_head(dice: Dice, array: Array) -> None:
    bias = dice.yes("head_bias")
    if dice.yes("head_object"):
        taps = 1 if array.simple else dice.number("head_taps", 1, 5)
        array.said["head"] = {"out_channels": array.head_out, "kernel_size": taps, "bias": bias}
        if dice.yes("say_head_dilation"):
            array.said["head"]["head_dilation"] = dice.number("head_dilation", 1, 6)
    else:
        array.said |= {"head_size": array.head_out, "head_bias": bias}
        array.said |= {"head": None} if dice.yes("null_head", 0.2) else {}


def say_slimmable(dice: Dice, array: Array) -> None:
    allowed = [count for count in range(1, array.channels) if dice.yes("allowed")] + [array.channels]
    kwargs = dice.pick("kwargs", ({"kwargs": {"allowed_channels": allowed}}, {"kwargs": {}}, {}))
    array.said["slimmable"] = {"method": "slice_channels_uniform"} | kwargs


# Weights: so large that the activations bend, and FiLMs that leave the sound at about its size


def random_map(
    dice: Dice, into: int, out: int, bias: float | None, taps: int = 1, groups: int = 1, gain: float = 1.0
) -> list[float]:
    """The weights of a convolution, and biases of this deviation."""
    fan_in = into // groups * taps
    weights = dice.weights(out * fan_in, gain / math.sqrt(fan_in))
    return weights + ([] if bias is None else dice.weights(out, bias))


def random_weights(dice: Dice, array: Array) -> list[float]:
    said = array.said
    taps = said.get("kernel_sizes") or [said["kernel_size"]] * len(said["dilations"])
    weights = random_map(dice, array.into, array.channels, None, gain=3.0 if array.first else 1.0)
    for k, wide in enumerate(array.wide):
        weights += random_map(dice, array.channels, wide, 0.4, taps[k], said.get("groups_input", 1))
        weights += random_map(dice, array.condition, wide, None, groups=said.get("groups_input_mixin", 1))
        if says_active(array, "layer1x1"):
            groups = said.get("layer1x1", {"groups": 1})["groups"]
            weights += random_map(dice, array.inner, array.channels, 0.2, groups=groups, gain=0.5)
        if says_active(array, "head1x1"):
            weights += random_map(dice, array.inner, array.skip, 0.2, groups=said["head1x1"]["groups"])
        for name, (shift, groups) in array.films.items():
            width = film_widths(array, wide)[name]
            weights += random_map(dice, array.condition, (1 + shift) * width, None, groups=groups)
            weights += dice.weights(width, 0.3, mean=1.0) + dice.weights(shift * width, 0.3)
    head = said.get("head") or {"kernel_size": 1, "bias": said.get("head_bias")}
    return weights + random_map(dice, array.skip, array.head_out, 0.1 if head["bias"] else None, head["kernel_size"])


def random_wavenet(dice: Dice, condition: int, slimmable: bool, outputs: int) -> tuple[Json, list[float]]:
    """A WaveNet conditioned by this many channels, without what may stand before and after it: (config, weights)."""
    channels = [dice.pick("channels", WIDTHS) for _ in range(dice.number("arrays", 1, 3))]
    heads = [*channels[1:], outputs]
    shrinks = [slimmable and dice.yes("slimmable_array", 0.7) for _ in channels]
    shrinks[-1] |= slimmable and not any(shrinks)
    arrays: list[Json] = []
    weights: list[float] = []
    for a, count in enumerate(channels):
        array = Array(channels[a - 1] if a else 1, count, condition, heads[a], a == 0, shrinks[a], slimmable)
        arrays.append(random_array(dice, array).said)
        weights += random_weights(dice, array)
    config: Json = {"layers": arrays, "head_scale": dice.decimal(0.01, 2.0)}  # the last weight is what counts
    return config | dice.pick("say_in_channels", ({}, {"in_channels": 1})), [*weights, 1.0]


def random_post_head(dice: Dice, into: int, outputs: int) -> tuple[Json, list[float], int]:
    """(what the file says, weights, how many of them are of the last convolution)"""
    channels = dice.number("post_head_channels", 1, 5)
    sizes = [dice.number("post_head_taps", 1, 4) for _ in range(dice.number("post_head_maps", 1, 3))]
    head: Json = {"channels": channels, "out_channels": outputs, "kernel_sizes": sizes}
    head["activation"] = random_activation(dice, 1, False, True)
    head |= dice.pick("post_head_in", ({}, {"in_channels": into}, {"in_channels": None}))
    maps = []
    for taps, width in zip(sizes, [channels] * (len(sizes) - 1) + [outputs], strict=True):
        maps.append(random_map(dice, into, width, 0.2, taps, gain=1.5))
        into = width
    return head, list(itertools.chain(*maps)), len(maps[-1])
