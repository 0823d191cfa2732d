"""How the boxes of a rig stand: what was asked of their knobs and foot switches last, played or not."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from neuralamp.block import ACTION_BITS, PRESSES_KEPT, Block
from neuralamp.messages import Bypass, Message, Turn


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


def as_loaded(boxes: Mapping[str, Block]) -> dict[str, Stand]:
    """How boxes stand, by their labels, when their rig has just been loaded."""
    return {label: Stand(box.standing, box.bypassed) for label, box in boxes.items()}


def everything(stands: Mapping[str, Stand]) -> list[Message]:
    """Every knob and switch as it stands."""
    acts: list[Message] = []
    for label, stand in stands.items():
        acts += [Turn(label, knob, value) for knob, value in stand.values.items()]
        acts.append(Bypass(label, stand.bypassed))
    return acts


def missing(wanted: Iterable[Message], stands: Mapping[str, Stand]) -> list[Message]:
    """Of turns and bypasses those that would change something."""
    there = set(everything(stands))
    return [act for act in wanted if act not in there]


def place(act: Message) -> tuple[str, str]:
    """What a turn or a bypass changes: a box, and its knob or its switch."""
    return (act.box, act.knob) if isinstance(act, Turn) else (getattr(act, "box", ""), "bypass")
