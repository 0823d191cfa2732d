"""Where the files that neuralamp ships lie: inside an installed package, or at the top of a checkout."""

from pathlib import Path

_PACKAGE = Path(__file__).parent


def shipped(folder: str) -> Path:
    """The folder of shipped files by its name in the checkout: "amp_models", "training/recipes", "realtime/devices"."""
    installed = _PACKAGE / "shipped" / folder
    return installed if installed.is_dir() else _PACKAGE.parents[1] / folder
