"""A stranger's graph as a stream: onnxruntime called buffer by buffer, and what it must be told again or be given back."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
import onnxruntime

from neuralamp.errors import CaptureError
from neuralamp.guest.facts import shown
from neuralamp.guest.graph import Graph

LONGEST_RUN = 4096  # frames of new sound in one run of onnxruntime: what is longer is split, so that memory stays bounded

States = Sequence[np.ndarray]


class Session:
    """onnxruntime on one graph: one run, from given states to the next ones."""

    def __init__(self, content: bytes, graph: Graph):
        self.graph = graph
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = options.inter_op_num_threads = 1  # these nets are small, and threads are forbidden here
        options.log_severity_level = 4  # what goes wrong is raised; nobody reads the log
        options.add_session_config_entry("session.set_denormal_as_zero", "1")
        self._session = onnxruntime.InferenceSession(content, options, providers=["CPUExecutionProvider"])
        self._outputs = [graph.answer, *(state.becomes for state in graph.states)]
        self._open_shape = [1] * len(graph.sound.shape or ())

    @property
    def first(self) -> States:
        """The states of a graph that has heard nothing."""
        return [state.first for state in self.graph.states]

    def run(self, x: np.ndarray, states: States) -> tuple[np.ndarray, States]:
        """(frames,) float32 and states to what sounds, (frames or fewer,), and the next states."""
        shape = list(self._open_shape)
        shape[self.graph.time_axis] = x.size
        names = [state.name for state in self.graph.states]
        fed = {self.graph.sound.name: x.reshape(shape), **dict(zip(names, states, strict=True))}
        y, *after = self._session.run(self._outputs, fed)
        if sum(size != 1 for size in y.shape) > 1 or y.dtype != np.float32:
            raise CaptureError(
                f"its output {shown(self.graph.answer)} is {y.dtype} of shape {y.shape} for {x.size} frames; "
                "export a net of one row of mono sound"
            )
        for state, value in zip(self.graph.states, after, strict=True):
            if value.shape != state.first.shape:
                raise CaptureError(
                    f"its state {shown(state.name)} comes back with shape {value.shape} instead of {state.first.shape}; "
                    "a state keeps its shape"
                )
        return y.reshape(-1), after


@dataclass(frozen=True)
class Memory:
    """What a stream is between two buffers; nothing in it is written to, so to remember it is to keep it.

    states   of the graph.
    past     the frames that a graph without states is told again.
    waiting  frames that do not fill a fixed buffer yet; `answers` those of the buffer before that have not been given out.
    """

    states: States
    past: np.ndarray
    waiting: np.ndarray
    answers: np.ndarray


class Stream:
    """Any number of frames in, as many out.

    past_frames  that a graph without states hears before what is new, in every run.
    """

    def __init__(self, session: Session, past_frames: int):
        self._session, self._past_frames = session, past_frames
        self._frames = session.graph.frames
        nothing = np.zeros(0, np.float32)
        if session.graph.states:
            self.latency_frames = (self._frames or 1) - 1
            self.memory = Memory(session.first, nothing, nothing, np.zeros(self.latency_frames, np.float32))
        else:
            self.latency_frames = 0
            told = past_frames if self._frames is None else self._frames - 1
            self.memory = Memory((), np.zeros(told, np.float32), nothing, nothing)

    def play(self, x: np.ndarray) -> np.ndarray:
        """(frames,) float32 -> (frames,), late by `latency_frames`."""
        if not self._session.graph.states:
            longest = min(self._frames - self._past_frames, LONGEST_RUN) if self._frames else LONGEST_RUN
            return np.concatenate([self._tell_again(part) for part in _parts(x, longest)])
        if self._frames:
            return self._play_filled(x, self._frames)
        return np.concatenate([self._carry(part) for part in _parts(x, LONGEST_RUN)])

    def _carry(self, x: np.ndarray) -> np.ndarray:
        """States go from buffer to buffer."""
        y, states = self._session.run(x, self.memory.states)
        self.memory = replace(self.memory, states=states)
        return y

    def _play_filled(self, x: np.ndarray, frames: int) -> np.ndarray:
        """States and a fixed buffer: what has been heard waits until it fills the buffer."""
        waiting = np.concatenate([self.memory.waiting, x])
        filled = waiting.size - waiting.size % frames
        y = np.concatenate([self.memory.answers, *(self._carry(part) for part in _parts(waiting[:filled], frames))])
        self.memory = replace(self.memory, waiting=waiting[filled:], answers=y[x.size :])
        return y[: x.size]

    def _tell_again(self, x: np.ndarray) -> np.ndarray:
        """No states: the graph hears its past and what is new, and only its answer to what is new is heard."""
        heard = np.concatenate([self.memory.past, x])
        y, _ = self._session.run(heard[-self._frames :] if self._frames else heard, ())
        self.memory = replace(self.memory, past=heard[x.size :])
        return y[y.size - x.size :]


def _parts(x: np.ndarray, longest: int) -> list[np.ndarray]:
    return [x[start : start + longest] for start in range(0, x.size, longest)]
