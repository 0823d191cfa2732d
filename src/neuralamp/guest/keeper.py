"""The player's side of a worker: started in a clean environment, watched while it plays, ended with what plays through it."""

import json
import os
import signal
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path
from typing import Any

from neuralamp.dsp.kernel_cache import kernel_cache_root
from neuralamp.errors import CaptureError
from neuralamp.guest.link import Link

OPENING_SECONDS = 20.0  # until a graph is known, or settled
ANSWER_SECONDS = 10.0  # for one buffer: 0.1 s of sound at most
WATCH_SECONDS = 0.05  # between two looks at a worker
MOST_SAID = 2**20  # bytes of an answer; the facts of the largest graph have a quarter of it

DEATHS = {
    "SIGKILL": "it was killed, by someone or because the machine ran out of memory; try again with fewer --jobs",
    "SIGXCPU": "it computed for a minute before its first sound; it is too large to play",
}


def start_worker(*words: str | Path, passed: tuple[int, ...] = ()) -> subprocess.Popen:
    """A worker process: the modules of this one, nothing else of its environment, its input a pipe that it must not outlive."""
    environment = {
        "PYTHONPATH": os.pathsep.join(path for path in sys.path if path),
        "NEURALAMP_CACHE": str(kernel_cache_root().parent),
        "OPENBLAS_NUM_THREADS": "1",  # numpy's library would start a thread for each core, and nobody would use them
    }
    environment |= {name: os.environ[name] for name in ("SYSTEMROOT",) if name in os.environ}  # Windows starts nothing without
    return subprocess.Popen(
        [sys.executable, "-P", "-s", "-m", "neuralamp.guest.worker", *map(str, words)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        cwd=tempfile.gettempdir(),
        env=environment,
        pass_fds=passed,
        start_new_session=True,  # Ctrl-C is for the player, which then ends its workers
    )


def look(path: Path) -> dict[str, Any]:
    """What a worker finds a graph to be. Raises CaptureError where it refuses it, or does not come back with an answer."""
    worker = start_worker("look", path.absolute())
    started = time.monotonic()
    timer = threading.Timer(OPENING_SECONDS, worker.kill)
    timer.start()
    try:
        said = worker.stdout.read(MOST_SAID) if worker.stdout else b""
    finally:
        timer.cancel()
        _end(worker)
    late = OPENING_SECONDS if time.monotonic() - started >= OPENING_SECONDS else 0.0
    heard = _heard(said)
    if "facts" not in heard:
        raise CaptureError(f"{path} cannot be played: {_reason(worker, heard, late)}")
    return heard["facts"]


def _end(worker: subprocess.Popen) -> None:
    """It has nothing to put away: it is killed, and its pipes are closed."""
    worker.kill()
    worker.wait()
    for pipe in (worker.stdin, worker.stdout):
        if pipe:
            pipe.close()


def _heard(said: bytes) -> dict[str, Any]:
    """The line that a worker has left, or nothing."""
    try:
        heard = json.loads(said)
    except ValueError:  # UnicodeDecodeError is one
        return {}
    return heard if isinstance(heard, dict) else {}


def _reason(worker: subprocess.Popen, heard: dict[str, Any], late: float) -> str:
    """Why a worker that has ended has ended: its own words, else what the system says."""
    if "refused" in heard:
        return str(heard["refused"])
    if late:
        return f"it has not answered for {late:g} seconds; it is too slow, or never ends"
    code = worker.returncode
    name = signal.Signals(-code).name if code < 0 else f"exit code {code}"
    return DEATHS.get(name, f"onnxruntime crashed on it ({name}); export the net again")


class Keeper:
    """A worker that plays, and the thread that watches it.

    reason  why it has ended before it was told to; empty while it plays.
    """

    def __init__(self, path: Path, max_frames: int, past_frames: int, settling_frames: int):
        self.link, self.reason, self.ended = Link.make(max_frames), "", False
        words = (path.absolute(), self.link.word, max_frames, past_frames, settling_frames)
        self.worker = start_worker("play", *map(str, words), passed=self.link.passed)
        self.link.close_passed()
        threading.Thread(target=self._watch, name="neuralamp guest", daemon=True).start()

    def wait_until_ready(self) -> None:
        """Until the worker has settled, or ended: no longer than OPENING_SECONDS."""
        while not self.link.is_ready() and not self.reason:
            time.sleep(0.005)

    def end(self) -> None:
        """Nobody listens any more."""
        self.ended = True
        self.worker.kill()

    def _watch(self) -> None:
        late = self._wait()
        said = self.worker.stdout.read(MOST_SAID) if self.worker.stdout else b""
        _end(self.worker)
        if not self.ended:
            self.reason = _reason(self.worker, _heard(said), late)
        self.link.say_gone()

    def _wait(self) -> float:
        """Until the worker has ended. One that owes an answer for too long is killed: then the seconds that it was given.

        Looks are counted and not seconds, so that a machine that slept, or a player that was stopped, is not held against it.
        """
        looks, answered_before = 0, -1
        while True:
            try:
                self.worker.wait(WATCH_SECONDS)
                return 0.0
            except subprocess.TimeoutExpired:
                pass
            ready, (asked, answered) = self.link.is_ready(), self.link.counts()
            looks = looks + 1 if answered == answered_before and not (ready and asked == answered) else 0
            answered_before = answered
            limit = ANSWER_SECONDS if ready else OPENING_SECONDS
            if looks * WATCH_SECONDS > limit:
                self.worker.kill()
                self.worker.wait()
                return limit
