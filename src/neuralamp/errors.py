"""What can go wrong, one class for each thing that a person can mend.

A message says what is, what should be, and what to do. The command line prints it as one line.
"""

LONGEST_LINE = 2000  # letters of a message; what a file says of itself may be as long as the file


class NeuralAmpError(Exception):
    """The root: everything that neuralamp raises on purpose.

    Its text is one printable line, whatever a stranger's file or its name put into it.
    """

    def __str__(self) -> str:
        line = one_line(super().__str__())
        return line if len(line) <= LONGEST_LINE else f"{line[: LONGEST_LINE // 2]} ... {line[-LONGEST_LINE // 2 :]}"


def one_line(text: str) -> str:
    """A text as it may be shown: what would end the line, colour a terminal or turn the writing round is escaped."""
    return "".join(letter if letter.isprintable() else letter.encode("unicode_escape").decode() for letter in text)


class AudioFileError(NeuralAmpError):
    """A sound file that cannot be read or written."""


class PairError(NeuralAmpError):
    """A direct take and its amped take that cannot be learned from."""


class RecipeError(NeuralAmpError):
    """A training recipe with an unknown or impossible setting."""


class TrainingError(NeuralAmpError):
    """A training that cannot go on: a checkpoint of another pair, a loss that is no number."""


class NetError(NeuralAmpError):
    """A net whose config or weights do not hold together."""


class CaptureError(NeuralAmpError):
    """A capture file that cannot be opened, or does not hold what it claims."""


class PluginError(NeuralAmpError):
    """A plugin of others that cannot be opened, or has stopped."""


class KnobError(NeuralAmpError):
    """A knob that does not exist, or a value outside its range."""


class RigError(NeuralAmpError):
    """A rig file that cannot be built into a chain."""


class ReampError(NeuralAmpError):
    """A batch that cannot be re-amped as asked: no takes, outputs of one name, outputs that are already there."""


class MessageError(NeuralAmpError):
    """A line that says nothing the program can do, or names what the rig does not have."""


class EngineError(NeuralAmpError):
    """Something asked of the engine that it cannot do while it plays."""


class RateError(NeuralAmpError):
    """Two sample rates that no filter of a sensible size brings together."""


class DeviceError(NeuralAmpError):
    """An audio device that is absent, busy or unable to do what was asked."""


class MidiError(NeuralAmpError):
    """A MIDI port or map that is absent, or says what is not possible."""


class MeasureError(NeuralAmpError):
    """A measure that is not defined for these signals."""
