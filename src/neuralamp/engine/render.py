"""A whole take through a rig, offline, by the very callback that plays live."""

from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np

from neuralamp.engine.board import Board
from neuralamp.engine.engine import OFFLINE_FRAMES, Engine
from neuralamp.messages import Event
from neuralamp.rig import Rig, capture_rig
from neuralamp.setlist import Song, one_song


def render(
    rig: Rig,
    x: np.ndarray,
    sample_rate: float,
    events: Sequence[Event] = (),
    tail_frames: int | None = 0,
    report: Callable[[float], None] = lambda share: None,
    songs: Sequence[Song] = (),
) -> np.ndarray:
    """(channels, frames) -> (channels out, frames + tail_frames) float32.

    The rig's latency is dropped, so that the output lies exactly under the input. A tail of None is as long as the rig may ring
    on. `events` are what is done while it plays, at frames of the input; where they change the rig, `songs` are the set list, and
    the rig is its first. `report` hears after each buffer which share of the take, 0 to 1, has been played.

    Raises what the boxes raise while they are prepared, and what Board.act raises for an event.
    """
    songs = tuple(songs) or one_song(rig)
    engine = Engine(rig, sample_rate, channels=x.shape[0], device_outputs=_widest(rig, songs, sample_rate, x.shape[0]))
    board = Board(engine, songs)
    tail_frames = engine.plan.tail_frames if tail_frames is None else tail_frames
    waiting = sorted(events, key=lambda event: event.frame)
    late = engine.latency_frames
    x = np.pad(np.asarray(x, np.float32), ((0, 0), (0, late + tail_frames)))
    y = np.empty((engine.device_outputs, x.shape[1]), np.float32)
    for start in range(0, x.shape[1], OFFLINE_FRAMES):
        end = min(start + OFFLINE_FRAMES, x.shape[1])
        while waiting and waiting[0].frame < end:
            event = waiting.pop(0)
            board.act(event.message, event.frame)
        y[:, start:end] = engine.play(x[:, start:end])
        engine.plan.check()
        report(end / x.shape[1])
    return y[:, late:]


def _widest(rig: Rig, songs: Sequence[Song], sample_rate: float, channels: int) -> int | None:
    """Channels that the widest of several rigs gives; None where one alone decides."""
    if len(songs) == 1:
        return None
    return max(Engine(song.rig, sample_rate, channels=channels).plan.channels_out for song in songs)


def play_capture(capture: Path | str, x: np.ndarray, sample_rate: float) -> np.ndarray:
    """A mono take (frames,) through a capture alone, as a guitarist would hear it: (frames,) float32."""
    return render(capture_rig(capture), x[np.newaxis], sample_rate)[0]
