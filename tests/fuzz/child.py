"""The process that opens the cases, one after the other, and says what became of each. It may die: the watch starts another.

Spoken to in lines of JSON on stdin; answers in lines of JSON on what was its stdout.
"""

import ctypes
import errno
import faulthandler
import json
import os
import resource
import struct
import sys
import tempfile
import time
import traceback
import warnings
from pathlib import Path
from typing import Any

import neuralamp
from neuralamp.dsp.kernel_cache import open_kernel_cache
from neuralamp.errors import NeuralAmpError
from tests.fuzz.faulty import FAULTY
from tests.fuzz.readers import READERS, Reader

DOORS = {**READERS, **FAULTY}
SHORTEST_LINE = 20  # letters: less says nothing
IN_ACCESS, IN_OPEN = 0x1, 0x20
OTHER_WAYS_OUT = (
    "subprocess.Popen",
    "os.system",
    "os.exec",
    "os.posix_spawn",
    "socket.connect",
    "os.remove",
    "os.rename",
    "shutil.rmtree",
)
WORKER = "neuralamp.guest.worker"
MIB = 2**20


class Sentry:
    """Sees what is opened while a door is open: Python's own openings by an audit hook, anybody's of the secret by inotify."""

    def __init__(self, root: Path, outside: Path):
        package = Path(neuralamp.__file__).parents[2]
        own = (
            root,
            package,
            Path(__file__).parents[2],
            Path(sys.prefix),
            Path(sys.base_prefix),
            open_kernel_cache(),
            Path("/proc/self"),
        )
        self._readable = tuple(f"{path}{os.sep}" for path in own)
        self._writable = f"{open_kernel_cache()}{os.sep}"
        self._libc = ctypes.CDLL(None, use_errno=True)
        self._watch = self._libc.inotify_init1(os.O_NONBLOCK)
        for secret in outside.iterdir():
            self._libc.inotify_add_watch(self._watch, os.fsencode(secret), IN_ACCESS | IN_OPEN)
        self.armed = self.awake = self.may_follow = False
        self.seen: list[str] = []
        sys.addaudithook(self._hear)

    def _hear(self, event: str, facts: tuple) -> None:
        if not self.awake:
            return
        if self.may_follow and event == "subprocess.Popen" and WORKER in facts[1]:
            return  # what a rig names may be a stranger's graph, which the player looks at in a process with limits
        if event in OTHER_WAYS_OUT:
            self.seen.append(f"{event} {facts}")
        elif event == "open" and isinstance(facts[0], str | bytes | os.PathLike):
            path = os.path.abspath(os.fsdecode(facts[0]))  # noqa: PTH100  Path.resolve would open what it looks at
            writes = bool(set("wax+") & set(facts[1] or "")) or bool((facts[2] or 0) & (os.O_WRONLY | os.O_RDWR | os.O_CREAT))
            if path == os.devnull:
                return
            if (writes and not path.startswith(self._writable)) or not (self.may_follow or path.startswith(self._readable)):
                self.seen.append(f"{'written' if writes else 'read'}: {path}")

    def report(self) -> list[str]:
        """What was opened since the last report, and should not have been."""
        seen, self.seen = self.seen, []
        try:
            if struct.unpack_from("i", os.read(self._watch, 4096)) and not self.may_follow:
                seen.append("the secret file outside was read")
        except OSError as reason:
            if reason.errno != errno.EAGAIN:
                raise
        return seen


def fault_of_line(line: str, words: list[str]) -> str:
    """What is wrong with a refusal; nothing if it is one line that names the file and says something."""
    odd = [letter for letter in line if not letter.isprintable()]
    if odd:
        return f"its refusal holds {odd[0]!r}, which is no part of one printed line"
    if len(line) < SHORTEST_LINE:
        return "its refusal says nothing"
    if not any(_printable_part(word) in line for word in words if word):
        return f"its refusal does not name {words[0]!r}"
    return ""


def _printable_part(word: str) -> str:
    """A name as far as it may stand in a line of text, and as much of a long one as may be asked for."""
    end = next((at for at, letter in enumerate(word) if not letter.isprintable()), len(word))
    return word[: min(end, 40)]


def open_door(reader: Reader, path: Path) -> tuple[str, str, str]:
    """Kind of outcome, what was said, and where in the source a traceback came from."""
    try:
        reader.door(path)
    except NeuralAmpError as reason:
        fault = fault_of_line(str(reason), reader.words(path))
        return ("bad line", f"{fault}: {str(reason)[:300]!r}", "") if fault else ("refused", str(reason), "")
    except MemoryError as reason:
        return "memory", f"MemoryError: {reason}", _last_place(reason)
    except Exception as reason:  # noqa: BLE001  whatever it is, it would be a traceback in a player's terminal
        return "traceback", f"{type(reason).__name__}: {str(reason)[:300]}", _last_place(reason)
    return "opened", "", ""


def _last_place(reason: BaseException) -> str:
    frames = traceback.extract_tb(reason.__traceback__)
    ours = [frame for frame in frames if "neuralamp" in frame.filename] or list(frames)
    return f"{Path(ours[-1].filename).name}:{ours[-1].lineno} {ours[-1].name}"


def _status(name: str) -> int:
    """A figure of this process in KiB: VmSize, VmRSS, VmHWM."""
    return next(int(line.split()[1]) for line in Path("/proc/self/status").read_text().splitlines() if line.startswith(name))


def answer(request: dict[str, Any], sentry: Sentry) -> dict[str, Any]:
    """Do what one line asks for."""
    if "more_bytes" in request:
        more = request["more_bytes"]
        most = resource.RLIM_INFINITY if more is None else _status("VmSize") * 1024 + more
        resource.setrlimit(resource.RLIMIT_AS, (most, resource.RLIM_INFINITY))
        sentry.armed = more is not None
        return {}
    reader = DOORS[request["reader"]]
    Path("/proc/self/clear_refs").write_text("5")  # the highest memory so far is forgotten
    sentry.report()  # what others opened in the meantime is forgotten too
    before, started = _status("VmRSS"), time.process_time()
    sentry.awake, sentry.may_follow = sentry.armed, reader.follows
    kind, line, where = open_door(reader, Path(request["path"]))
    sentry.awake = False
    seen = sentry.report() if sentry.armed else []
    ms, mib = 1000.0 * (time.process_time() - started), (_status("VmHWM") - before) / 1024
    if seen:
        kind, line = "outside", "; ".join(seen)[:500]
    return {"kind": kind, "line": line, "where": where, "ms": ms, "mib": mib}


def main() -> None:
    faulthandler.enable()
    warnings.simplefilter("error", RuntimeWarning)  # numpy would print lines that tell a player nothing
    tempfile.gettempdir()  # when it is first asked for, it tries whether it can write there
    channel = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)  # what anything prints does not get between the answers
    root, outside = map(Path, sys.argv[1:3])
    sentry = Sentry(root, outside)
    for line in sys.stdin:
        channel.write(json.dumps(answer(json.loads(line), sentry)) + "\n")
        channel.flush()


if __name__ == "__main__":
    main()
