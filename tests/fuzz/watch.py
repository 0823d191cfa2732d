"""The watch over the child: gives it cases, counts its time, buries it, and starts another."""

import json
import os
import select
import signal
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path

from tests.fuzz.cases import Workplace
from tests.fuzz.readers import Reader

MOST_SECONDS = 5.0
MOST_MIB = 1024
START_SECONDS = 240.0  # kernels may have to be compiled
GLANCE_SECONDS = 0.1
FAILURES = ("crash", "hang", "memory", "traceback", "bad line", "outside", "shut")
"""Every kind of outcome but "opened", "refused", and "contained", where a worker alone comes to harm; "shut" is a good file that
was not opened."""
TICKS = os.sysconf("SC_CLK_TCK")


@dataclass(frozen=True)
class Outcome:
    """What became of a case.

    where  the place in the source where an exception came from.
    ms     of processor time.
    mib    of memory above what the child had before, at its highest.
    """

    kind: str
    line: str = ""
    where: str = ""
    ms: float = 0.0
    mib: float = 0.0

    @property
    def failed(self) -> bool:
        return self.kind in FAILURES


class Watch:
    """One child at a time, that outlives as many cases as it can. Use it in a `with`.

    Time is what the child computes, and what it sleeps: a machine that is busy with something else, or stands still, is no hang.
    """

    def __init__(self, place: Workplace, most_seconds: float = MOST_SECONDS, more_mib: int = MOST_MIB):
        self.place, self.most_seconds, self.more_mib = place, most_seconds, more_mib
        self.starts = 0
        self._child: subprocess.Popen | None = None
        self._heard = b""
        self._good: list[tuple[Reader, Path]] = []

    def __enter__(self) -> "Watch":
        return self

    def __exit__(self, *_: object) -> None:
        self._bury()

    def warm(self, reader: Reader) -> None:
        """Open the good files of a reader without limits, in this child and every later one, so that its kernels are compiled."""
        good = [(reader, path) for path in self.place.seeds(reader)]
        self._good += good
        if self._child is not None:
            self._make_ready(good)

    def open(self, reader: Reader, path: Path) -> Outcome:
        """Have the child open a file."""
        if self._child is None:
            self._start()
        reply = self._ask({"reader": reader.name, "path": str(path)}, self.most_seconds)
        if isinstance(reply, Outcome):
            self._bury()
            return reply
        outcome = Outcome(**reply)
        if not outcome.failed and outcome.mib > MOST_MIB:
            return Outcome("memory", f"{outcome.mib:.0f} MiB were taken", "", outcome.ms, outcome.mib)
        if not outcome.failed and outcome.ms > 1000.0 * self.most_seconds:
            return Outcome("hang", f"{outcome.ms:.0f} ms were needed", "", outcome.ms, outcome.mib)
        return outcome

    def _start(self) -> None:
        self._errors = tempfile.TemporaryFile()  # noqa: SIM115  lives as long as the child
        command = [sys.executable, "-m", "tests.fuzz.child", str(self.place.root), str(self.place.outside)]
        single = dict.fromkeys(("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"), "1")
        self._child = subprocess.Popen(
            command,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=self._errors,
            cwd=Path(__file__).parents[2],
            env=os.environ | single,
            start_new_session=True,  # Ctrl-C is for the watch, which keeps what was found
        )
        self.starts += 1
        self._heard = b""
        self._make_ready(self._good)

    def _make_ready(self, good: list[tuple[Reader, Path]]) -> None:
        """Good files without limits, then the limits."""
        self._ask({"more_bytes": None}, START_SECONDS)
        for reader, path in good:
            reply = self._ask({"reader": reader.name, "path": str(path)}, START_SECONDS)
            if isinstance(reply, Outcome) or reply["kind"] != "opened":
                raise RuntimeError(f"the good file {path} is not opened: {reply}; {self._last_words()}")
        reply = self._ask({"more_bytes": self.more_mib * 2**20}, START_SECONDS)
        if isinstance(reply, Outcome):
            raise RuntimeError(f"the child does not start: {reply}; {self._last_words()}")

    def _ask(self, request: dict, most_seconds: float) -> dict | Outcome:
        """The answer, or what became of a child that gives none."""
        child = self._child
        if child is None or child.stdin is None or child.stdout is None:
            raise RuntimeError("there is no child to ask")
        spent, (computed, _) = 0.0, _glance(child.pid)
        child.stdin.write(json.dumps(request).encode() + b"\n")
        child.stdin.flush()
        while b"\n" not in self._heard:
            if select.select([child.stdout], [], [], GLANCE_SECONDS)[0]:
                piece = os.read(child.stdout.fileno(), 2**16)
                if not piece:
                    code = child.wait()
                    name = signal.Signals(-code).name if code < 0 else f"exit code {code}"
                    return Outcome("crash", f"{name}; {self._last_words()}")
                self._heard += piece
            else:
                now, sleeps = _glance(child.pid)
                spent += now - computed + (GLANCE_SECONDS if sleeps else 0.0)
                computed = now
                if spent > most_seconds:
                    return Outcome("hang", f"no answer in {spent:.1f} s of its own time", "", 1000.0 * spent)
        line, self._heard = self._heard.split(b"\n", 1)
        return json.loads(line)

    def _last_words(self) -> str:
        self._errors.seek(0)
        return " | ".join(self._errors.read().decode(errors="replace").split("\n")[-12:])

    def _bury(self) -> None:
        if self._child is not None:
            self._child.kill()
            self._child.wait()
            for pipe in (self._child.stdin, self._child.stdout):
                if pipe is not None:
                    pipe.close()
            self._errors.close()
            self._child = None


def _glance(pid: int) -> tuple[float, bool]:
    """Seconds that a process has computed so far, and whether it sleeps just now."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / TICKS, fields[0] == "S"
