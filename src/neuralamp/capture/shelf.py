"""The shelf: the captures that neuralamp ships, by name."""

from pathlib import Path

from neuralamp.errors import CaptureError
from neuralamp.resources import shipped


def shelf() -> dict[str, Path]:
    """Every capture on the shelf: its name and its file."""
    return {file.parent.name: file for file in sorted(shipped("amp_models").glob("*/capture.onnx"))}


def find_capture(name: str | Path) -> Path:
    """A capture's file by its path, or by its name on the shelf. Raises CaptureError where there is neither."""
    path = Path(name)
    if path.exists():
        return path
    on_shelf = shelf()
    if str(name) in on_shelf:
        return on_shelf[str(name)]
    raise CaptureError(f"{name} is neither a file nor on the shelf; on the shelf are: {', '.join(on_shelf) or 'none'}")
