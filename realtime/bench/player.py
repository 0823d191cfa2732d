"""A host in a process of its own, for the other programs here: says when it plays, and what it counted when a line is sent to it.

    python -m realtime.bench.player RIG [--python] [--busy]

RIG is a rig file, or a capture. With --python an ordinary Python callback of sounddevice passes the sound through instead; with
--busy another Python thread computes all the while.
"""

import argparse
import json
import sys
import threading
import time
from pathlib import Path
from types import TracebackType

from neuralamp.live import Host
from neuralamp.live.devices import audio_library, find_device
from neuralamp.rig import Rig, capture_rig, read_rig
from realtime.bench.dummy import PERIOD, RATE


class PythonHost:
    """What a host would be with a Python callback."""

    def __init__(self, rig: Rig):
        self._callbacks = 0
        device = find_device(None, "input")
        self._stream = audio_library().Stream(
            device=device.number, samplerate=RATE, blocksize=PERIOD, channels=(1, 2), dtype="float32", callback=self._callback
        )

    def _callback(self, device_in, device_out, frames, time, status) -> None:
        self._callbacks += 1
        device_out[:] = device_in

    def __enter__(self) -> "PythonHost":
        self._stream.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self._stream.close()

    def mute(self, muted: bool) -> None:
        """There is nothing to mute."""

    @property
    def callbacks(self) -> int:
        return self._callbacks


class CompiledHost(Host):
    @property
    def callbacks(self) -> int:
        return self.meters().callbacks


def compute() -> None:
    """What a busy Python thread does."""
    number = 1
    while True:
        number = (number * 1103515245 + 12345) % 2**31


def count(host: PythonHost | CompiledHost) -> dict[str, float]:
    """Callbacks entered so far, and when that was."""
    return {"callbacks": host.callbacks, "wall_s": time.monotonic()}


def main() -> None:
    parser = argparse.ArgumentParser(description="A host in a process of its own; each line on its input is answered by counts.")
    parser.add_argument("rig", type=Path)
    parser.add_argument("--python", action="store_true")
    parser.add_argument("--busy", action="store_true")
    asked = parser.parse_args()
    rig = capture_rig(asked.rig) if asked.rig.suffix == ".onnx" else read_rig(asked.rig)
    with PythonHost(rig) if asked.python else CompiledHost(rig) as host:
        host.mute(False)
        if asked.busy:
            threading.Thread(target=compute, daemon=True).start()
        time.sleep(0.5)  # the ramp, and the first buffers of a server that has a client more
        print(json.dumps(count(host)), flush=True)
        for _ in sys.stdin:
            print(json.dumps(count(host)), flush=True)


if __name__ == "__main__":
    main()
