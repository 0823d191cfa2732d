"""Samples that no guitar gives, through rigs and the output stage: whether what comes out ever exceeds the ceiling.

    python -m realtime.bench.hostile [--frames 10000000] [--json]

Noise, steps from rail to rail, NaN, Inf, 1e30 and denormals, in buffers of changing length, through the rigs of the proofs, with
mute and unmute all the while. `--frames 1000000000` is the whole of it. Exit status 1 if a sample is too loud, or is no number.
"""

import argparse
import json
import sys
import tempfile
import time
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np

from neuralamp.blocks import boxes
from neuralamp.dsp.jit import as_pointer, floats_at, kernel
from neuralamp.engine import Engine
from neuralamp.engine.output import CEILING, largest_bits
from neuralamp.engine.stage import serve
from neuralamp.rig import Rig
from realtime.bench.rigs import SAMPLE_RATE, changing_lengths, proof_rigs

LONGEST, OUTPUTS = 2048, 2


@dataclass(frozen=True)
class Onslaught:
    """What came of it; `loudest` is the bits of the largest magnitude as a number, in which NaN and Inf are above all."""

    frames: int
    seconds: float
    loudest: float
    poisoned_buffers: int
    clipped_frames: int

    @property
    def withstood(self) -> bool:
        return self.loudest <= float(CEILING)


@kernel
def hostile_sample(kind, seed):
    """One sample of a kind, by a random number."""
    noise = np.float32((seed >> 8 & 0xFFFFFF) / 8388608.0 - 1.0)
    if kind == 0:
        return noise
    if kind == 1:
        return np.float32(1.0) if seed & 0x8000 else np.float32(-1.0)
    if kind == 2:
        return np.float32(np.nan) if seed & 0xFF00 == 0 else noise
    if kind == 3:
        return np.float32(np.inf) if seed & 0xFF00 == 0 else noise
    if kind == 4:
        return noise * np.float32(1e30)
    if kind == 5:
        return noise * np.float32(1e-40)
    return np.float32(0.0) if kind == 6 else noise * np.float32(10.0)


@kernel
def storm(stage_address, device_in, device_out, lengths, muted, frames, seed):
    """So many frames and more through a stage; the bits of the loudest sample that came out."""
    loudest, played, turn = np.int32(0), 0, 0
    while played < frames:
        count = lengths[turn % lengths.size]
        seed = (seed * 1103515245 + 12345) & 0x7FFFFFFF
        kind = seed >> 16 & 7
        for n in range(count):
            seed = (seed * 1103515245 + 12345) & 0x7FFFFFFF
            device_in[n] = hostile_sample(kind, seed)
        muted[0] = 1 if turn % 512 > 480 else 0  # the howl detector may have muted: what is silent proves nothing
        serve(as_pointer(device_in.ctypes.data), as_pointer(device_out.ctypes.data), count, 0, stage_address)
        loudest = max(loudest, largest_bits(floats_at(device_out.ctypes.data, count * OUTPUTS)))
        played += count
        turn += 1
    return loudest, played


def withstand(rig: Rig, frames: int, seed: int = 1) -> Onslaught:
    """One rig under so many hostile frames."""
    engine = Engine(rig, SAMPLE_RATE, max_frames=1024, live=True, device_outputs=OUTPUTS)
    device_in, device_out = np.zeros(LONGEST, np.float32), np.zeros(LONGEST * OUTPUTS, np.float32)
    lengths = np.array(changing_lengths(), np.int64)
    muted = engine._stage["muted"]
    begin = time.monotonic()
    bits, played = storm(engine.stage_address, device_in, device_out, lengths, muted, frames, seed)
    meters = engine.meters()
    seconds, loudest = time.monotonic() - begin, float(np.int32(bits).view(np.float32))
    if not np.isfinite(loudest):
        loudest = np.inf
    return Onslaught(int(played), seconds, loudest, meters.poisoned_buffers, meters.clipped_frames)


def loud_rig() -> Rig:
    """48 dB: what drives the ceiling hardest."""
    return Rig("loud", tuple(boxes()["level"](level=24.0) for _ in range(2)))


def main() -> None:
    parser = argparse.ArgumentParser(description="Hostile samples: whether the ceiling ever is exceeded.")
    parser.add_argument("--frames", type=int, default=10_000_000)
    parser.add_argument("--json", action="store_true", help="for machines")
    asked = parser.parse_args()
    found: dict[str, Onslaught] = {}
    with tempfile.TemporaryDirectory() as folder:
        rigs = [loud_rig(), *proof_rigs(Path(folder))]
        for rig in rigs:
            found[rig.name] = run = withstand(rig, -(-asked.frames // len(rigs)))
            if not asked.json:
                print(
                    f"{rig.name}: {run.frames} frames in {run.seconds:.1f} s, loudest {run.loudest:.6f} of {CEILING:.6f}, "
                    f"{run.poisoned_buffers} buffers broken, {run.clipped_frames} frames clipped: "
                    f"{'withstood' if run.withstood else 'TOO LOUD'}",
                    flush=True,
                )
    if asked.json:
        print(json.dumps({name: asdict(run) for name, run in found.items()}))
    sys.exit(0 if all(run.withstood for run in found.values()) else 1)


if __name__ == "__main__":
    main()
