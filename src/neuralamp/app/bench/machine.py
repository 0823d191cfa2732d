"""What the machine can do at most, and how long a player is awaited: what the bench's figures stand beside."""

import os
import subprocess
import sys
import time
from pathlib import Path
from types import TracebackType

# A child process, so that the library's threads can be held to one; a word in, GFLOP in a CPU second out.
_SGEMM = """
import sys, time
import numpy as np
a, b = np.random.default_rng(0).standard_normal((2, 1024, 1024)).astype(np.float32)
c = a @ b
for _ in sys.stdin:
    start = time.thread_time()
    np.matmul(a, b, out=c)
    print(2 * 1024**3 / (time.thread_time() - start) / 1e9, flush=True)
"""
_ONE_THREAD = {f"{library}_NUM_THREADS": "1" for library in ("OPENBLAS", "MKL", "OMP", "VECLIB_MAXIMUM")}

# A program that plays a capture, from its first line to its first sound.
_FIRST_SOUND = """
import sys, time
import numpy as np
from pathlib import Path
from neuralamp.engine import Engine
from neuralamp.rig import capture_rig
Engine(capture_rig(Path(sys.argv[1])), 48000, max_frames=64).play(np.zeros((1, 64), np.float32))
print(time.time())
"""


class Sgemm:
    """The speed of a matrix product of 1024 x 1024 float32, one thread: what the multiplications of a net could be done at."""

    def __enter__(self) -> "Sgemm":
        self._child = subprocess.Popen(
            [sys.executable, "-c", _SGEMM], env=os.environ | _ONE_THREAD, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self._child.communicate()

    def __call__(self) -> float:
        """GFLOP/s of one product."""
        assert self._child.stdin and self._child.stdout
        self._child.stdin.write("again\n")
        self._child.stdin.flush()
        return float(self._child.stdout.readline())


def first_sound_seconds(capture: Path) -> float:
    """From the start of a fresh Python process to the first buffer of a capture's sound, its kernels compiled before."""
    start = time.time()
    done = subprocess.run([sys.executable, "-c", _FIRST_SOUND, str(capture)], capture_output=True, text=True, check=True)
    return float(done.stdout) - start
