"""What is heard when plugins die: killed, stopped, lost in an endless loop, a thousand times while they play.

    python -m realtime.bench.plugin_kills                    1000 falls, half an hour on two busy cores
    python -m realtime.bench.plugin_kills --falls 30

A few boxes play pedalboard's Gain at 20 dB, in buffers of 64 frames by the clock, each through a worker that is brought to fall
again and again. Wet sound is ten times as loud as dry, so each frame says how much of it is wet: 0 to 1, or it is neither, which
is a fault. Each box falls three times: twice it has to be all wet again within 2 s, the third time it has to stay dry and say so.
Exit status 0 if all that is so, 1 if not.
"""

import argparse
import json
import os
import signal
import sys
import time
from collections.abc import Iterator
from dataclasses import asdict, dataclass, field

import numpy as np

from neuralamp.block import Part
from neuralamp.blocks import boxes
from neuralamp.guest import plugin
from neuralamp.guest.keeper import LiveKeeper

FAULTY = "realtime.bench.faulty_worker"
FALLS = {"killed": signal.SIGKILL, "stopped": signal.SIGSTOP, "endless loop": signal.SIGUSR1}
RATE, BUFFER = 48000, 64
WET_GAIN = 10.0
BACK_SECONDS = 2.0
AT_ONCE = 4
SETTLED_SECONDS = 0.3  # all wet for so long before the next fall; also how long a box that is off is listened to
HANGS_SECONDS = 3.0  # until one that hangs must have been noticed


@dataclass
class Findings:
    """What 1000 falls looked like.

    wrong         frames that were neither dry, nor wet, nor between them; `steps` those at which it went faster than it fades.
    back_ms       from each fall until all is wet again, dry_ms from the first dry buffer on; `late_falls` took longer than
                  BACK_SECONDS.
    stayed_off    boxes that were off after their third fall and said so; `not_off` those that were not.
    late_buffers  that were not all wet though nothing had been done to the worker, of `quiet_buffers`.
    cost_us       of the player's thread for a buffer, CPU time and by the clock; most of it is calling the node from Python.
    """

    falls: dict[str, int] = field(default_factory=lambda: dict.fromkeys(FALLS, 0))
    buffers: int = 0
    wrong: int = 0
    steps: int = 0
    late_falls: int = 0
    stayed_off: int = 0
    not_off: int = 0
    late_buffers: int = 0
    quiet_buffers: int = 0
    back_ms: list[float] = field(default_factory=list)
    dry_ms: list[float] = field(default_factory=list)
    cost_us: list[float] = field(default_factory=list)
    wall_us: list[float] = field(default_factory=list)

    @property
    def clean(self) -> bool:
        return not (self.wrong or self.steps or self.late_falls or self.not_off)


