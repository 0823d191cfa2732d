"""The worker: the process in which a stranger's graph is read and played, and nothing else can be done.

    python -m neuralamp.guest.worker look PATH
    python -m neuralamp.guest.worker play PATH PAST_FRAMES SETTLING_FRAMES NUMBER NAP_SECONDS LINK...

`look` says what the graph is, `play` plays it on shared memory (link.py, whose words end the line) when it is the turn of its
number, until its input is closed. What it has to say is one
line of JSON on its output: {"facts": ...} or {"refused": "..."}.

Before the file is opened the process gives up what it will not need: memory beyond MOST_MEMORY, writing any file, starting any
process; and before the file is parsed, opening any further file. Windows has none of these limits: there only the whitelist of
operators, the process of its own and the time limits stand between a stranger and the machine.
"""

import sys
from collections.abc import Callable
from contextlib import suppress
from dataclasses import asdict
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, NoReturn

import numpy as np

from neuralamp.errors import CaptureError
from neuralamp.guest.experiments import experiment
from neuralamp.guest.facts import MOST_BYTES, Facts, one_line, shown
from neuralamp.guest.graph import read_graph
from neuralamp.guest.lifeline import Lifeline
from neuralamp.guest.stream import Session, Stream

if TYPE_CHECKING:
    from neuralamp.guest.link import WorkersLink

MOST_MEMORY = 2 * 2**30  # of the process: Python, numba and onnxruntime take 0.5 GiB of it before the file is read
MOST_OPENING_SECONDS = 60  # of computing until the first sound; the player's own limit is shorter, but it may have died


def main(words: list[str]) -> None:
    lifeline = Lifeline()
    lifeline.die_with_the_player()
    match words:
        case ["look", path]:
            job: Callable[[], dict[str, Any]] = partial(_look, Path(path))
        case ["play", path, past_frames, settling_frames, number, nap_seconds, *shape]:
            from neuralamp.guest.link import WorkersLink  # here, because numba takes half a second, and looking does without

            link = WorkersLink(shape)
            job = partial(_play, Path(path), link, int(past_frames), int(settling_frames), int(number), float(nap_seconds))
        case _:
            sys.exit(__doc__)
    _give_up("RLIMIT_AS", MOST_MEMORY)
    _give_up("RLIMIT_CORE", 0)
    _give_up("RLIMIT_FSIZE", 0)
    _give_up("RLIMIT_NPROC", 0)
    _may_compute(MOST_OPENING_SECONDS)
    try:
        said = job()
    except CaptureError as reason:
        said = {"refused": str(reason)}
    except MemoryError:
        said = {"refused": TOO_MUCH_MEMORY}
    except Exception as reason:  # noqa: BLE001  onnxruntime raises whatever it likes
        out = any(words in str(reason) for words in ("bad_alloc", "allocate memory"))
        refusal = f"onnxruntime cannot play it ({one_line(reason)}); export the net again"
        said = {"refused": TOO_MUCH_MEMORY if out else refusal}
    lifeline.say(said)


TOO_MUCH_MEMORY = f"it asks for more than {MOST_MEMORY // 2**20} MiB of memory; no amp needs so much"


def _give_up(limit: str, most: int) -> None:
    """Lower a limit of this process for ever; where the system has no such limit, nothing is lowered."""
    with suppress(ImportError, AttributeError, ValueError, OSError):
        import resource  # absent on Windows

        resource.setrlimit(getattr(resource, limit), (most, most))


def _may_compute(seconds: int | None) -> None:
    """From here on the process is killed once it has computed for so long; None is for ever."""
    with suppress(ImportError, ValueError, OSError):
        import resource

        _, hard = resource.getrlimit(resource.RLIMIT_CPU)
        resource.setrlimit(resource.RLIMIT_CPU, (hard if seconds is None else seconds, hard))


def _read(path: Path) -> bytes:
    """The file's bytes, after which no file can be opened any more."""
    try:
        if (size := path.stat().st_size) > MOST_BYTES:
            raise CaptureError(f"it has {size} bytes; a capture has at most {MOST_BYTES}")
        content = path.read_bytes()
    except OSError as reason:
        raise CaptureError(f"it cannot be read ({reason.strerror}); check the name") from None
    _give_up("RLIMIT_NOFILE", 0)
    return content


def _look(path: Path) -> dict[str, Any]:
    """Say what the graph is."""
    content = _read(path)
    graph = read_graph(content)
    session = Session(content, graph)
    findings = experiment(session)
    warnings = [] if findings.settles else ["it never comes to rest: silence does not make it forget what it has heard"]
    sizes = [
        "frames" if k == graph.time_axis and size is None else str(size or 1) for k, size in enumerate(graph.sound.shape or ())
    ]
    facts = Facts(
        sound=f"{shown(graph.sound.name)} ({', '.join(sizes)})",
        states=tuple(f"{shown(state.name)} {state.first.shape}" for state in graph.states),
        operators=graph.operators,
        weights=graph.weights,
        frames=graph.frames or 0,
        past_frames=findings.past_frames,
        receptive_field=findings.receptive_field,
        latency_frames=Stream(session, findings.past_frames).latency_frames,
        metadata=graph.metadata,
        warnings=tuple(warnings),
    )
    return {"facts": asdict(facts)}


def _play(path: Path, link: "WorkersLink", past_frames: int, settling_frames: int, number: int, nap_seconds: float) -> NoReturn:
    """Settle on silence, then answer whatever the player hands over, until the player is gone."""
    from neuralamp.guest.serving import serve

    content = _read(path)
    stream = Stream(Session(content, read_graph(content)), past_frames)
    stream.play(np.zeros(max(settling_frames, 1), np.float32))
    rest = stream.memory
    _may_compute(None)  # a song may be long

    def begin_again() -> None:
        stream.memory = rest

    serve(link, number, nap_seconds, lambda x: stream.play(x[0])[np.newaxis], begin_again)


if __name__ == "__main__":
    main(sys.argv[1:])
