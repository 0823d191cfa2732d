"""A worker and the node that plays through it, put together: for files, which wait, and for live sound, which does not."""

import weakref
from dataclasses import dataclass

from neuralamp.dsp.node import Node
from neuralamp.guest.keeper import Keeper, LiveKeeper, Start
from neuralamp.guest.link import Link
from neuralamp.guest.live import live_node
from neuralamp.guest.waiting import waiting_node


@dataclass(frozen=True)
class Hosted:
    """What is needed to host foreign code. Its workers end when the node is collected.

    crashed  what is said where one ends without a word.
    """

    link: Link
    start: Start
    crashed: str

    def for_files(self) -> tuple[Node, Keeper]:
        """A node at rest, and its keeper, which has a reason where it cannot be played."""
        keeper = Keeper(self.link, self.start, self.crashed)
        node = waiting_node(self.link, keep=keeper)
        weakref.finalize(node, keeper.end)
        keeper.wait_until_ready()
        return node, keeper

    def for_live_sound(self, sample_rate: float) -> tuple[Node, LiveKeeper, str]:
        """A node at rest, its keeper, and why it cannot be played, or nothing."""
        keeper = LiveKeeper(self.link, self.start, self.crashed)
        node = live_node(self.link, sample_rate, keep=keeper)
        weakref.finalize(node, keeper.end)
        return node, keeper, keeper.wait_until_ready()
