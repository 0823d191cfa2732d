"""The two C programs of the proofs: compiled when they are first needed, and the audio thread that one of them is."""

import ctypes
import hashlib
import os
import shutil
import subprocess
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from neuralamp.dsp.kernel_cache import kernel_cache_root
from neuralamp.engine import Engine
from neuralamp.live.plug import Plug

HERE = Path(__file__).parent
PLAIN, SEALED, TIMED = 0, 1, 2
CAUGHT = 3  # exit status of a process whose sealed audio thread tried a system call
NANOSECONDS = 4_000_000  # the histogram's bins: 1 ns each, up to 4 ms
WARM_UP = 1000  # buffers before the watch begins: the first ones touch memory for the first time


def compiled(name: str) -> Path:
    """The shared library of a C file beside this one, from the cache or from the compiler `cc`."""
    source = HERE / f"{name}.c"
    folder = kernel_cache_root().parent / "proofs"
    library = folder / f"{name}-{hashlib.sha256(source.read_bytes()).hexdigest()[:16]}.so"
    if not library.exists():
        compiler = shutil.which("cc")
        if compiler is None:
            raise SystemExit("the proofs need a C compiler named cc; on Debian and Ubuntu: sudo apt install gcc libc6-dev")
        folder.mkdir(parents=True, exist_ok=True)
        partial = folder / f".{name}-{os.getpid()}.so"
        options = ["-O2", "-Wall", "-Wextra", "-shared", "-fPIC", "-pthread"]
        subprocess.run([compiler, *options, str(source), "-o", str(partial), "-ldl"], check=True)
        partial.replace(library)
    return library


class _Drive(ctypes.Structure):
    """`struct drive` of drive.c."""

    _fields_ = tuple(
        (name, ctypes.c_void_p if name in ("callback", "stage", "take", "output", "lengths", "histogram") else ctypes.c_int64)
        for name in (
            "callback", "stage", "take", "take_frames", "inputs", "output", "lengths", "length_count", "buffers", "warm_up",
            "mode", "histogram", "bins", "played", "started", "refused",
        )
    )  # fmt: skip


class AudioThread:
    """A thread of C that plays an engine's callback, or the empty one, without rest.

    take     (inputs, frames) float32, read around and around.
    lengths  of the buffers, likewise.
    """

    def __init__(
        self, engine: Engine | Plug | None, take: np.ndarray, lengths: Sequence[int], buffers: int, mode: int, outputs: int = 8
    ):
        self._library = ctypes.CDLL(str(compiled("drive")))
        self._take = np.ascontiguousarray(take.T, np.float32)
        self._lengths = np.array(lengths, np.int64)
        self._output = np.zeros((int(self._lengths.max()), outputs), np.float32)
        self.histogram = np.zeros(NANOSECONDS if mode == TIMED else 1, np.int64)
        empty = ctypes.cast(self._library.empty_callback, ctypes.c_void_p).value
        self._engine = engine  # what the callback plays on must outlive the thread
        self._drive = _Drive(
            engine.callback_address if engine else empty,
            engine.stage_address if engine else None,
            self._take.ctypes.data,
            take.shape[1],
            take.shape[0],
            self._output.ctypes.data,
            self._lengths.ctypes.data,
            self._lengths.size,
            buffers,
            min(WARM_UP, buffers // 2),
            mode,
            self.histogram.ctypes.data,
            self.histogram.size,
        )
        self.buffers = buffers

    def start(self) -> None:
        if self._library.drive_start(ctypes.byref(self._drive)):
            raise SystemExit("the audio thread could not be started; is the limit of threads reached?")

    def join(self) -> None:
        """Wait for its last buffer. The GIL is free meanwhile."""
        self._library.drive_join()

    @property
    def played(self) -> int:
        return self._drive.played

    @property
    def done(self) -> bool:
        return self.played >= self.buffers or self.refused

    @property
    def refused(self) -> bool:
        """Whether the kernel would not seal the thread off."""
        return bool(self._drive.refused)


def forbidden_calls() -> dict[str, int]:
    """What the interposer, loaded before this process began, has counted on the audio thread since its watch began."""
    library = ctypes.CDLL(None)
    library.interpose_name.restype = ctypes.c_char_p
    library.interpose_count.restype = ctypes.c_long
    counts = {library.interpose_name(k).decode(): library.interpose_count(k) for k in range(library.interpose_kinds())}
    return {name: count for name, count in counts.items() if count}
