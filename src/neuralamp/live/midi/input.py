"""A MIDI cable into the pedal board."""

import threading
from collections.abc import Callable, Sequence
from contextlib import closing
from types import TracebackType

from neuralamp.engine import Board
from neuralamp.errors import NeuralAmpError
from neuralamp.live.midi.cable import POLL_S, Cable, Port, find_port
from neuralamp.live.midi.row import Row
from neuralamp.live.midi.signal import Signal


class MidiInput:
    """What comes in on a port is turned by the rows of a map into messages, and done on a board.

    port  by its name or a part of it; the first that is there for None.
    tell  is given one line for everything that cannot be done, such as a row for a box that this rig lacks, each once.

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
        self.port = find_port(self._wanted)
        self._cable = Cable(self.port)
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
        with closing(self._cable):
            while not self._closing.wait(POLL_S):
                for signal in self._cable.signals():
                    self.hear(signal)