class Seat:
    """A box that falls: fed buffer by buffer, it looks at what comes out."""

    def __init__(self, part: Part, x: np.ndarray, found: Findings):
        self.part, self.found = part, found
        self.node = part.node
        self.keeper: LiveKeeper = part.node.inner[0].keep[1]  # type: ignore[index, assignment]
        self._x, self._frame, self._last = x, 0, None
        self.since_wet = self.since_dry = 0.0
        self.script = self._script()
        self.over = False

    def play(self) -> None:
        x = np.take(self._x, np.arange(self._frame, self._frame + BUFFER), mode="wrap")[None]
        before, began = time.thread_time_ns(), time.perf_counter_ns()
        y = self.node.play(x, 1)[0]
        self.found.cost_us.append((time.thread_time_ns() - before) / 1e3)
        self.found.wall_us.append((time.perf_counter_ns() - began) / 1e3)
        self._hear(y)
        self._frame += BUFFER
        self.over = self.over or next(self.script, True) is True

    def _hear(self, y: np.ndarray) -> None:
        late, now = self.part.latency_frames, time.monotonic()
        own = self.node.inner[0].record[0]
        self.found.buffers += 1
        heard = np.arange(self._frame, self._frame + BUFFER) - late
        if heard[0] < 0:
            self.wet = 1.0
            return
        dry = np.take(self._x, heard, mode="wrap")
        wet = WET_GAIN * dry
        share = (y - dry) / (wet - dry)
        self.found.wrong += int(np.sum(~((share > -1e-4) & (share < 1.0001))))
        steps = np.diff(share if self._last is None else np.append(self._last, share))
        self.found.steps += int(np.sum(np.abs(steps) > 1.0 / own["fade_out"] + 1e-3))
        self._last = share[-1]
        self.wet = float(share.min()) if share.min() > 0.9999 else min(float(share.max()), 0.9999)
        if self.wet > 0.9999:
            self.since_dry = now
        if self.wet < 1e-4:
            self.dry_seen = True

    def _script(self) -> Iterator[None]:
        """What happens to it, buffer by buffer."""
        kinds = list(FALLS)
        for number in range(3):
            calm = time.monotonic()
            while time.monotonic() - calm < SETTLED_SECONDS or self.wet < 0.9999 or not self.keeper.prepared:
                self.found.quiet_buffers += 1
                self.found.late_buffers += self.wet < 0.9999 and time.monotonic() - calm > 0.05
                yield
            kind = kinds[(sum(self.found.falls.values())) % len(kinds)]
            self.found.falls[kind] += 1
            os.kill(self.keeper.workers[0].pid, FALLS[kind])
            fell, self.dry_seen = time.monotonic(), False
            while not self.dry_seen and time.monotonic() - fell < HANGS_SECONDS:
                yield
            dried = time.monotonic()
            if number < 2:
                while self.wet < 0.9999 and time.monotonic() - fell < 5 * BACK_SECONDS:
                    yield
                took = time.monotonic() - fell
                self.found.back_ms.append(1e3 * took)
                self.found.dry_ms.append(1e3 * (time.monotonic() - dried))
                self.found.late_falls += took > BACK_SECONDS
        while not self.keeper.off and time.monotonic() - fell < HANGS_SECONDS:
            yield
        calm, wet = time.monotonic(), 0.0
        while time.monotonic() - calm < SETTLED_SECONDS:
            wet = max(wet, self.wet)
            yield
        off = wet < 1e-4 and "it is off and the sound is dry" in self.part.trouble()
        self.found.stayed_off += off
        self.found.not_off += not off


def measure(falls: int, at_once: int = AT_ONCE, say: bool = False) -> Findings:
    """At least so many falls, of boxes that play side by side; new ones are made ready while the others play."""
    plugin.WORKER = FAULTY
    found, rng = Findings(), np.random.default_rng(1)
    x = (rng.uniform(0.02, 0.08, RATE) * np.sign(np.sin(np.arange(RATE) / 30.0 + 0.01))).astype(np.float32)
    said = time.monotonic()
    while (done := sum(found.falls.values())) < falls:
        count = min(at_once, -(-(falls - done) // 3))
        made = [boxes()["plugin"](plugin="pedalboard:Gain", gain_db=20.0) for _ in range(count)]
        seats = [Seat(box.prepare_live(float(RATE), 1, BUFFER), x, found) for box in made]
        seats[0].part.node.play(np.zeros((1, 0)), 1)  # what is compiled for the first time is no cost of a buffer
        began, buffers = time.monotonic(), 0
        while not all(seat.over for seat in seats):
            for seat in seats:
                if not seat.over:
                    seat.play()
            buffers += 1
            if (early := began + buffers * BUFFER / RATE - time.monotonic()) > 0:
                time.sleep(early)
            elif early < -0.1:  # a machine that stood still: a device would have dropped these
                began, buffers = time.monotonic(), 0
        if say and time.monotonic() - said > 10.0:
            said = time.monotonic()
            back = f"{len(found.back_ms)} times back, {found.late_falls} of them late"
            line = f"{back}, {found.stayed_off} stayed off, {found.wrong + found.steps} wrong frames"
            print(f"{sum(found.falls.values())} of {falls} falls, {line}", file=sys.stderr, flush=True)
    return found


def summary(found: Findings) -> dict:
    """The findings, their lists as percentiles."""
    told = asdict(found)
    for name in ("back_ms", "dry_ms", "cost_us", "wall_us"):
        values = np.array(told[name] or [0.0])
        told[name] = {f"p{q:g}": round(float(np.percentile(values, q)), 2) for q in (50, 99, 100)}
    return told | {"clean": found.clean}


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--falls", type=int, default=1000)
    parser.add_argument("--at-once", type=int, default=AT_ONCE, help="boxes that play side by side")
    asked = parser.parse_args()
    found = measure(asked.falls, asked.at_once, say=True)
    print(json.dumps(summary(found), indent=1))
    return 0 if found.clean else 1


if __name__ == "__main__":
    sys.exit(main())
