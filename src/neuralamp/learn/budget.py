"""How long a training may take, as a person says it: "2000" steps, "2m", "90s", "1h"."""

import re
from dataclasses import dataclass

from neuralamp.errors import TrainingError

SECONDS = {"s": 1.0, "m": 60.0, "h": 3600.0}


@dataclass(frozen=True)
class Budget:
    """Steps, or seconds that a calibration turns into steps; the other is None."""

    text: str
    steps: int | None
    seconds: float | None


def read_budget(text: str) -> Budget:
    """A number of steps, or a time with its unit. TrainingError for anything else."""
    found = re.fullmatch(r"\s*(\d+(?:\.\d+)?)\s*(s|m|h)?\s*", text)
    if found:
        number, unit = float(found[1]), found[2]
        if unit and number > 0.0:
            return Budget(text.strip(), None, number * SECONDS[unit])
        if not unit and number >= 1.0 and number.is_integer():
            return Budget(text.strip(), int(number), None)
    raise TrainingError(f'budget "{text}" is neither steps nor time; say 2000 for steps, or 90s, 2m, 1h for time')
