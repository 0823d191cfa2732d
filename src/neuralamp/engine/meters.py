"""What the audio thread has written down of itself, in a guitarist's units."""

from dataclasses import dataclass

import numpy as np

from neuralamp.units import gain_to_db


@dataclass(frozen=True)
class Meters:
    """What the audio thread says of itself; peaks in dBFS, -inf for silence."""

    input_db: float
    output_db: float
    clipped_frames: int
    poisoned_buffers: int
    howls: int
    callbacks: int
    input_xruns: int
    output_xruns: int
    frames: int
    buffer_frames: int


def read_meters(stage: np.void, howls: int) -> Meters:
    """Of a stage's record, and how often its howl detector has muted it."""
    return Meters(
        gain_to_db(float(stage["input_peak"])),
        gain_to_db(float(stage["output_peak"])),
        int(stage["clipped"]),
        int(stage["poisoned"]),
        howls,
        int(stage["callbacks"]),
        int(stage["input_xruns"]),
        int(stage["output_xruns"]),
        int(stage["frame"]),
        int(stage["buffer_frames"]),
    )
