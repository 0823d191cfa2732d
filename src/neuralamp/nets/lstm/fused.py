"""The recurrent net that learns on a CPU: forward, and backward through time, with a sequence in each lane of a vector."""

import weakref
from dataclasses import dataclass

import numpy as np

from neuralamp.dsp.correlation import add_outer_products
from neuralamp.dsp.jit import LANES, floats_at, flush_denormals, inlined, kernel, set_float_mode
from neuralamp.dsp.node import aligned_zeros
from neuralamp.dsp.recurrent_batch import (
    LSTM_KEEPS,
    ROWS_BYTES,
    UNITS,
    add_matrix,
    gru_adjoint,
    gru_forward,
    lstm_adjoint,
    lstm_forward,
)
from neuralamp.dsp.vector import VECTOR_BYTES, grid, numbers, store, zeros
from neuralamp.nets.lstm.config import LstmConfig
from neuralamp.nets.lstm.fused_layout import Layout
from neuralamp.nets.threads import in_threads
from neuralamp.nets.weights import Weights

PIECE = 16  # steps whose slopes are kept until they become gradients of the weights: with their records they fit in the cache


@inlined
def clear(rows, count):
    for k in range(count):
        store(rows + VECTOR_BYTES * k, 0, zeros(grid(1, 1)))


@inlined
def gather(sequences, first, n, rows):
    """Frame n of LANES sequences (batch, rows, frames) from `first` on into rows; lanes beyond the last one play it too."""
    last = sequences.shape[0] - 1
    for k in range(sequences.shape[1]):
        row = floats_at(rows + VECTOR_BYTES * k, LANES)
        for lane in range(LANES):
            row[lane] = sequences[min(first + lane, last), k, n]


@inlined
def scatter(rows, sequences, first, n):
    """Rows to frame n of the sequences."""
    for k in range(sequences.shape[1]):
        row = floats_at(rows + VECTOR_BYTES * k, LANES)
        for lane in range(min(LANES, sequences.shape[0] - first)):
            sequences[first + lane, k, n] = row[lane]


