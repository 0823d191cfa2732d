"""The one long list of numbers in a .nam file."""

import math

import numpy as np

from neuralamp.capture.json_table import Table
from neuralamp.errors import CaptureError


class Numbers:
    """Weights handed out in the order in which they lie."""

    def __init__(self, model: Table):
        self._numbers = model.array("weights", 1)
        self._place = f"{model.place}.weights" if model.place else "weights"
        self._taken = 0

    def take(self, shape: tuple[int, ...]) -> np.ndarray:
        """The next so many, in this shape; the caller says what they are."""
        first, self._taken = self._taken, self._taken + math.prod(shape)
        if self._taken > self._numbers.size:
            raise CaptureError(
                f"{self._place} holds {self._numbers.size} numbers, and its config needs more; it was cut short or changed"
            )
        return self._numbers[first : self._taken].reshape(shape)

    def finish(self) -> None:
        """Raise CaptureError where numbers are left that no part of the config asks for."""
        if self._taken != self._numbers.size:
            raise CaptureError(f"{self._place} holds {self._numbers.size} numbers, but its config needs {self._taken}")
