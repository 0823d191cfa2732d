"""Activations as .nam files spell them: a name, or an object with a name and some or all of its parameters."""

from typing import Any

from tests.capture.dice import Dice

PLAIN = ("Tanh", "Hardtanh", "Fasttanh", "ReLU", "Sigmoid", "SiLU", "Hardswish", "Softsign")
"""Those without parameters."""
BENT = ("LeakyReLU", "PReLU", "LeakyHardtanh", "LeakyHardTanh")
"""Those with parameters; the last two are one activation in two spellings."""


def random_activation(dice: Dice, width: int, gated: bool, slimmable: bool) -> Any:
    """What a layer of this many channels may say of its activation.

    Left out is where the reference player reads past the end of its slopes: a PReLU of one slope for the several channels of a
    gated layer, and slopes by channel in a net whose channels become fewer.
    """
    one_slope, slopes = not gated or width == 1, not slimmable
    names = [*PLAIN, *BENT, *BENT, "PReLU", "PReLU"]  # the more ways there are to say it, the more often
    name = dice.pick("activation", [name for name in names if name != "PReLU" or one_slope or slopes])
    if name == "PReLU":
        return prelu(dice, width, one_slope, slopes)
    if dice.yes("activation_as_string"):
        return name
    said = {"type": name}
    if name == "LeakyReLU":
        said |= {"negative_slope": dice.decimal(0.0, 0.5)}
    if name in ("LeakyHardtanh", "LeakyHardTanh"):
        said |= {"min_val": dice.decimal(-1.0, 0.0), "max_val": dice.decimal(0.1, 1.0)}
        said |= {"min_slope": dice.decimal(0.0, 0.5), "max_slope": dice.decimal(0.0, 0.5)}
    kept = [key for key in said if key == "type" or dice.yes("parameter", 0.75)]
    return {key: said[key] for key in kept}


def prelu(dice: Dice, width: int, one_slope: bool, slopes: bool) -> Any:
    spellings = [
        "PReLU",
        {"type": "PReLU"},
        {"type": "PReLU", "negative_slope": dice.decimal(0.0, 0.5)},
        {"type": "PReLU", "negative_slopes": [dice.decimal(0.0, 0.5) for _ in range(width)]},
    ]
    return dice.pick("prelu", spellings[0 if one_slope else 3 : 4 if slopes else 3])
