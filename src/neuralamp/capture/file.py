"""Captures in and out of files: what the content is decides how it is read, the ending how it is written.

Opening reads bytes and numbers and nothing else: no code, no other file, and no allocation that
the file's own size does not cover.
"""

from pathlib import Path

from neuralamp.audio import atomic_path
from neuralamp.capture.capture import Capture
from neuralamp.capture.content import read_content
from neuralamp.capture.formats import Format, formats
from neuralamp.errors import CaptureError, NetError


def open_capture(path: Path | str) -> Capture:
    """Read a capture of any format and hold it together. Raises CaptureError, in one line, for anything else."""
    path = Path(path)
    content = read_content(path)
    format_ = next((known for known in formats().values() if known.recognises(content)), None)
    if format_ is None:
        names = ", ".join(known.NAME for known in formats().values())
        raise CaptureError(f"{path} is no capture; it was cut short or is something else, so fetch it again. Known are: {names}")
    try:
        return format_.read(content)
    except (CaptureError, NetError) as reason:
        raise CaptureError(f"{path} cannot be opened: {reason}") from None


def save_capture(path: Path | str, capture: Capture) -> None:
    """Write a capture whole or not at all, in the format that the ending names. Raises CaptureError for what it cannot hold."""
    path = Path(path)
    try:
        data = _format_of(path).write(capture)
    except (CaptureError, NetError) as reason:
        raise CaptureError(f"{path} cannot be written: {reason}") from None
    with atomic_path(path) as partial:
        partial.write_bytes(data)


def _format_of(path: Path) -> Format:
    for known in formats().values():
        if path.name.lower().endswith(known.ENDINGS):
            return known
    raise CaptureError(f"a capture ends in {', '.join(endings())}")


def endings() -> list[str]:
    """Every ending that a capture can be written with."""
    return [ending for known in formats().values() for ending in known.ENDINGS]
