"""A box that does, now and then, what no box may do: the proofs must catch it."""

import numpy as np
from numba import carray, types

from neuralamp.block import Block, Part
from neuralamp.dsp.jit import address_of, kernel
from neuralamp.dsp.node import Node, NodeKernel, State, node

EVERY = 64  # buffers between two faults
STATE = State(channels=int, buffers=int, mutex=(8,))
MUTEX = STATE.dtype.fields["mutex"][1]  # 64 bytes of zeros are a mutex that nobody holds

pthread_mutex_lock = types.ExternalFunction("pthread_mutex_lock", types.int32(types.intp))
pthread_mutex_unlock = types.ExternalFunction("pthread_mutex_unlock", types.int32(types.intp))
system_write = types.ExternalFunction("write", types.int64(types.int32, types.intp, types.uint64))


@kernel
def pass_on(box, inputs, outputs, frames):
    """The sound, untouched; whether a fault is due."""
    box.buffers += 1
    for c in range(box.channels):
        for n in range(frames):
            outputs[c][n] = inputs[c][n]
    return box.buffers % EVERY == 0


@node(STATE)
def none(inputs, outputs, frames, state):
    """No fault."""
    pass_on(carray(state, (1,))[0], inputs, outputs, frames)


@node(STATE)
def malloc(inputs, outputs, frames, state):
    """An array made for a buffer."""
    if pass_on(carray(state, (1,))[0], inputs, outputs, frames):
        kept = np.zeros(frames, np.float32)
        for n in range(frames):
            kept[n] = outputs[0][n]
        outputs[0][0] = kept[frames // 2]


@node(STATE)
def mutex(inputs, outputs, frames, state):
    """A lock, even one that nobody else holds."""
    if pass_on(carray(state, (1,))[0], inputs, outputs, frames):
        pthread_mutex_lock(address_of(state) + MUTEX)
        pthread_mutex_unlock(address_of(state) + MUTEX)


@node(STATE)
def write(inputs, outputs, frames, state):
    """A system call, though it be to a file that is not open."""
    if pass_on(carray(state, (1,))[0], inputs, outputs, frames):
        system_write(-1, address_of(state), 8)


@node(STATE)
def gil(inputs, outputs, frames, state):
    """An exception: numba takes the GIL to tell Python of it."""
    if pass_on(carray(state, (1,))[0], inputs, outputs, frames):
        raise ValueError("a planted fault")


@node(STATE)
def printing(inputs, outputs, frames, state):
    """A word to the terminal."""
    if pass_on(carray(state, (1,))[0], inputs, outputs, frames):
        print("a planted fault")


COUNTED, SEALED = "counted", "sealed"
FAULTS: dict[str, tuple[NodeKernel, frozenset[str]]] = {  # fault -> kernel, and the proofs that must catch it
    "none": (none, frozenset()),
    "malloc": (malloc, frozenset({COUNTED})),  # the allocator asks the system only now and then
    "mutex": (mutex, frozenset({COUNTED})),  # nor does a lock that is free
    "write": (write, frozenset({COUNTED, SEALED})),
    "gil": (gil, frozenset({COUNTED, SEALED})),
    "print": (printing, frozenset({COUNTED, SEALED})),
}


class Fault(Block):
    """The box with the fault of this name."""

    state = STATE

    def __init__(self, fault: str):
        super().__init__()
        self.fault = fault

    def prepare(self, sample_rate, channels, max_frames):
        return Part(Node(FAULTS[self.fault][0], {"channels": channels}), channels)
