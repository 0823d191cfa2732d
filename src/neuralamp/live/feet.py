"""Keys of a terminal as foot switches: one key an act, or a colon and the act in words."""

from dataclasses import dataclass, field

from neuralamp.engine import Board
from neuralamp.errors import NeuralAmpError
from neuralamp.messages import Change, Message, Mute, Panic, Recall, Record, Tap, Undo, read_message

KEYS: dict[str, Message] = {
    "\n": Mute(False),
    "m": Mute(),
    "s": Recall("next"),
    "n": Change("next"),
    "p": Change("previous"),
    "t": Tap(),
    "r": Record(),
    "u": Undo(),
    "!": Panic(),
}
HELP = (
    "m mutes, 1 to 9 and s recall snapshots, n and p change the song, t taps the tempo, r records, u takes back, ! is panic, "
    ": and a message does what it says (turn delay.mix 40, save my lead), q or Ctrl-C quits."
)
QUIT, COLON, ESCAPE, BACKSPACES = "q", ":", "\x1b", ("\x7f", "\b")


@dataclass
class Feet:
    """Brings keys to a board. `typed` is what has been written behind a colon, None where nobody writes; `said` is the answer to
    the last act that could not be done.
    """

    board: Board
    typed: str | None = None
    said: str = field(default="")

    def say(self, line: str) -> None:
        """Show what somebody else could not do, such as a pedal."""
        self.said = line

    def press(self, key: str) -> bool:
        """Do what a key asks for; False for the one that quits."""
        if self.typed is not None:
            self._write(key)
        elif key == QUIT:
            return False
        elif key == COLON:
            self.typed, self.said = "", ""
        elif key in KEYS:
            self._act(KEYS[key])
        elif key.isdecimal() and key != "0":
            self._recall(int(key))
        return True

    def _write(self, key: str) -> None:
        written = self.typed or ""
        if key == "\n":
            self.typed = None
            self._act(written)
        elif key == ESCAPE:
            self.typed = None
        elif key in BACKSPACES:
            self.typed = written[:-1]
        elif key.isprintable():
            self.typed = written + key

    def _recall(self, number: int) -> None:
        snapshots = self.board.engine.plan.rig.snapshots
        if number <= len(snapshots):
            self._act(Recall(snapshots[number - 1].name))
        else:
            self.said = f"{self.board.engine.plan.rig.name} has {len(snapshots)} snapshots, and none of number {number}"

    def _act(self, asked: Message | str) -> None:
        self.said = ""
        try:
            self.board.act(read_message(asked) if isinstance(asked, str) else asked)
        except NeuralAmpError as reason:
            self.said = str(reason)
