"""Captures in and out of files: what the content is decides how it is read, the ending how it is written.

Opening reads bytes and numbers and nothing else: no code, no other file, and no allocation that
the file's own size does not cover.
"""

from pathlib import Path

from neuralamp.audio import atomic_path
from neuralamp.capture.capture import Capture
from neuralamp.capture.content import Content, read_content
from neuralamp.capture.formats import Format, formats
from neuralamp.errors import CaptureError, NetError


def open_capture(path: Path | str) -> Capture:
    """Read a capture of any format and hold it together. Raises CaptureError, in one line, for anything else."""
    content = read_content(Path(path))
    try:
        return _format_in(content).read(content)
    except (CaptureError, NetError) as reason:
        raise CaptureError(f"{path} cannot be opened: {reason}") from None


def format_of(path: Path | str) -> Format:
    """The format that a file is in, by its content. Raises CaptureError for none."""
    return _format_in(read_content(Path(path)))


def _format_in(content: Content) -> Format:
    for known in formats().values():
        if known.recognises(content):
            return known
    raise CaptureError(f"it is no capture, or was cut short; known are: {', '.join(known.NAME for known in formats().values())}")


def save_capture(path: Path | str, capture: Capture) -> None:
    """Write a capture whole or not at all, in the format that the ending names. Raises CaptureError for what it cannot hold."""
    data = encode_capture(path, capture)
    with atomic_path(path) as partial:
        partial.write_bytes(data)


def encode_capture(path: Path | str, capture: Capture) -> bytes:
    """What a file of this name would hold. Raises CaptureError for what the format of its ending cannot hold."""
    try:
        return _format_for(Path(path)).write(capture)
    except (CaptureError, NetError) as reason:
        raise CaptureError(f"{path} cannot be written: {reason}") from None


def _format_for(path: Path) -> Format:
    for known in formats().values():
        if path.name.lower().endswith(known.ENDINGS):
            return known
    raise CaptureError(f"a capture ends in {', '.join(endings())}")


def endings() -> list[str]:
    """Every ending that a capture can be written with."""
    return [ending for known in formats().values() for ending in known.ENDINGS]
