"""Nothing that comes in makes what goes out louder than the ceiling."""

import numpy as np

from neuralamp.blocks import boxes
from neuralamp.engine.output import CEILING
from neuralamp.rig import Rig
from realtime.bench.hostile import hostile_sample, loud_rig, withstand

FRAMES = 3_000_000


def test_hostile_samples_never_exceed_the_ceiling():
    for rig in (Rig("rig", (boxes()["level"](),)), loud_rig()):
        found = withstand(rig, FRAMES)
        assert found.frames >= FRAMES and found.poisoned_buffers > 100 and found.clipped_frames > FRAMES / 20
        assert found.loudest == float(CEILING)  # reached, and never exceeded


def test_the_onslaught_has_every_kind_of_weapon():
    samples = np.array([[hostile_sample(kind, seed << 8) for seed in range(2048)] for kind in range(8)])
    assert np.isnan(samples[2]).any() and np.isinf(samples[3]).any()
    assert np.abs(samples[4]).max() > 1e29 and 0.0 < np.abs(samples[5]).max() < 2e-40
    assert set(samples[1]) == {-1.0, 1.0} and not samples[6].any() and np.abs(samples[7]).max() > 5.0
