"""A MIDI cable into the pedal board."""

import threading
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from types import TracebackType

from neuralamp.engine import Board
from neuralamp.errors import MidiError, NeuralAmpError
from neuralamp.live.midi.cable import POLL_S, Cable, Port, find_port, ports
from neuralamp.live.midi.row import Row
from neuralamp.live.midi.signal import Signal

LOOK_S = 1.0  # between two looks whether the cable is still plugged in


class MidiInput:
    """What comes in on a port is turned by the rows of a map into messages, and done on a board.

    port  by its name or a part of it; the first that is there for None.
    tell  is given one line for everything that cannot be done, such as a row for a box that this rig lacks, each once; and for a
          port that goes. It is heard again once it is back.

    As a context manager it is open between entry and exit. Raises MidiError where the port cannot be opened.

    A thread of its own asks for what has come in, and does it: a rig that takes a second to make holds up the next press, and
    nothing else.
    """

    def __init__(
        self, board: Board, rows: Sequence[Row], port: str | None = None, tell: Callable[[str], None] = lambda line: None
    ):
        self.board, self.rows, self._wanted, self._tell = board, tuple(rows), port, tell
        self.port: Port | None = None
        self._told: set[str] = set()
        self._closing = threading.Event()
        self._thread = threading.Thread(target=self._listen, name="midi", daemon=True)

    def start(self) -> None:
        """Open the port, and listen."""
        self._cable = Cable(find_port(self._wanted))
        self.port = self._cable.port
        self._thread.start()

    def close(self) -> None:
        """Stop listening, once what is being done is done."""
        self._closing.set()
        self._thread.join()

    def __enter__(self) -> "MidiInput":
        self.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self.close()

    def hear(self, signal: Signal) -> None:
        """Do what every row says of one signal; what cannot be done is told."""
        for row in self.rows:
            try:
                if message := row.message(signal, self.board.engine.knob):
                    self.board.act(message)
            except NeuralAmpError as reason:
                if str(reason) not in self._told:
                    self._told.add(str(reason))
                    self._tell(f"{row.on}: {reason}")

    def _listen(self) -> None:
        cable: Cable | None = self._cable
        looked = time.monotonic()
        while cable and not self._closing.wait(POLL_S):
            for signal in cable.signals():
                self.hear(signal)
            if time.monotonic() - looked > LOOK_S:
                looked = time.monotonic()
                if not cable.is_plugged_in():
                    cable.close()
                    cable = self._found_again(cable.port)
        if cable:
            cable.close()

    def _found_again(self, lost: Port) -> Cable | None:
        """A new cable to a port that has gone, once it is back; None where nobody waits any more."""
        self._tell(f"{lost} has gone; plug it in again")
        while not self._closing.wait(LOOK_S):
            for port in ports():
                with suppress(MidiError):  # it is seen already, and not yet ready
                    if port.is_same(lost):
                        cable = Cable(port)
                        self._tell(f"{port} is back")
                        return cable
        return None
