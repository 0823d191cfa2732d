"""How a box stands: what was asked of its knobs and its foot switch last, played or not."""

from dataclasses import dataclass

from neuralamp.block import ACTION_BITS, PRESSES_KEPT


@dataclass
class Stand:
    """Where the knobs and the foot switch of a box stand, the latest that was asked for counted; and how it was pressed."""

    values: dict[str, float]
    bypassed: bool
    presses: int = 0
    asked: int = 0

    def press(self, action: int) -> None:
        self.presses += 1
        self.asked = (self.asked << ACTION_BITS | action) % (1 << ACTION_BITS * PRESSES_KEPT)
