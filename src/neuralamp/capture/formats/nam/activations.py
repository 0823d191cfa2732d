"""Activations as a .nam file spells them, and as a config does."""

from typing import Any

from neuralamp.capture.json_table import Table
from neuralamp.dsp import activation

OURS = {
    "Tanh": "tanh",
    "Hardtanh": "hard_tanh",
    "Fasttanh": "fast_tanh",
    "ReLU": "relu",
    "LeakyReLU": "leaky_relu",
    "PReLU": "prelu",
    "Sigmoid": "sigmoid",
    "SiLU": "silu",
    "Hardswish": "hard_swish",
    "LeakyHardtanh": "leaky_hard_tanh",
    "LeakyHardTanh": "leaky_hard_tanh",
    "Softsign": "softsign",
}
THEIRS = {ours: theirs for theirs, ours in reversed(OURS.items())}
NUMBERS = {"leaky_relu": ("negative_slope",), "leaky_hard_tanh": ("min_val", "max_val", "min_slope", "max_slope")}


def read(holder: Table, key: str, value: Any) -> tuple[str, list[float]]:
    """A value that is an activation -> its text in a config, and the slopes of a PReLU (one, or one a channel; else none)."""
    table = Table({"type": value} if isinstance(value, str) else value, f"{holder.place}.{key}")
    name = OURS.get(table.text("type"))
    if name is None:
        table.fail("type", f"should be one of {', '.join(OURS)}", table.get("type"))
    if name == "prelu":
        return "prelu", _slopes(table)
    usual = activation.USUAL[name]
    given = (table.number(field, number) for field, number in zip(NUMBERS.get(name, ()), usual, strict=True))
    return activation.write(name, *given), []


def _slopes(table: Table) -> list[float]:
    if "negative_slopes" not in table:
        return [table.number("negative_slope", activation.USUAL["leaky_relu"][0])]
    slopes = table.array("negative_slopes", 1)
    if not slopes.size:
        table.fail("negative_slopes", "should hold one slope, or one for each channel", [])
    return slopes.tolist()


def per_layer(holder: Table, key: str, layers: int) -> list[tuple[str, list[float]]]:
    """The activation of each layer, written once for all or as a list."""
    return [read(holder, where, value) for where, value in _spread(holder, key, layers)]


def gates_per_layer(holder: Table, key: str, gatings: tuple[str, ...]) -> list[tuple[str, list[float]]]:
    """The gate's activation of each layer, sigmoid where the file says nothing; in a layer without a gate it may say anything."""
    usual: tuple[str, list[float]] = ("sigmoid", [])
    spread = zip(gatings, _spread(holder, key, len(gatings)), strict=True)
    return [usual if gating == "none" or value is None else read(holder, where, value) for gating, (where, value) in spread]


def _spread(holder: Table, key: str, layers: int) -> list[tuple[str, Any]]:
    """Where each layer's value stands, and the value."""
    value = holder.get(key)
    if not isinstance(value, list):
        return [(key, value)] * layers
    if len(value) != layers:
        holder.fail(key, f"should hold one activation for each of the {layers} layers", value)
    return [(f"{key}.{i}", each) for i, each in enumerate(value)]


def write(text: str, slopes: list[float]) -> str | dict[str, Any]:
    """An activation of a config as the file spells it."""
    parsed = activation.parse(text)
    if parsed.name == "prelu":
        return {"type": "PReLU", "negative_slopes": slopes}
    if parsed.numbers == activation.USUAL[parsed.name] and parsed.name != "leaky_relu":
        return THEIRS[parsed.name]
    return {"type": THEIRS[parsed.name], **dict(zip(NUMBERS[parsed.name], parsed.numbers, strict=True))}
