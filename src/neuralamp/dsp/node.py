"""The common shape of everything that plays: one compiled function on one flat state.

    void play(float **inputs, float **outputs, int64 frames, State *state)

`inputs` and `outputs` point to one row of float32 for each channel; an output row is never an input row. The engine, the amp's
net and the lanes of a rig all call each other through this signature, by address.
"""

import ctypes
import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import cached_property

import numba
import numpy as np
from numba import types

CHANNELS = 2  # the most that a box carries: mono or stereo

PAGE = 4096  # bytes, or fewer than a system's page has
POINTER = "pointer"
"""A field of a State that holds the address of an array, filled by `Node`."""

_ROWS = types.CPointer(types.CPointer(types.float32))
_C_SIGNATURE = ctypes.CFUNCTYPE(None, ctypes.c_void_p, ctypes.c_void_p, ctypes.c_int64, ctypes.c_void_p)


class State:
    """The layout of a node's flat record, named field by field.

    A tuple is the shape of a float64 array, `int` and `float` are single numbers, `POINTER` is the address of an array that the
    node owns. A field `goal` must come first: it is where knobs are turned while the node plays, and what a reset leaves alone.
    """

    def __init__(self, **fields: tuple[int, ...] | type | str):
        if "goal" in fields and next(iter(fields)) != "goal":
            raise TypeError("goal must be the first field of a State")
        if "goal" in fields and not (isinstance(fields["goal"], tuple) and len(fields["goal"]) == 1):
            raise TypeError("goal must be one row of numbers")
        self.pointers = tuple(name for name, kind in fields.items() if kind == POINTER)
        self.dtype = np.dtype([_field(name, kind) for name, kind in fields.items()], align=True)

    @property
    def goals(self) -> int:
        """How many numbers the knobs are designed into."""
        return self.dtype["goal"].shape[0] if "goal" in (self.dtype.names or ()) else 0


def _field(name: str, kind: tuple[int, ...] | type | str) -> tuple:
    if isinstance(kind, tuple):
        return (name, np.float64, kind)
    return (name, np.float64 if kind is float else np.int64)


class NodeKernel:
    """A node's function, compiled when its address is first asked for."""

    def __init__(self, function: Callable, state: State):
        self.state = state
        self._function = function

    @cached_property
    def _compiled(self):
        record = types.CPointer(numba.from_dtype(self.state.dtype))
        signature = types.void(_ROWS, _ROWS, types.int64, record)
        return numba.cfunc(signature, cache=True, error_model="numpy")(self._function)

    @property
    def address(self) -> int:
        return self._compiled.address


def node(state: State) -> Callable[[Callable], NodeKernel]:
    """Decorate `play(inputs, outputs, frames, state)`; inside, `carray(state, (1,))[0]` is the record."""
    return lambda function: NodeKernel(function, state)


@dataclass
class Node:
    """A kernel and the memory that it plays on: the unit that the engine walks.

    values     numbers for the fields of the record.
    memory     arrays for the POINTER fields that change while playing; a reset brings them back to how they were at rest.
    scratch    arrays for the POINTER fields that are never read before they are written: a reset leaves them as they are. A
               looper's minutes of sound are too much to copy in the audio thread.
    constants  arrays for the POINTER fields that never change: weights, tables, impulse responses.
    inner      nodes that this one calls; they are kept alive and reset with it.
    keep       whatever else owns memory that the record leads to.
    """

    kernel: NodeKernel
    values: dict = field(default_factory=dict)
    memory: dict[str, np.ndarray] = field(default_factory=dict)
    constants: dict[str, np.ndarray] = field(default_factory=dict)
    scratch: dict[str, np.ndarray] = field(default_factory=dict)
    inner: Sequence["Node"] = ()
    keep: Sequence[object] = ()

    def __post_init__(self):
        self.record = np.zeros(1, self.kernel.state.dtype)
        for name, value in self.values.items():
            self.record[name][0] = value
        arrays = self.memory | self.constants | self.scratch
        if set(arrays) != set(self.kernel.state.pointers):
            raise TypeError(f"arrays {sorted(arrays)} for the pointers {sorted(self.kernel.state.pointers)}")
        for name, array in arrays.items():
            if not array.flags.c_contiguous:
                raise TypeError(f"{name} must be contiguous: the kernel walks its bytes")
            self.record[name][0] = array.ctypes.data
        for array in (self.memory | self.scratch).values():
            touched(array)

    @property
    def address(self) -> int:
        """Of the state record."""
        return self.record.ctypes.data

    @property
    def goal(self) -> np.ndarray:
        """Where the knobs are designed into, float64; a view into the record."""
        return self.record["goal"][0]

    def changing(self) -> list[np.ndarray]:
        """Every stretch of bytes that playing changes, goals left out; what a reset must bring back."""
        after_goal = self.record.view(np.uint8)[8 * self.kernel.state.goals :]
        own = [after_goal, *(array.reshape(-1).view(np.uint8) for array in self.memory.values())]
        return own + [stretch for node in self.inner for stretch in node.changing()]

    def play(self, x: np.ndarray, outputs: int) -> np.ndarray:
        """(inputs, frames) float32 through the kernel as one buffer, called as the engine calls it: (outputs, frames)."""
        x = np.ascontiguousarray(x, np.float32)
        y = np.zeros((outputs, x.shape[1]), np.float32)
        rows_in, rows_out = row_addresses(x), row_addresses(y)
        function = _C_SIGNATURE(self.kernel.address)
        function(rows_in.ctypes.data, rows_out.ctypes.data, x.shape[1], self.address)
        return y


def touched(array: np.ndarray) -> np.ndarray:
    """The array, written to once a page: the system gives memory at the first write, which shall not be the audio thread's."""
    array.reshape(-1).view(np.uint8)[::PAGE] |= 0
    return array


def aligned_zeros(*shape: int) -> np.ndarray:
    """Zeros of float32 that begin where a cache line does: vectors that lie across two lines are slower."""
    line = 16
    memory = np.zeros(math.prod(shape) + line, np.float32)
    first = (-memory.ctypes.data // 4) % line
    return memory[first : first + math.prod(shape)].reshape(shape)


def row_addresses(rows: np.ndarray) -> np.ndarray:
    """The address of each row of a (channels, frames) array: what a kernel gets as `inputs` or `outputs`."""
    return rows.ctypes.data + rows.strides[0] * np.arange(rows.shape[0], dtype=np.int64)
