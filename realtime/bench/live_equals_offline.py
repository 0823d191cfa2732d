"""Real guitar through the live host on the dummy device, against the same rig rendered from a file: sample for sample.

    python -m realtime.bench.live_equals_offline [TAKE] [--seconds 30] [--rig RIG] [--real-time] [--json]

In JACK's freewheel mode by default: as fast as it goes, so that no buffer can come too late. TAKE is a recording of a direct
guitar; without one, john.flac of the recordings in NEURALAMP_DATA. Exit status 1 if a sample differs.
"""

import argparse
import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np

from neuralamp.audio import read_audio, resample
from neuralamp.engine import render
from neuralamp.rig import read_rig
from realtime.bench.dummy import PERIOD, RATE, Guitarist, jack_server, what_is_missing
from realtime.bench.rigs import make_files

SETTLE_FRAMES = 192 * 128  # of silence before the take offline, half a second: live has had that, too, and more
# frames: a cab adds in blocks of so many from the engine's first frame on, and a take that begins elsewhere in a block is rounded
# elsewhere. The device decides at which of its periods the take begins, so the render is made for each of them.
CAB_BLOCK = 128


@dataclass(frozen=True)
class Comparison:
    """What came out of the host, held against the render.

    lost       frames for which JACK called nobody: on a busy machine, and in real time only.
    differing  samples of the rest that are not equal, to the last bit.
    """

    seconds: float
    frames: int
    lost: int
    differing: int
    peak: float


def compare(take: np.ndarray, rig: Path, freewheel: bool = True) -> Comparison:
    """(frames,) float32 through both."""
    with jack_server() as environment, player(environment, str(rig)) as host:
        guitarist = Guitarist(environment, take)
        try:
            guitarist.plug_in("PortAudio")
            heard = guitarist.play(freewheel)
        finally:
            guitarist.close()
        host.stdin.close()
    return min((_hold(heard, take, rig, late) for late in range(0, CAB_BLOCK, PERIOD)), key=lambda found: found.differing)


def _hold(heard: np.ndarray, take: np.ndarray, rig: Path, late: int) -> Comparison:
    """What was heard against the render of the take as it begins `late` frames into a block of the cab."""
    silence = np.zeros(SETTLE_FRAMES + late, np.float32)
    rendered = render(read_rig(rig), np.concatenate([silence, take])[np.newaxis], RATE)[:, silence.size :]
    lost = np.isnan(heard).any(axis=0)
    differing = np.count_nonzero(heard[:, ~lost] != rendered[:, ~lost])  # a mono render is held against both sides
    return Comparison(take.size / RATE, take.size, int(np.count_nonzero(lost)), int(differing), float(np.abs(rendered).max()))


@contextmanager
def player(environment: dict[str, str], *arguments: str) -> Iterator[subprocess.Popen]:
    """player.py in a process of its own, once it plays; its first line is read."""
    command = [sys.executable, "-m", "realtime.bench.player", *arguments]
    host = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, env=environment)
    assert host.stdin is not None and host.stdout is not None
    try:
        host.stdout.readline()
        yield host
    finally:
        if not host.stdin.closed:
            host.stdin.close()
        try:
            host.wait(10.0)
        except subprocess.TimeoutExpired:
            host.kill()
            host.wait()
        host.stdout.close()


def make_rig(folder: Path) -> Path:
    """A rig whose silence is still: level, a WaveNet, a cab. Recurrent nets and filters settle for ever in the last bit."""
    make_files(folder)
    path = folder / "rig.toml"
    chain = [
        'box = "level"\nlevel = -3.0',
        'box = "amp"\ncapture = "nano.onnx"\noutput = 18.0',
        'box = "cab"\nir = "response.wav"',
    ]
    path.write_text('name = "level, amp, cab"\n' + "".join(f"\n[[chain]]\n{box}\n" for box in chain), encoding="utf-8")
    return path


def guitar(path: Path | None, seconds: float) -> np.ndarray:
    """The first seconds of a take, mono at 48 kHz, around and around if it is shorter."""
    if path is None:
        path = Path(os.environ.get("NEURALAMP_DATA", "../shared/data")) / "di" / "john.flac"
    audio = read_audio(path)
    return np.resize(resample(audio.samples[:1], audio.sample_rate, RATE)[0], round(seconds * RATE))


def main() -> None:
    parser = argparse.ArgumentParser(description="Real guitar, live on the dummy device, against the render of a file.")
    parser.add_argument("take", nargs="?", type=Path)
    parser.add_argument("--seconds", type=float, default=30.0)
    parser.add_argument("--rig", type=Path)
    parser.add_argument("--real-time", action="store_true")
    parser.add_argument("--json", action="store_true", help="for machines")
    asked = parser.parse_args()
    if missing := what_is_missing():
        raise SystemExit(missing)
    with tempfile.TemporaryDirectory() as folder:
        take = guitar(asked.take, asked.seconds)
        found = compare(take, asked.rig or make_rig(Path(folder)), freewheel=not asked.real_time)
    if asked.json:
        print(json.dumps(asdict(found)))
    else:
        verdict = f"{found.lost} lost, {found.differing} samples differ"
        print(f"{found.seconds:g} s, {found.frames} frames, peak {found.peak:.3f}: {verdict}")
    sys.exit(1 if found.differing else 0)


if __name__ == "__main__":
    main()
