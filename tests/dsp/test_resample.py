"""A node at a rate of its own: what is heard of it, at which frame, and what is heard beside it."""

import itertools
import math
from fractions import Fraction

import numpy as np
import pytest
import soxr
from numba import carray

from neuralamp.dsp.jit import floats_at
from neuralamp.dsp.node import POINTER, Node, State, node
from neuralamp.dsp.resample import PASS_HZ, PASS_SHARE, resampled
from neuralamp.errors import RateError
from tests.sound import at_rest, cuts, error_db, noise, play_in_cuts, reset, sine

RATES = (22050, 44100, 48000, 88200, 96000, 192000)
ODD = [(44100, 47999), (47999, 44100)]  # no common divisor but 7, and tables of 300,000 numbers
PAIRS = pytest.mark.parametrize(("inner_rate", "outer_rate"), [*itertools.permutations(RATES, 2), *ODD])
SOME_PAIRS = pytest.mark.parametrize(
    ("inner_rate", "outer_rate"), [(48000, 44100), (44100, 48000), (48000, 96000), (96000, 48000), (22050, 192000), *ODD]
)
LONG = KEPT = 1 << 18  # frames of the longest buffer; of what a Listener remembers


class Wire:
    """What goes in comes out, on top of a hum that never ends: 0 for a plain wire."""

    state = State(hum=float)

    @node(state)
    def play(inputs, outputs, frames, state):
        hum = carray(state, (1,))[0].hum
        for n in range(frames):
            outputs[0][n] = inputs[0][n] + np.float32(hum)


class Fuzz:
    """y = tanh(50 x knob) behind a low-pass that remembers: as harsh as amps come."""

    state = State(last=float)

    @node(state)
    def play(inputs, outputs, frames, state):
        fuzz = carray(state, (1,))[0]
        for n in range(frames):
            fuzz.last += 0.9 * (math.tanh(50.0 * inputs[0][n] * inputs[1][n]) - fuzz.last)
            outputs[0][n] = fuzz.last


class Singer:
    """Hears nothing, and sings sin(step n)."""

    state = State(step=float, count=int)

    @node(state)
    def play(inputs, outputs, frames, state):
        singer = carray(state, (1,))[0]
        for n in range(frames):
            outputs[0][n] = math.sin(singer.step * (singer.count + n))
        singer.count += frames


class Listener:
    """Remembers both rows that it hears, and its shortest and its longest buffer."""

    state = State(count=int, shortest=int, longest=int, heard=POINTER)

    @node(state)
    def play(inputs, outputs, frames, state):
        listener = carray(state, (1,))[0]
        heard = floats_at(listener.heard, (2, KEPT))
        for n in range(frames):
            outputs[0][n] = heard[0, listener.count + n] = inputs[0][n]
            heard[1, listener.count + n] = inputs[1][n]
        listener.count += frames
        listener.shortest, listener.longest = min(listener.shortest, frames), max(listener.longest, frames)


def wire(inner_rate: int, outer_rate: int, hum: float = 0.0) -> tuple[Node, int]:
    return resampled(Node(Wire.play, {"hum": hum}), inner_rate, outer_rate, inputs=1, max_frames=LONG)


def fuzz(inner_rate: int, outer_rate: int, max_frames: int = LONG) -> tuple[Node, int]:
    return resampled(Node(Fuzz.play), inner_rate, outer_rate, inputs=2, max_frames=max_frames)


