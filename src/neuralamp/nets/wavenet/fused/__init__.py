"""The WaveNet that learns on a processor: forward and backward over a batch of segments, in kernels.

It hears and answers as module.py does, frame for frame, and gives the gradients of every weight. Segments are shared out among
threads; each one's gradients are summed by themselves and then in the order of the batch, so that the number of threads
changes no bit.
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from neuralamp.dsp.jit import LANES
from neuralamp.dsp.node import aligned_zeros
from neuralamp.nets.threads import in_threads
from neuralamp.nets.wavenet.config import WaveNetConfig
from neuralamp.nets.wavenet.fused.adjoint import backward
from neuralamp.nets.wavenet.fused.forward import NET, SPACES, forward
from neuralamp.nets.wavenet.fused.tables import SPAN, LearningTables, rows_of


@dataclass
class Tape:
    """What the way forward leaves for the way back: the weights packed, what was heard, and what the layers kept."""

    weights: np.ndarray
    back_weights: np.ndarray
    x: np.ndarray
    condition: np.ndarray
    kept: np.ndarray


@dataclass(frozen=True)
class Gradients:
    """Of the flat weights, and where they were asked for of x and of the condition, each in the shape of its own."""

    weights: np.ndarray
    x: np.ndarray | None
    condition: np.ndarray | None


class FusedWaveNet:
    """The kernels of one config and the memory that their threads work in."""

    def __init__(self, config: WaveNetConfig, threads: int = 1):
        self.config = config
        self.tables = LearningTables(config)
        self.shapes = self.tables.shapes
        self._workers = [_Worker(self.tables) for _ in range(threads)]
        self._spare: list[np.ndarray] = []  # what tapes kept, to be kept anew: a step shall not ask for fresh gigabytes

    def forward(self, weights: np.ndarray, x: np.ndarray, condition: np.ndarray | None = None) -> tuple[np.ndarray, Tape]:
        """(batch, inputs, own_settling_frames + frames) -> (batch, outputs, frames), and what `backward` needs.

        weights    all of `shapes`, end to end, float32.
        condition  (batch, condition_channels, the frames of x), what the net inside gives; None where there is none.
        """
        source = np.concatenate([np.zeros(1, np.float32), weights])
        packed = source[self.tables.numbers] + self.tables.constants
        x = np.ascontiguousarray(x, np.float32)
        condition = x if condition is None else np.ascontiguousarray(condition, np.float32)
        batch, _, frames = x.shape
        kept = self._kept(batch, -(-frames // SPAN))
        tape = Tape(packed, source[self.tables.back_numbers], x, condition, kept)
        y = np.empty((batch, self.config.outputs, frames - self.config.own_settling_frames), np.float32)

        def play(worker: _Worker, item: int) -> None:
            worker.point(tape, item, y=y)
            forward(worker.address)

        self._share_out(play, batch)
        return y, tape

    def backward(self, tape: Tape, dy: np.ndarray, wants_x: bool = False, wants_condition: bool = False) -> Gradients:
        """From the gradient of what `forward` answered to those of what it was given. The tape stays as it is."""
        dy = np.ascontiguousarray(dy, np.float32)
        folded = np.empty((len(dy), self.tables.sums), np.float32)
        dx = np.empty_like(tape.x) if wants_x else None
        dc = np.empty_like(tape.condition) if wants_condition else None

        def play(worker: _Worker, item: int) -> None:
            worker.point(tape, item, dy=dy, folded=folded, dx=dx, dc=dc)
            backward(worker.address)

        self._share_out(play, len(dy))
        total = np.add.reduce(folded, axis=0)
        return Gradients(total[self.tables.gradient_of], dx, dc)

    def give_back(self, tape: Tape) -> None:
        """The tape will not be used again: the next one may have its memory."""
        self._spare.append(tape.kept)

    def _kept(self, batch: int, tiles: int) -> np.ndarray:
        """Memory for what a batch keeps: (batch, tiles, rows, SPAN)."""
        shape = (batch, tiles, self.tables.kept_rows, SPAN)
        while self._spare:
            if (kept := self._spare.pop()).shape == shape:
                return kept
        return aligned_zeros(*shape)

    def _share_out(self, play: Callable[["_Worker", int], None], batch: int) -> None:
        """Every segment to whichever worker is free."""
        items = iter(range(batch))

        def work(k: int) -> None:
            for item in items:
                play(self._workers[k], item)

        in_threads(work, len(self._workers), len(self._workers))


class _Worker:
    """The record that a thread's kernels play on, and the memory that it leads to."""

    def __init__(self, tables: LearningTables):
        forward = tables.forward
        self._memory = {
            "layers": rows_of(forward.layers),
            "heads": rows_of(forward.heads),
            "posts": rows_of(forward.posts),
            "layer_backs": tables.layers.copy(),
            "head_backs": tables.heads.copy(),
            "post_backs": tables.posts.copy(),
            "rings": aligned_zeros(forward.rings.size),
            "back_rings": aligned_zeros(tables.ring_floats),
            "streams": aligned_zeros(tables.stream_rows, SPAN),
            "values": aligned_zeros(tables.value_rows, SPAN),
            "gradients": aligned_zeros(tables.sums, LANES),
        }
        for name in SPACES:
            self._memory[name] = aligned_zeros((2 if name.startswith("film") else 1) * forward.widest, SPAN)
        for name in ("layers", "heads", "posts"):  # their rings are this worker's own
            self._memory[name]["conv"]["ring"] += self._memory["rings"].ctypes.data - forward.rings.ctypes.data
        for name in ("layer_backs", "head_backs", "post_backs"):
            self._memory[name]["conv"]["ring"] = 4 * self._memory[name]["conv"]["ring"] + self._memory["back_rings"].ctypes.data
        config = tables.config
        self._record = np.zeros(1, NET)
        self._set(
            layer_count=len(forward.layers),
            head_count=len(forward.heads),
            post_count=len(config.post_head),
            inputs=config.inputs,
            conditions=config.condition_channels,
            outputs=config.outputs,
            frames=SPAN,
            vectors=SPAN // LANES,
            stride=4 * SPAN,
            kept_rows=tables.kept_rows,
            kept_head=tables.kept_head,
            head_scale=tables.head_scale,
            head_scale_gradient=tables.head_scale_gradient,
            sums=tables.sums,
            ring_floats=forward.rings.size,
            back_ring_floats=tables.ring_floats,
            conditioned=int(config.condition is not None),
        )
        self._set(**{name: array.ctypes.data for name, array in self._memory.items()})
        if config.condition is None:
            self._set(condition=self._memory["heard"].ctypes.data)
        self._past = config.own_settling_frames

    @property
    def address(self) -> int:
        return self._record.ctypes.data

    def point(self, tape: Tape, item: int, **arrays: np.ndarray | None) -> None:
        """Lead the record to one segment of a tape, and of these arrays; None is not wanted."""
        frames, tiles = tape.x.shape[-1], tape.kept.shape[1]
        self._set(
            weights=tape.weights.ctypes.data,
            back_weights=tape.back_weights.ctypes.data,
            item_frames=frames,
            out_frames=frames - self._past,
            pad=tiles * SPAN - frames,
            tiles=tiles,
            x=_address(tape.x, item),
            c=_address(tape.condition, item),
            kept=_address(tape.kept, item),
            wants_input=int(arrays.get("dx") is not None),
            wants_condition=int(arrays.get("dc") is not None),
        )
        self._set(**{name: _address(array, item) for name, array in arrays.items() if array is not None})

    def _set(self, **fields: int) -> None:
        for name, value in fields.items():
            self._record[name] = value


def _address(array: np.ndarray, item: int) -> int:
    """Where one segment of a batch begins."""
    return array.ctypes.data + item * array.strides[0]
