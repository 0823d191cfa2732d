"""What every test of sound shares: seeded noise, random cuts of a stream, a node played in such cuts, errors in decibels."""

import itertools
import math
from collections.abc import Mapping, Sequence

import numpy as np

from neuralamp.block import Part
from neuralamp.dsp.node import Node


def noise(channels: int, frames: int, seed: int, peak: float = 1.0) -> np.ndarray:
    """(channels, frames) float32 of white noise, evenly spread between -peak and peak."""
    return np.random.default_rng(seed).uniform(-peak, peak, (channels, frames)).astype(np.float32)


def sine(frequency_hz: float, frames: int, sample_rate: float, peak: float = 1.0) -> np.ndarray:
    """(1, frames) float32 of a sine that begins at zero."""
    return (peak * np.sin(2.0 * math.pi * frequency_hz / sample_rate * np.arange(frames)))[None].astype(np.float32)


def cuts(frames: int, rng: np.random.Generator, longest: int = 8192) -> list[int]:
    """Buffer lengths that add up to `frames`: from 1 to `longest`, as many short as long ones, and always some of one frame."""
    lengths: list[int] = []
    left = frames
    while left:
        length = 1 if len(lengths) % 8 == 0 else round(2.0 ** rng.uniform(0.0, math.log2(longest)))
        lengths.append(min(length, left))
        left -= lengths[-1]
    return [lengths[k] for k in rng.permutation(len(lengths))]


def play_in_cuts(
    node: Node, x: np.ndarray, channels_out: int, cut: Sequence[int], turns: Mapping[int, np.ndarray] | None = None
) -> np.ndarray:
    """(inputs, frames) through a node in buffers of these lengths: (channels_out, frames).

    turns  goals by the absolute frame at which they are turned; a buffer is cut there, as the engine does.
    """
    turns = turns or {}
    borders = sorted({*np.cumsum([0, *cut]).tolist(), *turns})
    if borders[-1] != x.shape[1]:
        raise ValueError(f"cuts to frame {borders[-1]} of {x.shape[1]}")
    played = []
    for begin, end in itertools.pairwise(borders):
        if begin in turns:
            node.goal[:] = turns[begin]
        played.append(node.play(x[:, begin:end], channels_out))
    return np.concatenate(played, axis=1)


def keyed(part: Part, x: np.ndarray, key: np.ndarray | None = None) -> np.ndarray:
    """The rows that a box hears: its own, and where it listens to the rig's input too, left and right of that, or mono twice."""
    if not part.key:
        return x
    key = x if key is None else key
    return np.concatenate([x, key[[0, -1]]])


def at_rest(node: Node) -> list[bytes]:
    """Every byte that playing changes, remembered for `reset`."""
    return [stretch.tobytes() for stretch in node.changing()]


def reset(node: Node, rest: Sequence[bytes]) -> None:
    """Bring a node back to how it was when `at_rest` was asked."""
    for stretch, remembered in zip(node.changing(), rest, strict=True):
        stretch[:] = np.frombuffer(remembered, np.uint8)


def error_db(wrong: np.ndarray, right: np.ndarray) -> float:
    """The power of the difference over the power of what is right, in decibels; minus infinity for equals."""
    wrong, right = np.asarray(wrong, np.float64), np.asarray(right, np.float64)
    power = float(np.sum(np.square(wrong - right)) / np.sum(np.square(right)))
    return 10.0 * math.log10(power) if power > 0.0 else -math.inf
