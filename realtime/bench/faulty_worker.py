"""The worker of a plugin that does what no plugin may, when it is told to: SIGUSR1 lets it compute for ever, SIGUSR2 gives NaN.

Started in place of neuralamp.guest.plugin_worker by those who want to see what the player makes of that.
"""

import signal
import sys

import numpy as np

from neuralamp.guest import plugin_worker


class Faulty(plugin_worker.Played):
    """A plugin as a stream, until it is told otherwise."""

    loops = poisoned = False

    def play(self, x: np.ndarray) -> np.ndarray:
        while self.loops:
            pass
        return super().play(x) * np.float32(np.nan if self.poisoned else 1.0)


def loop(*_: object) -> None:
    Faulty.loops = True


def poison(*_: object) -> None:
    Faulty.poisoned = True


if __name__ == "__main__":
    signal.signal(signal.SIGUSR1, loop)
    signal.signal(signal.SIGUSR2, poison)
    plugin_worker.Played = Faulty  # type: ignore[misc]
    plugin_worker.main(sys.argv[1:])
