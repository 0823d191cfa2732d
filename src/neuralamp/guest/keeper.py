"""The player's side of workers: started as processes of their own, watched while they play, ended with what plays through them.

`Keeper` has one worker, for whom a file waits. `LiveKeeper` has one that plays and one that is ready to take its place.
"""

import json
import os
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections import deque
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

from neuralamp.dsp.kernel_cache import kernel_cache_root
from neuralamp.guest.link import Link

OPENING_SECONDS = 20.0  # until a graph is known, or settled
ANSWER_SECONDS = 10.0  # for one buffer: 0.1 s of sound at most
WATCH_SECONDS = 0.05  # between two looks at a worker
MOST_SAID = 2**24  # bytes of an answer; the facts of the largest graph have 2^18, and a plugin's state may be large
LIVE_ANSWER_SECONDS = 0.5  # a live worker that owes an answer for so long hangs
MOST_FALLS, FALLS_SECONDS = 3, 60.0  # a live worker that falls so often within so long stays off

DEATHS = {
    "SIGKILL": "it was killed, by someone or because the machine ran out of memory; play fewer at once (--jobs)",
    "SIGXCPU": "it computed for a minute before its first sound; it is too large to play",
}

Start = Callable[[int], subprocess.Popen]
"""Starts the worker of a number."""


