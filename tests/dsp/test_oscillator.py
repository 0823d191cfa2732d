"""Slow oscillators: their shapes, their pitch over hours, and where a second voice stands."""

import numpy as np
import pytest

from neuralamp.dsp.jit import kernel
from neuralamp.dsp.oscillator import cosine, triangle, turned


@kernel
def run(shape, phases, step, part):
    """The shape at each frame, and the phases that it was taken at."""
    phase = 0.0
    for n in range(shape.size):
        phases[n] = phase
        shape[n] = cosine(turned(phase, part))
        phase = turned(phase, step)
    return phase


@kernel
def straight(phases, shape):
    for n in range(phases.size):
        shape[n] = triangle(phases[n])


def played(frames: int, step: float, part: float = 0.0) -> tuple[np.ndarray, np.ndarray, float]:
    shape, phases = np.zeros(frames), np.zeros(frames)
    return shape, phases, run(shape, phases, step, part)


def test_it_is_a_cosine():
    shape, phases, _ = played(10000, 0.00137)
    assert np.abs(shape - np.cos(2.0 * np.pi * phases)).max() < 5e-11  # the polynomial's own error is 3e-11
    assert phases.min() >= 0.0
    assert phases.max() < 1.0


def test_a_triangle_is_straight_between_its_ends():
    shape = np.zeros(5)
    straight(np.array([0.0, 0.25, 0.5, 0.75, 0.875]), shape)
    assert shape.tolist() == [1.0, 0.0, -1.0, 0.0, 0.5]


@pytest.mark.parametrize("part", [0.25, 0.5, 0.9])
def test_a_second_voice_stands_a_part_of_a_cycle_on(part):
    shape, phases, _ = played(1000, 0.0021, part)
    assert np.abs(shape - np.cos(2.0 * np.pi * (phases + part))).max() < 5e-11


def test_after_minutes_it_is_where_it_should_be():
    """10 million frames, 3.5 minutes at 48 kHz, of 0.7 Hz: rounding has walked by less than a hundred millionth of a cycle."""
    step = 0.7 / 48000.0
    away = played(10_000_000, step)[2] - (10_000_000 * step) % 1.0
    assert abs(away) < 1e-8
