"""The load that the status line shows, against what the audio thread really needed."""

import time

import numpy as np

from neuralamp.blocks import boxes
from neuralamp.engine import Engine
from neuralamp.engine.load import BINS, LoadMeter, count_ticks, ticks_now
from neuralamp.rig import Rig

RATE = 48000


def test_the_load_is_the_time_of_the_buffers():
    """Buffers of known length in ticks, by this processor's own counter against the clock: within a bin of 9 % and a bit."""
    meter = LoadMeter(RATE)
    begin, clock = ticks_now(), time.perf_counter()
    time.sleep(0.3)
    a_second = (ticks_now() - begin) / (time.perf_counter() - clock)
    for share, buffers in ((0.25, 970), (0.5, 30)):
        for _ in range(buffers):
            count_ticks(meter.histogram.ctypes.data, round(share * 64 / RATE * a_second), 64)
    load = meter.read()
    assert 0.245 < load.p50 < 0.29 and 0.49 < load.p99 < 0.58
    assert meter.read().p99 == 0.0  # since then nothing was played


def test_playing_is_counted_buffer_by_buffer():
    engine = Engine(Rig("rig", (boxes()["eq"](),)), RATE, live=True)
    for _ in range(50):
        engine.play(np.zeros((1, 64), np.float32))
    assert engine.load.histogram.sum() == 50 and engine.load.histogram.size == BINS
    assert 0.0 < engine.load.read().p50 < 1.0


def test_no_number_of_ticks_falls_out_of_the_histogram():
    meter = LoadMeter(RATE)
    for ticks, frames in ((0, 64), (-5, 64), (1, 2**31), (2**62, 1), (5, 0)):
        count_ticks(meter.histogram.ctypes.data, ticks, frames)
    assert meter.histogram.sum() == 4
