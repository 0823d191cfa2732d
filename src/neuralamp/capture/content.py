"""What lies in a file, before anyone knows what it is: read once, never larger than a capture can be."""

import json
import re
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

from neuralamp.capture.json_table import Table
from neuralamp.errors import CaptureError
from neuralamp.files import read_small_file

MOST_BYTES = 16 * 2**20  # a hundred times the largest in the wild; JSON of noughts takes fifty times as much in memory

AS_JSON = re.compile(rb"[\xef\xbb\xbf \t\r\n]*\{")
"""How a JSON object begins, however many blanks a file begins with."""

MARK = b"neuralamp.architecture"
"""What tells our own captures from other ONNX files: protobuf keeps texts as they are, so it is found without parsing."""


@dataclass(frozen=True)
class Content:
    """A file's bytes, and the JSON object in them if they are one."""

    path: Path
    data: bytes

    @property
    def is_json(self) -> bool:
        """Whether it begins as a JSON object does."""
        return AS_JSON.match(self.data) is not None

    @cached_property
    def table(self) -> Table:
        """The JSON object. Raises CaptureError for text that is none."""
        try:
            return Table(json.loads(self.data, parse_constant=_refuse), "")
        except RecursionError:
            raise CaptureError("it is nested too deeply; it is no capture, so fetch it again") from None
        except ValueError as reason:  # what json, unicode and int say of text that is none
            raise CaptureError(
                f"it is not whole JSON ({str(reason)[:80]}); it was cut short or changed, so fetch it again"
            ) from None


def read_content(path: Path) -> Content:
    """The content of a file of bearable size. Raises CaptureError for what is no such file."""
    return Content(path, read_small_file(path, MOST_BYTES, CaptureError))


def _refuse(word: str) -> Any:
    raise ValueError(f"{word} is no number of a capture")
