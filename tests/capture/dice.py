"""Chance that can be told what to fall on: every choice has a name, and what was wished for by that name is not left to it."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np


class Dice:
    """Seeded choices. A wish uses up the same chance as the choice that it replaces, so that it moves no other choice."""

    def __init__(self, rng: np.random.Generator, wishes: Mapping[str, Any]):
        self.rng, self.wishes = rng, dict(wishes)
        self.unheard = set(wishes)

    def pick(self, name: str, options: Sequence[Any]) -> Any:
        """One of the options, each with the same chance; or the wish, which need not be among them."""
        chosen = options[int(self.rng.integers(len(options)))]
        self.unheard.discard(name)
        return self.wishes.get(name, chosen)

    def yes(self, name: str, chance: float = 0.5) -> bool:
        said = bool(self.rng.uniform() < chance)
        self.unheard.discard(name)
        return self.wishes.get(name, said)

    def number(self, name: str, low: int, high: int) -> int:
        """A whole number from low to high, both included."""
        return self.pick(name, range(low, high + 1))

    def decimal(self, low: float, high: float) -> float:
        """A number as a person would write it into a file."""
        return round(float(self.rng.uniform(low, high)), 2)

    def weights(self, count: int, deviation: float, mean: float = 0.0) -> list[float]:
        """Float32 numbers, as a trainer writes them."""
        return self.rng.normal(mean, deviation, count).astype(np.float32).tolist()