def fuzzed(frames: int, seed: int) -> np.ndarray:
    """Noise, and a knob that is turned now and then."""
    knob = np.repeat(noise(1, -(-frames // 1000), seed + 1), 1000, axis=1)[:, :frames]
    return np.concatenate([noise(1, frames, seed), knob])


def pass_hz(inner_rate: int, outer_rate: int) -> float:
    return min(PASS_HZ, PASS_SHARE * min(inner_rate, outer_rate) / 2)


def lines_db(y: np.ndarray, sample_rate: int, up_to_hz: float) -> float:
    """The loudest spectral line up to a frequency, in decibels of a full-scale sine."""
    window = np.kaiser(len(y), 20.0)  # what it smears lies 150 dB under the line
    spectrum = 2.0 / window.sum() * np.abs(np.fft.rfft(y * window))
    return 20.0 * np.log10(np.max(spectrum[: int(up_to_hz / sample_rate * len(y)) + 1]))


def sine_in(y: np.ndarray, frequency_hz: float, sample_rate: int) -> tuple[np.ndarray, float]:
    """The sine of a frequency that comes closest to y, and its peak in decibels."""
    angle = 2.0 * np.pi * frequency_hz / sample_rate * np.arange(len(y))
    shapes = np.stack([np.sin(angle), np.cos(angle)], axis=1)
    weights = np.linalg.lstsq(shapes, y, rcond=None)[0]
    return shapes @ weights, 20.0 * np.log10(np.hypot(*weights))


def heard(played: Node, x: np.ndarray) -> np.ndarray:
    """What comes out once it has settled: the last 16384 frames, float64."""
    return played.play(x, 1)[0, -16384:].astype(np.float64)


@PAIRS
def test_tones_up_to_18_khz_pass_unchanged_and_alone(inner_rate, outer_rate):
    top = pass_hz(inner_rate, outer_rate)
    for frequency in (31.0, 440.0, 997.0, 4001.0, *(top * share for share in (0.53, 0.71, 0.83, 0.9, 0.95, 0.98, 1.0))):
        y = heard(wire(inner_rate, outer_rate)[0], sine(frequency, 20000, outer_rate))
        tone, level_db = sine_in(y, frequency, outer_rate)
        assert abs(level_db) < 0.001, f"{frequency} Hz"  # 0.0001 dB measured
        assert lines_db(y - tone, outer_rate, outer_rate / 2) < -105.0, f"{frequency} Hz"  # aliases and images; -109 measured


@pytest.mark.parametrize(("inner_rate", "outer_rate"), [*itertools.combinations(RATES, 2), ODD[0]])
def test_tones_above_what_the_inner_node_can_hear_do_not_fold_below_18_khz(inner_rate, outer_rate):
    for frequency in np.linspace(inner_rate / 2 + 10.0, outer_rate / 2 - 10.0, 16):
        y = heard(wire(inner_rate, outer_rate)[0], sine(frequency, 20000, outer_rate))
        assert lines_db(y, outer_rate, pass_hz(inner_rate, outer_rate)) < -105.0, f"{frequency} Hz"


@PAIRS
def test_what_the_inner_node_makes_has_no_images_and_does_not_fold_below_18_khz(inner_rate, outer_rate):
    top = pass_hz(inner_rate, outer_rate)
    for frequency in np.linspace(103.0, inner_rate / 2 - 10.0, 16):
        singer = Node(Singer.play, {"step": 2.0 * math.pi * frequency / inner_rate})
        y = heard(resampled(singer, inner_rate, outer_rate, 1, LONG)[0], np.zeros((1, 20000)))
        tone = sine_in(y, frequency, outer_rate)[0] if frequency < outer_rate / 2 else 0.0
        assert lines_db(y - tone, outer_rate, outer_rate / 2 if frequency < top else top) < -105.0, f"{frequency} Hz"


@pytest.mark.parametrize(("inner_rate", "outer_rate"), [(96000, 48000), (192000, 48000), (88200, 44100), (192000, 22050)])
def test_its_own_noise_is_that_of_float32(inner_rate, outer_rate):
    """Where nothing folds, since what the inner node adds lies above what is heard of it, only rounding is left."""
    y = heard(wire(inner_rate, outer_rate)[0], sine(997.0, 20000, outer_rate))
    assert error_db(y, sine_in(y, 997.0, outer_rate)[0]) < -140.0  # two sums and two roundings; -145 dB measured


@PAIRS
def test_a_harsh_amp_sounds_as_between_two_offline_resamplers(inner_rate, outer_rate):
    """soxr's very high quality on both sides, in float64; compared where both pass everything.

    The amp folds at its own rate, and what folds depends on where its frames lie: soxr is given the delay of the way in.
    """
    top = pass_hz(inner_rate, outer_rate)
    x = np.ones((2, 40000), np.float32)
    x[0] = sum(0.2 * sine(f, 40000, outer_rate)[0] for f in (311.0, 0.19 * top, 0.6 * top))
    played, latency = fuzz(inner_rate, outer_rate)
    y = played.play(x, 1)[0, latency // 2 :]
    driven = soxr.resample(np.pad(x[0].astype(np.float64), (latency // 2, 0)), outer_rate, inner_rate, quality="VHQ")
    expected = Node(Fuzz.play).play(np.stack([driven, np.ones_like(driven)]), 1)[0]
    expected = soxr.resample(expected.astype(np.float64), inner_rate, outer_rate, quality="VHQ")
    window, below = np.kaiser(24000, 20.0), int(top / outer_rate * 24000)
    ours, theirs = (np.fft.rfft(sound[8000:32000] * window)[:below] for sound in (y, expected))
    assert 20.0 * np.log10(np.linalg.norm(ours - theirs) / np.linalg.norm(theirs)) < -95.0  # -97 measured at the worst


@PAIRS
def test_latency_told_is_latency_measured(inner_rate, outer_rate):
    """By the phase of the cross spectrum, which is a line over all that passes: its slope is the delay, its start is 0."""
    played, latency = wire(inner_rate, outer_rate)
    x = noise(1, 40000, seed=1)
    y = played.play(x, 1)[0, latency:]
    angle = 2.0 * np.pi / 32768 * np.arange(1, int(pass_hz(inner_rate, outer_rate) / outer_rate * 32768))
    window = np.hanning(32768)
    spectra = (np.fft.rfft(sound[1000 : 1000 + 32768] * window)[1 : len(angle) + 1] for sound in (x[0], y))
    phase = np.angle(np.conj(next(spectra)) * next(spectra))
    late_frames, turned = np.linalg.lstsq(np.stack([-angle, np.ones_like(angle)], axis=1), phase, rcond=None)[0]
    assert abs(late_frames) < 1e-4  # of a frame; 1e-6 measured
    assert abs(turned) < 1e-4
    assert latency <= math.ceil(0.002 * outer_rate), "more than 2 ms"


def test_at_its_own_rate_a_node_is_left_alone():
    inner = Node(Wire.play)
    assert resampled(inner, 48000, 48000, 1, 64) == (inner, 0)


@SOME_PAIRS
@pytest.mark.parametrize("max_frames", [1, 3, 64, 4096])
def test_any_cut_of_the_stream_sounds_the_same(inner_rate, outer_rate, max_frames):
    rng, x = np.random.default_rng(max_frames), fuzzed(6000, seed=1)
    whole = fuzz(inner_rate, outer_rate)[0].play(x, 1)
    for cut in cuts(6000, rng, max_frames), cuts(6000, rng, max_frames):
        assert np.array_equal(play_in_cuts(fuzz(inner_rate, outer_rate, max_frames)[0], x, 1, cut), whole)


@SOME_PAIRS
def test_reset_forgets(inner_rate, outer_rate):
    played, _ = fuzz(inner_rate, outer_rate)
    rest = at_rest(played)
    first = played.play(fuzzed(5001, seed=1), 1)
    played.play(fuzzed(777, seed=3), 1)
    reset(played, rest)
    assert np.array_equal(played.play(fuzzed(5001, seed=1), 1), first)


@SOME_PAIRS
def test_silence_in_silence_out(inner_rate, outer_rate):
    assert not wire(inner_rate, outer_rate)[0].play(np.zeros((1, 5000)), 1).any()


@SOME_PAIRS
def test_an_amp_that_hums_hums_from_the_first_frame(inner_rate, outer_rate):
    y = wire(inner_rate, outer_rate, hum=0.25)[0].play(np.zeros((1, 5000)), 1)
    assert np.max(np.abs(y - 0.25)) < 0.25e-6  # no thump where the resampler's past ends


@PAIRS
def test_a_constant_stays_what_it_is(inner_rate, outer_rate):
    played, latency = wire(inner_rate, outer_rate)
    y = played.play(np.ones((1, 20000)), 1)[0, 2 * latency :]
    assert np.max(np.abs(y - 1.0)) < 1e-6  # twice a sum of up to 368 float32 numbers: 3e-7 measured


@PAIRS
def test_a_knob_is_held_and_stands_under_the_sound_that_it_was_turned_at(inner_rate, outer_rate):
    listener = Node(Listener.play, {"shortest": KEPT}, {"heard": np.zeros((2, KEPT), np.float32)})
    played, latency = resampled(listener, inner_rate, outer_rate, inputs=2, max_frames=LONG)
    x = 0.5 + np.repeat(0.1 * sine(100.0, 5000, outer_rate), 2, axis=0)
    played.play(x, 1)
    sound, knob = listener.memory["heard"][:, : int(listener.record["count"][0])]
    stands = [math.floor(n * Fraction(outer_rate, inner_rate)) - latency // 2 for n in range(len(knob))]
    assert np.array_equal(knob, x[1, np.maximum(stands, 0)])  # before the first frame it stood where it stands there
    step = 0.1 * 2.0 * np.pi * 100.0 / outer_rate  # what the sine may move in the outer frame that a knob is held
    settled = slice(2 * latency * inner_rate // outer_rate + 2, None)
    assert np.max(np.abs(sound - knob)[settled]) < 1.01 * step


@PAIRS
def test_the_inner_node_is_called_only_with_frames_and_never_with_more_than_there_is_room_for(inner_rate, outer_rate):
    for max_frames in (1, 2, 7, 60):
        listener = Node(Listener.play, {"shortest": KEPT}, {"heard": np.zeros((2, KEPT), np.float32)})
        played, _ = resampled(listener, inner_rate, outer_rate, inputs=2, max_frames=max_frames)
        play_in_cuts(played, noise(2, 5040, seed=1), 1, [max_frames] * (5040 // max_frames))
        (record,) = listener.record
        assert 1 <= record["shortest"] <= record["longest"] == played.record["inner_frames"][0]
        assert record["count"] == math.ceil(Fraction(5040 * inner_rate, outer_rate))


@SOME_PAIRS
@pytest.mark.parametrize("hours", [1, 24 * 365])
def test_after_hours_it_keeps_the_phase(inner_rate, outer_rate, hours):
    x, late, fresh = noise(1, 9999, seed=1), wire(inner_rate, outer_rate)[0], wire(inner_rate, outer_rate)[0]
    late.record["clock"] = hours * 3600 * outer_rate  # whole seconds: both rates have a frame there
    assert np.array_equal(late.play(x, 1), fresh.play(x, 1))


@SOME_PAIRS
def test_a_second_sounds_as_the_second_before_it(inner_rate, outer_rate):
    """The pattern of phases comes round after a second at the latest, without a count that was set by hand."""
    played, latency = wire(inner_rate, outer_rate)
    first, second, third = (played.play(noise(1, outer_rate, seed=1), 1) for _ in range(3))
    assert np.array_equal(first[:, 2 * latency :], second[:, 2 * latency :])
    assert np.array_equal(second, third)


@pytest.mark.parametrize(
    ("inner_rate", "outer_rate", "told"),
    [
        (44100, 767999, "divisor is 1, which asks for 37 million taps where 8"),
        (1000, 48000, "up to 32 times the lower"),
        (10**12, 48000, "up to 32 times the lower"),
        (0, 48000, "up to 32 times the lower"),
        (-44100, 48000, "up to 32 times the lower"),
    ],
)
def test_rates_that_do_not_go_together_are_refused(inner_rate, outer_rate, told):
    with pytest.raises(RateError, match=told):
        wire(inner_rate, outer_rate)
