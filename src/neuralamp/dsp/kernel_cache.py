"""Where compiled kernels are kept on disk, so that only the first start ever compiles, and an edit only what it reaches.

numba's own cache looks at the file of the decorated function only: after an edit in a function that it calls, a stale kernel
would play silently. So the kernels of a file lie in a folder whose name is a hash of everything that the file can reach by its
imports, and of the compilers. Where the package itself lies does not matter: a wheel and a checkout of the same text share them.
"""

import hashlib
import os
import re
import shutil
import tempfile
import time
from collections.abc import Callable
from contextlib import suppress
from functools import cache
from importlib.metadata import version
from pathlib import Path

from numba.core.caching import _CacheLocator
from platformdirs import user_cache_path

UNUSED_DAYS = 14
_PACKAGE = Path(__file__).parents[1]
_EVERY_SOUND = _PACKAGE / "engine" / "stage.py"  # whatever is played goes through its kernels
_IMPORTED = re.compile(rf"^\s*(?:from|import) +({_PACKAGE.name}[\w.]*)(?: +import +(\([^)]*\)|.*))?", re.MULTILINE)


class KernelLocator(_CacheLocator):
    """Tells numba where the kernels of a file lie that is of this package or imports it; other files are not ours."""

    def __init__(self, py_func: Callable, source: Path):
        self._folder, self._line = kernel_folder(source), py_func.__code__.co_firstlineno

    def get_cache_path(self) -> str:
        return str(self._folder)

    def get_source_stamp(self) -> str:
        return ""  # it is in the folder's name

    def get_disambiguator(self) -> str:
        return str(self._line)

    @classmethod
    def from_function(cls, py_func: Callable, py_file: str) -> "KernelLocator | None":
        source = Path(py_file)
        if not source.is_file() or not _imported(source):
            return None
        found = cls(py_func, source)
        found.ensure_cache_path()
        return found


@cache
def kernel_folder(source: Path) -> Path:
    """The folder of kernels compiled from exactly this file and what it reaches, by exactly these compilers; used today."""
    digest = hashlib.sha256(_compilers())
    for name, path in sorted((_name(path), path) for path in reach(source)):
        digest.update(name.encode() + b"\0" + path.read_bytes() + b"\0")
    folder = open_kernel_cache() / f"{_name(source)}-{digest.hexdigest()[:16]}"
    with suppress(FileNotFoundError):
        os.utime(folder)
    return folder


def _name(source: Path) -> str:
    return ".".join(source.relative_to(_PACKAGE).with_suffix("").parts) if source.is_relative_to(_PACKAGE) else source.stem


def reach(source: Path) -> set[Path]:
    """A file, and all files of the package that its imports lead to."""
    found: set[Path] = set()
    todo = [source]
    while todo:
        path = todo.pop()
        if path not in found:
            found.add(path)
            todo += _imported(path)
    return found


@cache
def _imported(source: Path) -> tuple[Path, ...]:
    """The files that one imports itself: a module, or a package and those of its names that are modules."""
    files = []
    for module, names in _IMPORTED.findall(source.read_text(encoding="utf-8")):
        place = _PACKAGE.joinpath(*module.split(".")[1:])
        files += [place.with_suffix(".py"), place / "__init__.py"]
        files += [place / f"{name}.py" for name in re.findall(r"\w+", names)]
    return tuple(path for path in dict.fromkeys(files) if path.is_file())


@cache
def _compilers() -> bytes:
    return "".join(f"{package} {version(package)}\n" for package in ("numba", "llvmlite", "numpy")).encode()


def kernel_cache_root() -> Path:
    """The folder above all kernels; NEURALAMP_CACHE moves it."""
    return Path(os.environ.get("NEURALAMP_CACHE") or user_cache_path("neuralamp")) / "kernels"


@cache
def open_kernel_cache() -> Path:
    """Make that folder, and sweep what nobody has used for two weeks.

    Where the user's cache folder cannot be written, a temporary one serves, and the next start compiles again.
    """
    root = kernel_cache_root()
    try:
        root.mkdir(parents=True, exist_ok=True)
        tempfile.TemporaryFile(dir=root).close()
    except OSError:
        return Path(tempfile.mkdtemp(prefix="neuralamp-kernels-"))
    oldest = time.time() - UNUSED_DAYS * 86400.0
    for folder in root.iterdir():
        with suppress(FileNotFoundError):  # another process may be sweeping too
            if folder.stat().st_mtime < oldest:
                shutil.rmtree(folder, ignore_errors=True)
    return root


def kernels_are_cold() -> bool:
    """Whether nothing has been played yet with these sources: the first use will take a while, and should say so."""
    return not any(kernel_folder(_EVERY_SOUND).glob("*.nbc"))