@inlined
def begin(net, layers, weights, record):
    """The state from which all lanes begin."""
    for i in range(net.layers):
        layer = layers[i]
        for u in range(layer.hidden):
            place = weights + layer.begins + 4 * u
            store(record + layer.h + VECTOR_BYTES * u, 0, numbers(grid(1, 1), place))
            if net.lstm:
                kept = record + layer.kept + LSTM_KEEPS * ROWS_BYTES * (u // UNITS)
                store(kept + VECTOR_BYTES * (u % UNITS), 0, numbers(grid(1, 1), place + 4 * layer.hidden))


@kernel
def forward(net, layers, weights, records, x, warm_up, first, y):
    """Sequences x (batch, inputs, warm_up + frames) -> y (batch, outputs, frames), those of one vector, from `first` on.

    Steps after the warm-up are kept in records 1, 2, ..., the state that they begin from in record 0. The warm-up goes to and
    fro between records 0 and 1, and ends in 0.
    """
    mode = flush_denormals()
    net = net[0]
    now = records + net.record * (warm_up % 2)
    begin(net, layers, weights, now)
    for n in range(x.shape[2]):
        before = now
        now = records + net.record * ((warm_up - 1 - n) % 2 if n < warm_up else n - warm_up + 1)
        gather(x, first, n, now + net.x)
        for i in range(net.layers):
            if net.lstm:
                lstm_forward(layers[i], weights, before, now)
            else:
                gru_forward(layers[i], weights, before, now)
        if n >= warm_up:
            clear(now + net.y, net.outputs)
            add_matrix(now + net.y, weights + net.head, net.outputs, now + net.top - VECTOR_BYTES, 1 + net.hidden, now)
            scatter(now + net.y, y, first, n - warm_up)
    set_float_mode(mode)


@kernel
def backward(net, layers, weights, records, dy, first, slopes, along_states, gradients, dx):
    """The adjoint of `forward`: from slopes dy along y to those along everything else.

    slopes        room for PIECE steps.
    along_states  (layers, 2, hidden) vectors, along h and c; zeros, and in the end the slopes along the state of record 0.
    gradients     a vector for each weight, to be added to.
    dx            (batch, inputs, warm_up + frames), its last frames to be filled in; or none of them, if nobody asks.
    """
    mode = flush_denormals()
    net = net[0]
    frames, live = dy.shape[2], dy.shape[0] - first
    end = frames
    while end > 0:
        start = max(0, end - PIECE)
        for n in range(end - 1, start - 1, -1):
            before = records + net.record * n
            now, soon = before + net.record, before - net.record
            step = slopes + net.slopes * (n - start)
            gather(dy, first, n, step + net.dy)
            for k in range(net.outputs):
                row = floats_at(step + net.dy + VECTOR_BYTES * k, LANES)
                row[live:] = 0.0
            from_above, rows_above, matrix_above = step + net.dy, net.outputs, net.head_back
            for i in range(net.layers - 1, -1, -1):
                layer = layers[i]
                dh = along_states + 2 * i * layer.hidden * VECTOR_BYTES
                gates = step + layer.slopes
                add_matrix(dh, weights + matrix_above, layer.hidden, from_above, rows_above, soon + layer.kept)
                if net.lstm:
                    lstm_adjoint(layer, before, now, gates, dh, dh + layer.hidden * VECTOR_BYTES)
                else:
                    gru_adjoint(layer, before, now, gates, dh)
                past = gates + layer.back_first * VECTOR_BYTES
                add_matrix(dh, weights + layer.back, layer.hidden, past, layer.back_rows, soon + layer.kept)
                from_above, rows_above, matrix_above = gates, layer.down_rows, layer.down
            if dx.shape[2]:
                clear(step + net.dx, net.inputs)
                add_matrix(step + net.dx, weights + matrix_above, net.inputs, from_above, rows_above, soon)
                scatter(step + net.dx, dx, first, dx.shape[2] - frames + n)
        add_gradients(net, layers, gradients, slopes, records + net.record * (start + 1), end - start)
        end = start
    set_float_mode(mode)


@inlined
def add_gradients(net, layers, gradients, slopes, records, count):
    """What `count` steps, the first at `records`, add to the gradients of all weights: slopes times what was heard."""
    for i in range(net.layers):
        layer = layers[i]
        ones_and_below, past = 1 + layer.heard, layer.back_first * VECTOR_BYTES
        stride = VECTOR_BYTES * (ones_and_below + layer.hidden)
        total, gates = gradients + layer.gradient, slopes + layer.slopes
        add_outer_products(
            total, stride, gates, VECTOR_BYTES, net.slopes, 4 * layer.hidden,
            records + layer.below - VECTOR_BYTES, VECTOR_BYTES, net.record, ones_and_below, count,
        )  # fmt: skip
        add_outer_products(
            total + stride * layer.back_first + VECTOR_BYTES * ones_and_below, stride,
            gates + past, VECTOR_BYTES, net.slopes, layer.back_rows,
            records - net.record + layer.h, VECTOR_BYTES, net.record, layer.hidden, count,
        )  # fmt: skip
    add_outer_products(
        gradients + net.head_gradient, VECTOR_BYTES * (1 + net.hidden), slopes + net.dy, VECTOR_BYTES, net.slopes, net.outputs,
        records + net.top - VECTOR_BYTES, VECTOR_BYTES, net.record, 1 + net.hidden, count,
    )  # fmt: skip


@dataclass
class Tape:
    """What a forward pass leaves for its backward one: the weights that it had, and records for each vector of sequences."""

    warm_up: int
    weights: np.ndarray
    records: list[np.ndarray]


class FusedLstm:
    """The net of a config, and its gradients.

    Every LANES sequences are a job of their own, whichever thread does it, and their gradients are summed in their order: the
    result does not depend on the number of threads. A batch that does not fill a vector costs as much as one that does.
    """

    def __init__(self, config: LstmConfig):
        self.layout = Layout(config)
        self._spare: list[np.ndarray] = []

    def forward(self, weights: Weights, x: np.ndarray, warm_up: int, threads: int) -> tuple[np.ndarray, Tape]:
        """x (batch, inputs, warm_up + frames) -> y (batch, outputs, frames), without the skip, and what `backward` needs."""
        layout, firsts = self.layout, range(0, len(x), LANES)
        y = np.empty((len(x), layout.config.outputs, x.shape[2] - warm_up), np.float32)
        tape = Tape(warm_up, layout.pack(weights), [self._records(max(2, y.shape[2] + 1)) for _ in firsts])
        for records in tape.records:
            weakref.finalize(tape, self._spare.append, records)

        def job(k: int) -> None:
            places = tape.weights.ctypes.data, tape.records[k].ctypes.data
            forward(layout.net, layout.layers, *places, x, warm_up, firsts[k], y)

        in_threads(job, len(firsts), threads)
        return y, tape

    def backward(self, tape: Tape, dy: np.ndarray, along_x: bool, threads: int) -> tuple[dict[str, np.ndarray], np.ndarray]:
        """From the loss's slopes along y to those along each weight, by name, and along x where that is asked for.

        Where a warm-up came first, the state that the net begins from has no part in the sound, and no gradient.
        """
        layout, firsts = self.layout, range(0, len(dy), LANES)
        dx = np.zeros((len(dy), layout.config.inputs, tape.warm_up + dy.shape[2] if along_x else 0), np.float32)

        def job(k: int) -> tuple[np.ndarray, np.ndarray]:
            slopes, states = layout.slopes(PIECE), aligned_zeros(len(layout.layers), 2, layout.hidden, LANES)
            gradients = aligned_zeros(layout.gradients, LANES)
            places = tape.weights.ctypes.data, tape.records[k].ctypes.data
            room = slopes.ctypes.data, states.ctypes.data, gradients.ctypes.data
            backward(layout.net, layout.layers, *places, dy, firsts[k], *room, dx)
            return gradients.sum(axis=-1), states.sum(axis=-1)

        gradients, states = (np.sum(parts, axis=0) for parts in zip(*in_threads(job, len(firsts), threads), strict=True))
        found = layout.by_name(gradients, states)
        if tape.warm_up:
            found = {name: gradient for name, gradient in found.items() if not name.startswith("initial.")}
        return found, dx

    def _records(self, count: int) -> np.ndarray:
        """Records of a tape that is gone, or new ones: memory new from the system takes as long to get as to work on."""
        while self._spare:
            records = self._spare.pop()
            if len(records) >= count:
                return records
        return self.layout.records(count)
