"""What the configs of all nets tell beside their own fields, where they have nothing else to say."""

from typing import Any


class Shape:
    """The base of a config. Each says also

    knobs            names of its conditioning inputs: each is one more input row, held at a knob's value.
    outputs          rows of output: one, but for a net that conditions another.
    receptive_field  frames of input that one frame of output needs at hand.
    settling_frames  frames of silence after which a fresh net is at rest.
    weights()        name and shape of every weight, in the order they travel.
    """

    @property
    def inputs(self: Any) -> int:
        """Rows of input: the sound, then the knobs."""
        return 1 + len(self.knobs)

    @property
    def resting_knobs(self: Any) -> tuple[float, ...]:
        """Where its knobs stand before anyone turns them."""
        return (0.5,) * len(self.knobs)

    @property
    def inner(self) -> dict[str, Any]:
        """Nets inside this one, by the prefix of their weights."""
        return {}
