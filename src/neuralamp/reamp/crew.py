"""Processes that do jobs side by side. One that dies takes only its own job with it.

They are started afresh ("spawn"), which is the same on every system and safe beside other threads; the kernels they play were
compiled before, so each loads them from disk.
"""

import multiprocessing
import signal
import sys
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from functools import partial
from multiprocessing.connection import Connection, wait
from typing import Any

from neuralamp.errors import NeuralAmpError
from neuralamp.reamp.take import Job, Outcome, Settings, play_job
from neuralamp.rig import Rig

BEGIN = "begin"
REPORT_SECONDS = 0.1
STOP_SECONDS = 20.0  # for a worker to take back what it has half written

Begin = Callable[[Job], None]
Played = Callable[[Job, float], None]
Finished = Callable[[Job, Outcome], None]
Calls = tuple[Begin, Played, Finished]
"""What a crew calls, in this process: before the first byte of an output is written, which waits for it; now and then, with the
share of a take that has been played; once for every job."""


def work(size: int, jobs: Sequence[Job], rigs: Sequence[Rig], settings: Settings, calls: Calls) -> None:
    """Do the jobs in `size` processes; a single one is this process itself."""
    if size > 1:
        _work_together(size, jobs, rigs, settings, calls)
        return
    begin, played, finished = calls
    for job in jobs:
        finished(job, play_job(job, rigs[job.rig], settings, partial(begin, job), partial(played, job)))


def _work_together(size: int, jobs: Sequence[Job], rigs: Sequence[Rig], settings: Settings, calls: Calls) -> None:
    begin, played, finished = calls
    waiting = list(reversed(jobs))
    crew: dict[Connection, _Worker] = {}
    try:
        while waiting or crew:
            while waiting and len(crew) < size:
                worker = _Worker(rigs, settings)
                crew[worker.line] = worker
                worker.take(waiting.pop())
            for line in wait(list(crew)):
                worker = crew[line]  # type: ignore[index]  # wait gives back what it was given
                message = worker.hear()
                if message == BEGIN:
                    worker.answer(begin)
                elif isinstance(message, Outcome):
                    finished(worker.job, message)
                    if waiting and not worker.dead:
                        worker.take(waiting.pop())
                    else:
                        del crew[worker.line]
                        worker.dismiss()
                else:
                    played(worker.job, message)
    finally:
        for worker in crew.values():
            worker.process.terminate()
        for worker in crew.values():
            worker.dismiss()


class _Worker:
    """A process, the line to it, and the job that it does."""

    job: Job

    def __init__(self, rigs: Sequence[Rig], settings: Settings):
        context = multiprocessing.get_context("spawn")
        self.line, other_end = context.Pipe()
        self.process = context.Process(target=_work, args=(other_end, rigs, settings), daemon=True)
        with _ctrl_c_ignored():
            self.process.start()
        other_end.close()  # so that its death is heard on the line
        self.dead = False

    def take(self, job: Job) -> None:
        self.job = job
        with suppress(OSError):  # dead already: heard on the line
            self.line.send(job)

    def hear(self) -> Any:
        """BEGIN, a share of the take, or what has become of the job."""
        try:
            return self.line.recv()
        except (EOFError, OSError):
            self.dead = True
            self.process.join()
            return Outcome(
                error=f"{self.job.input} failed: the process that played it died (exit code {self.process.exitcode}); "
                "if memory ran out, try fewer --jobs"
            )

    def answer(self, begin: Begin) -> None:
        refusal = None
        try:
            begin(self.job)
        except NeuralAmpError as reason:
            refusal = reason
        with suppress(OSError):
            self.line.send(refusal)

    def dismiss(self) -> None:
        """Let it go, and see to it that it goes."""
        self.line.close()
        self.process.join(STOP_SECONDS)
        if self.process.is_alive():
            self.process.kill()
            self.process.join()


@contextmanager
def _ctrl_c_ignored() -> Iterator[None]:
    """A process that is started in here never hears Ctrl-C, which is for its parent; the parent then tells it."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    before = signal.signal(signal.SIGINT, signal.SIG_IGN)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)


def _work(line: Connection, rigs: Sequence[Rig], settings: Settings) -> None:
    """The life of a worker: until its line is cut, or it is told to stop. Its next report tells it that its parent was killed."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))  # by way of every `finally`: nothing half-written stays

    def begin() -> None:
        line.send(BEGIN)
        if (refusal := line.recv()) is not None:
            raise refusal

    heard = 0.0

    def report(share: float) -> None:
        nonlocal heard
        if time.monotonic() - heard > REPORT_SECONDS:
            heard = time.monotonic()
            line.send(share)

    with suppress(EOFError, OSError):  # the line is cut: dismissed, or the parent was killed
        while True:
            job = line.recv()
            line.send(play_job(job, rigs[job.rig], settings, begin, report))
