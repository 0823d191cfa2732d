"""Learning: the next thing that a foot does is what a line will be done at."""

import math
import time
from collections.abc import Callable
from contextlib import closing

from neuralamp.errors import MidiError
from neuralamp.live.midi.cable import POLL_S, Cable, Port, find_port
from neuralamp.live.midi.row import Row
from neuralamp.live.midi.signal import Signal


def learn(
    do: str, port: str | None = None, seconds: float = 30.0, ready: Callable[[Port], None] = lambda port: None, **more
) -> Row:
    """The row that does a line when what is heard next is heard again, on its channel.

    ready  is called once it listens.
    more   the row's other fields.

    Raises MidiError where nothing is heard in time, and what Row.check raises.
    """
    row: list[Row] = []
    Row("cc 0", do, **more).check()  # before anybody lifts a foot

    def take(signal: Signal) -> bool:
        if signal.down or Row(signal.on, do).sweeps:  # a switch that was down already is let go first
            row.append(Row(signal.on, do, signal.channel, **more))
        return bool(row)

    listen(take, port, seconds, ready)
    if not row:
        raise MidiError(f"nothing was pressed within {seconds:g} s; see what comes in with: neuralamp midi monitor")
    row[0].check()
    return row[0]


def listen(
    take: Callable[[Signal], bool],
    port: str | None = None,
    seconds: float | None = None,
    ready: Callable[[Port], None] = lambda port: None,
) -> None:
    """Give everything that comes in to a function, until it says True or the time is over. Raises MidiError."""
    until = math.inf if seconds is None else time.monotonic() + seconds
    found = find_port(port)
    with closing(Cable(found)) as cable:
        ready(found)
        while time.monotonic() < until:
            if any(take(signal) for signal in cable.signals()):
                return
            time.sleep(POLL_S)
