"""What lies in a file, before anyone knows what it is: read once, never larger than a capture can be."""

import json
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

from neuralamp.capture.json_table import Table
from neuralamp.errors import CaptureError

MOST_BYTES = 256 * 2**20  # the largest net that a config allows has 80 MB of weights
MOST_JSON_BYTES = 32 * 2**20  # a hundred times the largest in the wild; as Python's numbers it takes some 20 times as much


@dataclass(frozen=True)
class Content:
    """A file's bytes, and the JSON object in them if they are one."""

    path: Path
    data: bytes

    @property
    def is_json(self) -> bool:
        """Whether it begins as a JSON object does."""
        return self.data.lstrip(b"\xef\xbb\xbf \t\r\n")[:1] == b"{"

    @cached_property
    def table(self) -> Table:
        """The JSON object. Raises CaptureError for text that is none."""
        if len(self.data) > MOST_JSON_BYTES:
            raise CaptureError(f"it has {len(self.data)} bytes of JSON; a capture has at most {MOST_JSON_BYTES}")
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
    try:
        if not path.is_file():
            raise CaptureError(f"{path} is {'not a file' if path.exists() else 'not there'}; give the path of a capture")
        size = path.stat().st_size
        if size > MOST_BYTES:
            raise CaptureError(f"{path} has {size} bytes; a capture has at most {MOST_BYTES}")
        return Content(path, path.read_bytes())
    except OSError as reason:
        raise CaptureError(f"{path} cannot be read ({reason.strerror}); check the name") from None


def _refuse(word: str) -> Any:
    raise ValueError(f"{word} is no number of a capture")