def start_worker(
    *words: str | Path, module: str = "neuralamp.guest.worker", told: str = "", clean: bool = True, passed: tuple[int, ...] = ()
) -> subprocess.Popen:
    """A worker process: the modules of this one, its input a pipe that it must not outlive.

    told   what it reads there first.
    clean  whether it gets nothing of our environment; what is installed here may need it, a stranger's file does not.
    """
    environment = ({} if clean else dict(os.environ)) | {
        "PYTHONPATH": os.pathsep.join(path for path in sys.path if path),
        "NEURALAMP_CACHE": str(kernel_cache_root().parent),
        "OPENBLAS_NUM_THREADS": "1",  # numpy's library would start a thread for each core, and nobody would use them
    }
    environment |= {name: os.environ[name] for name in ("SYSTEMROOT",) if name in os.environ}  # Windows starts nothing without
    worker = subprocess.Popen(
        [sys.executable, "-P", "-s", "-m", module, *map(str, words)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        cwd=tempfile.gettempdir(),
        env=environment,
        pass_fds=passed,
        start_new_session=True,  # Ctrl-C is for the player, which then ends its workers
    )
    if told and worker.stdin:
        with suppress(BrokenPipeError):  # it has died already, and will be asked why
            worker.stdin.write(told.encode() + b"\n")
            worker.stdin.flush()
    return worker


def look(worker: subprocess.Popen, crashed: str, seconds: float = OPENING_SECONDS) -> dict[str, Any]:
    """What a worker that was started to look says; "facts", or why it has none as "refused"."""
    started = time.monotonic()
    timer = threading.Timer(seconds, worker.kill)
    timer.start()
    try:
        said = worker.stdout.read(MOST_SAID) if worker.stdout else b""
    finally:
        timer.cancel()
        _end(worker)
    late = seconds if time.monotonic() - started >= seconds else 0.0
    heard = _heard(said)
    return heard if "facts" in heard else {"refused": _reason(worker, heard, late, crashed)}


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


def _reason(worker: subprocess.Popen, heard: dict[str, Any], late: float, crashed: str) -> str:
    """Why a worker that has ended has ended: its own words, else what the system says."""
    if "refused" in heard:
        return str(heard["refused"])
    if late:
        return f"it has not answered for {late:g} seconds; it is too slow, or never ends"
    code = worker.returncode
    name = signal.Signals(-code).name if code < 0 else f"exit code {code}"
    return DEATHS.get(name, f"{crashed} ({name})")


class _Looks:
    """How long a worker has owed an answer, in looks and not in seconds: a machine that slept is not held against it."""

    def __init__(self) -> None:
        self._looks, self._answered = 0, -1

    def too_late(self, link: Link, number: int, limit: float) -> float:
        """To be asked every WATCH_SECONDS: the seconds that the worker had, if it has had them; else 0."""
        ready, (asked, answered) = link.is_ready(number), link.counts()
        self._looks = self._looks + 1 if answered == self._answered and not (ready and asked == answered) else 0
        self._answered = answered
        seconds = limit if ready else OPENING_SECONDS
        return seconds if self._looks * WATCH_SECONDS > seconds else 0.0


class Keeper:
    """A worker that plays, and the thread that watches it.

    reason  why it has ended before it was told to; empty while it plays.
    """

    def __init__(self, link: Link, start: Start, crashed: str):
        self.link, self.reason, self.ended, self._crashed = link, "", False, crashed
        self.link.let_play(1)
        self.worker = start(1)
        threading.Thread(target=self._watch, name="neuralamp guest", daemon=True).start()

    def wait_until_ready(self) -> None:
        """Until the worker has settled, or ended: no longer than OPENING_SECONDS."""
        while not self.link.is_ready(1) and not self.reason:
            time.sleep(0.005)

    def end(self) -> None:
        """Nobody listens any more."""
        self.ended = True
        self.worker.kill()

    def _watch(self) -> None:
        late = self._wait()
        reason = _last_words(self.worker, late, self._crashed)
        if not self.ended:
            self.reason = reason
        self.link.say_gone()

    def _wait(self) -> float:
        """Until the worker has ended. One that owes an answer for too long is killed: then the seconds that it was given."""
        looks = _Looks()
        while True:
            try:
                self.worker.wait(WATCH_SECONDS)
                return 0.0
            except subprocess.TimeoutExpired:
                pass
            if late := looks.too_late(self.link, 1, ANSWER_SECONDS):
                return late


def _last_words(worker: subprocess.Popen, late: float, crashed: str) -> str:
    """End a worker, whatever it does; why it has ended."""
    worker.kill()
    worker.wait()
    said = worker.stdout.read(MOST_SAID) if worker.stdout else b""
    _end(worker)
    return _reason(worker, _heard(said), late, crashed)


class LiveKeeper:
    """A worker that plays live, a second one that waits with everything loaded, and the thread that watches both.

    When the first falls (it ends, or owes an answer for LIVE_ANSWER_SECONDS) the second takes its place at once, and another is
    started in the background. After MOST_FALLS within FALLS_SECONDS both are ended for good.

    reason  why the last one fell, empty while none has; `off` says that it stays so.
    """

    def __init__(self, link: Link, start: Start, crashed: str):
        self.link, self.reason, self.off = link, "", False
        self._start, self._crashed, self._ended = start, crashed, threading.Event()
        self._falls: deque[float] = deque(maxlen=MOST_FALLS)
        self._number = 1
        self.workers = [start(1)]
        self._take_over(1)
        self._thread = threading.Thread(target=self._watch, name="neuralamp worker", daemon=True)

    @property
    def trouble(self) -> str:
        """What a player should know now, in one line; empty while all is well."""
        if self.off:
            return f"it is off and the sound is dry: {len(self._falls)} falls in {FALLS_SECONDS:g} s; the last time {self.reason}"
        return f"it was started again: {self.reason}" if self.reason else ""

    @property
    def prepared(self) -> bool:
        """Whether another worker could take over at once."""
        return self.link.is_ready(self._number)

    def wait_until_ready(self) -> str:
        """Until the first worker has settled, and then watch; or why it has not."""
        looks = _Looks()
        while not self.link.is_ready(1):
            if (late := looks.too_late(self.link, 1, OPENING_SECONDS)) or self.workers[0].poll() is not None:
                return _last_words(self.workers.pop(), late, self._crashed)
            time.sleep(WATCH_SECONDS)
        self._start_another()
        self._thread.start()
        return ""

    def end(self) -> None:
        """Nobody listens any more."""
        self._ended.set()
        for worker in list(self.workers):
            worker.kill()

    def _take_over(self, number: int) -> None:
        self._plays, self._looks = number, _Looks()
        self.link.let_play(number)

    def _start_another(self) -> None:
        self._number += 1
        self.workers.append(self._start(self._number))

    def _watch(self) -> None:
        while not self._ended.wait(WATCH_SECONDS) and not self.off:
            late = self._looks.too_late(self.link, self._plays, LIVE_ANSWER_SECONDS)
            for worker, its in ((self.workers[0], late), (self.workers[1], 0.0)):
                if its or worker.poll() is not None:
                    self._fell(worker, its)
                    break
        for worker in self.workers:
            _last_words(worker, 0.0, self._crashed)

    def _fell(self, worker: subprocess.Popen, late: float) -> None:
        """Let the other one play, and start another, unless this has happened too often."""
        played = worker is self.workers[0]
        self.workers.remove(worker)
        reason = _last_words(worker, late, self._crashed)
        if self._ended.is_set():
            return
        self.reason = reason
        self._falls.append(time.monotonic())
        if len(self._falls) == MOST_FALLS and self._falls[-1] - self._falls[0] < FALLS_SECONDS:
            self.off = True
            return
        if played:
            self._take_over(self._number)
        self._start_another()
