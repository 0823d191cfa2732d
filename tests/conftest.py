"""What every test may ask for."""

import os
from pathlib import Path

import pytest


@pytest.fixture(scope="session")
def recordings() -> Path:
    """The folder of real recordings: NEURALAMP_DATA, or ../shared/data beside the checkout."""
    beside = Path(__file__).parents[1].parent / "shared" / "data"
    folder = Path(os.environ.get("NEURALAMP_DATA", beside))
    if not (folder / "di").is_dir():
        pytest.skip(f"no recordings at {folder}; set NEURALAMP_DATA to their folder")
    return folder
