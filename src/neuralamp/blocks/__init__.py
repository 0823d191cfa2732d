"""The boxes: one file each. A file in this folder that says BOX = ... is on the stage."""

import importlib
import pkgutil
from functools import cache

from neuralamp.block import Block


@cache
def boxes() -> dict[str, type[Block]]:
    """Every box by its word in a rig, in alphabetical order."""
    names = sorted(module.name for module in pkgutil.iter_modules(__path__))
    return {name: importlib.import_module(f"{__name__}.{name}").BOX for name in names}
