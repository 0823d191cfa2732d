"""What a worker says of a stranger's graph, and the words in which it refuses one."""

import re
from dataclasses import dataclass
from typing import ClassVar

from neuralamp.settings import NO_OTHER_KEYS

MOST_BYTES = 256 * 2**20  # of the file, as for our own captures
LONGEST_NAME, LONGEST_TEXT = 40, 160
_PREFIX = re.compile(r"\[ONNXRuntimeError\] : \d+ : ")


@dataclass(frozen=True)
class Facts:
    """A graph that may play.

    sound            its sound input and its shape: "x (1, 1, frames)".
    states           the same of each state.
    operators        how many nodes it has of each kind.
    weights          numbers in its initializers.
    frames           the one length of buffer that it takes; 0 for any.
    past_frames      of input that are put before each buffer: what a graph without states has to be told again.
    receptive_field  frames of input that one frame of output has heard, as measured on noise down to -120 dB.
    latency_frames   by how much its output is late: a graph with states and a fixed buffer has to wait for the buffer to fill.
    metadata         what its metadata says, and its producer, cut to `LONGEST_TEXT`.
    warnings         what a person should know, a line each.
    """

    __pydantic_config__: ClassVar = NO_OTHER_KEYS

    sound: str
    states: tuple[str, ...]
    operators: dict[str, int]
    weights: int
    frames: int
    past_frames: int
    receptive_field: int
    latency_frames: int
    metadata: dict[str, str]
    warnings: tuple[str, ...]


def shown(text: str | bytes, longest: int = LONGEST_NAME) -> str:
    """A text out of a stranger's file, fit for one line: short, and a question mark for whatever cannot be printed.

    protobuf gives bytes for what is not UTF-8.
    """
    text = text.decode("utf-8", "replace") if isinstance(text, bytes) else text
    printable = "".join(letter if letter.isprintable() else "?" for letter in " ".join(text.split()))
    return printable if len(printable) <= longest else printable[: longest - 3] + "..."


def one_line(reason: BaseException) -> str:
    """What a library complains of, in one line of bearable length."""
    return shown(_PREFIX.sub("", str(reason)), LONGEST_TEXT) or type(reason).__name__
