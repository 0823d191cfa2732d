"""The formats that captures travel in: one file each. The folder is the registry, and a file's content says which one it is.

A format's module gives

    NAME         what people call it
    ENDINGS      the file endings that it is written with, the usual one first; none if it is only read
    recognises   (content) -> whether the content looks like it; it need not be right
    read         (content) -> Capture, or CaptureError or NetError in one line about what is wrong
    write        (capture, path) -> bytes, where it has endings; CaptureError for what it cannot hold
"""

import importlib
import pkgutil
from functools import cache
from typing import Protocol, cast

from neuralamp.capture.capture import Capture
from neuralamp.capture.content import Content


class Format(Protocol):
    """What a module in this folder has."""

    NAME: str
    ENDINGS: tuple[str, ...]

    @staticmethod
    def recognises(content: Content) -> bool: ...

    @staticmethod
    def read(content: Content) -> Capture: ...

    @staticmethod
    def write(capture: Capture) -> bytes: ...


@cache
def formats() -> dict[str, Format]:
    """Every format by the name of its module."""
    names = sorted(module.name for module in pkgutil.iter_modules(__path__))
    return {name: cast(Format, importlib.import_module(f"{__name__}.{name}")) for name in names}
