"""Where compiled kernels are kept on disk, so that only the first start ever compiles.

numba's own cache looks at the file of the decorated function only: after an edit in a function that it calls, a stale kernel
would play silently. So the folder's name is a hash of every source that holds or can reach a kernel, and of the compilers.
"""

import hashlib
import os
import re
import shutil
import tempfile
import time
from contextlib import suppress
from importlib.metadata import version
from pathlib import Path

from platformdirs import user_cache_path

UNUSED_DAYS = 14
_PACKAGE = Path(__file__).parents[1]
_COMPILED = re.compile(r"^\s*@(kernel|node|numba)\b", re.MULTILINE)


def kernel_sources() -> list[Path]:
    """All of dsp/, and every other file of the package in which something is compiled."""
    return sorted(
        path
        for path in _PACKAGE.rglob("*.py")
        if path.parent == _PACKAGE / "dsp" or _COMPILED.search(path.read_text(encoding="utf-8"))
    )


def kernel_cache_folder() -> Path:
    """The folder of kernels compiled from exactly these sources by exactly these compilers."""
    digest = hashlib.sha256()
    for package in ("numba", "llvmlite", "numpy"):
        digest.update(f"{package} {version(package)}\n".encode())
    for path in kernel_sources():
        digest.update(path.relative_to(_PACKAGE).as_posix().encode() + b"\0" + path.read_bytes() + b"\0")
    return kernel_cache_root() / digest.hexdigest()[:16]


def kernel_cache_root() -> Path:
    """The folder above all versions of the kernels; NEURALAMP_CACHE moves it."""
    return Path(os.environ.get("NEURALAMP_CACHE") or user_cache_path("neuralamp")) / "kernels"


def open_kernel_cache() -> Path:
    """Make the folder, mark it as used today, sweep those that nobody has used for two weeks.

    Where the user's cache folder cannot be written, a temporary one serves, and the next start compiles again.
    """
    folder = kernel_cache_folder()
    try:
        folder.mkdir(parents=True, exist_ok=True)
        os.utime(folder)
    except OSError:
        return Path(tempfile.mkdtemp(prefix="neuralamp-kernels-"))
    oldest = time.time() - UNUSED_DAYS * 86400.0
    for other in folder.parent.iterdir():
        with suppress(FileNotFoundError):  # another process may be sweeping the same folder
            if other.stat().st_mtime < oldest:
                shutil.rmtree(other, ignore_errors=True)
    return folder
