"""A guitar amp learned once, travelling as one file, playing the same everywhere."""

__version__ = "0.1.0"
