"""The worst alias of every dirt box: a tone at 5 kHz, full scale, at 0 and 20 dB of drive and at full drive.

    python -m realtime.bench.aliases [--only NAME] [--rate 48000]

The tone lies exactly on a line of the spectrum, by a number of lines that has no divisor in common with their count. So every
overtone, wherever it folds to, has a line of its own; what stands below 18 kHz on a line that is no multiple of the tone's is
alias. Told is the worst of all settings of the other knobs at both ends and at their defaults, under the fundamental, which for
an octave box is the octave.
"""

import argparse
import itertools
import sys
from dataclasses import dataclass

import numpy as np

from neuralamp.block import Block
from neuralamp.blocks import boxes

DRIVES = {  # dirt box -> the knob that drives it
    "treble_booster": "boost",
    "overdrive": "drive",
    "distortion": "distortion",
    "fuzz": "fuzz",
    "big_fuzz": "sustain",
    "octave_fuzz": "fuzz",
}
UP_TO_HZ = 18000.0
LIMITS_DB = {20.0: -80.0, np.inf: -60.0}  # up to this drive -> the worst alias allowed
LINES = 997  # of the tone, 5 Hz apart: a prime, at 4985 Hz
LINE_HZ = 5
SETTLE_SECONDS = 0.3  # coupling capacitors, too


@dataclass(frozen=True)
class Alias:
    """The worst line of one box at one drive, where it stands, and with which of the other knobs."""

    name: str
    drive_db: float
    worst_db: float
    at_hz: float
    knobs: dict[str, float]
    latency_frames: int


def alias(box: Block, sample_rate: int, peak: float = 1.0) -> tuple[float, float]:
    """The worst alias in dB under the fundamental, and its frequency."""
    frames = sample_rate // LINE_HZ
    settle = round(SETTLE_SECONDS * LINE_HZ) * frames
    x = peak * np.sin(2.0 * np.pi / frames * (LINES * np.arange(settle + frames) % frames))
    part = box.prepare(sample_rate, 1, x.size)
    y = part.node.play(x[None].astype(np.float32), 1)[0, settle:].astype(np.float64)
    lines = np.abs(np.fft.rfft(y))
    fundamental = lines[[LINES, 2 * LINES]].max()
    lines[::LINES] = 0.0
    worst = int(np.argmax(lines[: round(UP_TO_HZ / LINE_HZ)]))
    return float(20.0 * np.log10(lines[worst] / fundamental + 1e-12)), float(worst * LINE_HZ)


def settings(box: type[Block], drive: str) -> list[dict[str, float]]:
    """The other knobs: all at their defaults, and at every mixture of their ends."""
    others = {name: (knob.low, knob.high) for name, knob in box.knobs().items() if name not in (drive, "level")}
    return [{}, *(dict(zip(others, ends, strict=True)) for ends in itertools.product(*others.values()))]


def worst(name: str, drive_db: float, sample_rate: int) -> Alias:
    """Of one box over all its settings; a drive beyond the knob's end is the end."""
    box = boxes()[name]
    knob = box.knobs()[DRIVES[name]]
    drive_db = float(np.clip(drive_db, knob.low, knob.high))
    found = []
    for knobs in settings(box, DRIVES[name]):
        made = box(**{DRIVES[name]: drive_db}, **knobs)
        found.append((*alias(made, sample_rate), knobs))
    worst_db, at_hz, knobs = max(found, key=lambda one: one[0])
    return Alias(name, drive_db, worst_db, at_hz, knobs, box().prepare(sample_rate, 1, 64).latency_frames)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--only", default="", help="only those with this in their name")
    parser.add_argument("--rate", type=int, default=48000, help="sample rate in hertz; a multiple of 5")
    asked = parser.parse_args()
    over = False
    print(f"{'box':<16}{'drive':>9}{'worst alias':>13}{'at':>10}{'latency':>18}")
    for name in DRIVES:
        for drive_db in (0.0, 20.0, np.inf) if asked.only in name and name in boxes() else ():
            found = worst(name, drive_db, asked.rate)
            limit_db = next(limit for drive, limit in LIMITS_DB.items() if found.drive_db <= drive)
            mark = "  over" if found.worst_db > limit_db else ""
            over |= bool(mark)
            late = f"{found.latency_frames} frames, {1e3 * found.latency_frames / asked.rate:.2f} ms"
            figures = f"{found.drive_db:>6.1f} dB{found.worst_db:>10.1f} dB{found.at_hz:>7.0f} Hz"
            print(f"{name:<16}{figures}{late:>20}{mark}", flush=True)
    return int(over)


if __name__ == "__main__":
    sys.exit(main())
