"""What many rooms' tests share."""

import os
from pathlib import Path

import pytest


@pytest.fixture(scope="session")
def recordings() -> Path:
    """The folder of real recordings: NEURALAMP_DATA, or ../shared/data beside the checkout."""
    default = Path(__file__).resolve().parents[2] / "shared" / "data"
    folder = Path(os.environ.get("NEURALAMP_DATA", default))
    if not (folder / "pairs").is_dir():
        pytest.skip(f"no recordings in {folder}; set NEURALAMP_DATA")
    return folder
