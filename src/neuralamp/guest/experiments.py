"""What a graph does not say of itself, found by playing it: does it look ahead, how far back does it hear, may it be cut.

Every experiment plays two takes of seeded noise that differ in one stretch, and looks where the answers differ.
"""

from dataclasses import dataclass

import numpy as np
from numpy.random import default_rng  # numpy would load it when it is first used, when no file can be opened any more

from neuralamp.errors import CaptureError
from neuralamp.guest.facts import one_line
from neuralamp.guest.stream import Session, Stream

HEARD = 1e-6  # of the answer's peak, -120 dB: less is not heard, and onnxruntime itself changes 5e-6 from cut to cut
SAME = 1e-3  # of the answer's peak: two ways of cutting that differ by more are not rounding but another sound
PEAK = 0.5  # of the noise: a guitar, played hard
TRIED = (2048, 8192, 32768, 131072, 262144)  # frames of a take, until a graph without padding answers at all
MOST_PAST = 2**17  # frames, 2.7 s at 48 kHz: no amp that is a net remembers longer
CHANGED = 256  # frames of the past that differ: every tap of a sparse convolution falls on one of them
CUT = (1, 64, 7, 129, 99)  # buffers of the last experiment


@dataclass(frozen=True)
class Findings:
    """past_frames and receptive_field as in `Facts`; whether it ever comes to rest."""

    past_frames: int
    receptive_field: int
    settles: bool = True


@np.errstate(over="ignore")  # answers of 1e38 lie infinitely far apart, which is right
def experiment(session: Session) -> Findings:
    """Play the graph until it is known. Raises CaptureError for what cannot be played in a stream."""
    length, shorter = _lengths(session)
    if session.graph.states and shorter:
        raise CaptureError(
            f"its answer is {shorter} frames shorter than its input though it has states; let the states carry them"
        )
    _refuse_the_future(session, length, shorter)
    if session.graph.states:
        settling = _settling_frames(session)
        findings = Findings(0, min(settling, MOST_PAST) + 1, settling <= MOST_PAST)
    else:
        past = shorter or _past_frames(session, length)
        findings = Findings(past, past + 1)
    _refuse_what_cannot_be_cut(session, findings)
    return findings


def _noise(frames: int, seed: int) -> np.ndarray:
    return default_rng(seed).uniform(-PEAK, PEAK, frames).astype(np.float32)


def _lengths(session: Session) -> tuple[int, int]:
    """Frames of a take that the graph answers, and by how many frames the answer is shorter."""
    if session.graph.frames is not None:
        return session.graph.frames, _shorter(session, session.graph.frames)
    for frames in TRIED:
        try:
            length, shorter = frames, _shorter(session, frames)
            break
        except CaptureError:
            raise
        except Exception as reason:  # noqa: BLE001  onnxruntime has no class of errors for an input that is too short
            refusal = f"onnxruntime cannot play it on {frames} frames ({one_line(reason)}); export it with an open time axis"
    else:
        raise CaptureError(refusal)
    if _shorter(session, length + 1000) != shorter:
        raise CaptureError(
            f"its answer to {length} frames is {shorter} shorter, and to {length + 1000} another number; "
            "an amp gives one frame for each that it hears"
        )
    return length, shorter


def _shorter(session: Session, frames: int) -> int:
    y, _ = session.run(_noise(frames, 1), session.first)
    if not 1 <= y.size <= frames:
        raise CaptureError(f"its answer to {frames} frames has {y.size}; an amp gives one frame for each that it hears")
    if not np.isfinite(y).all():
        raise CaptureError("it gives values that are no numbers (NaN or infinite) on noise; train it again")
    return frames - y.size


def _refuse_the_future(session: Session, length: int, shorter: int) -> None:
    """Change the last quarter, one frame at least: what sounds before it must not change."""
    border = length - max(1, length // 4)
    x, other = _noise(length, 1), _noise(length, 1)
    other[border:] = _noise(length - border, 2)
    changed = _changed(session.run(x, session.first)[0], session.run(other, session.first)[0])
    if changed.size and (ahead := border - (int(changed[0]) + shorter)) > 0:
        raise CaptureError(f"it looks {ahead} frames ahead; train a causal net, which hears the past only")


def _changed(y: np.ndarray, other: np.ndarray) -> np.ndarray:
    """The frames at which two answers differ so that one could hear it."""
    return np.flatnonzero(np.abs(y - other) > HEARD * np.max(np.abs(y)))


def _past_frames(session: Session, length: int) -> int:
    """How far back a graph hears that pads its own input: change the beginning, and see where its echo ends."""
    if session.graph.frames is not None:
        changed = _echo(session, length, 1)
        return int(changed[-1]) if changed.size else 0
    frames = 2 * CHANGED
    while frames <= 2 * MOST_PAST:
        frames *= 2
        changed = _echo(session, frames, CHANGED)
        if changed.size == 0 or changed[-1] < frames - CHANGED:
            return max(int(changed[-1]) - CHANGED + 1, 0) if changed.size else 0
    raise CaptureError(f"it hears further back than {MOST_PAST} frames; export it with its states as inputs and outputs")


def _echo(session: Session, frames: int, changed: int) -> np.ndarray:
    """The frames at which the answer changes with the first `changed` ones."""
    x, other = _noise(frames, 3), _noise(frames, 3)
    other[:changed] = _noise(changed, 4)
    return _changed(session.run(x, ())[0], session.run(other, ())[0])


def _settling_frames(session: Session) -> int:
    """After how much silence a graph with states has forgotten noise; more than MOST_PAST for never."""
    step = session.graph.frames or 2048
    loud, quiet, peak = session.first, session.first, 0.0
    for start in range(0, max(4096, step), step):
        y, loud = session.run(_noise(step, 5 + start), loud)
        peak = max(peak, float(np.max(np.abs(y))))
    silence, heard, frames = np.zeros(step, np.float32), 0, 0
    while frames <= MOST_PAST and frames - heard < 4 * step:
        a, loud = session.run(silence, loud)
        b, quiet = session.run(silence, quiet)
        apart = np.flatnonzero(np.abs(a - b) > HEARD * peak)
        heard = frames + int(apart[-1]) + 1 if apart.size else heard
        frames += step
    return heard if frames - heard >= 4 * step else MOST_PAST + 1


def _refuse_what_cannot_be_cut(session: Session, findings: Findings) -> None:
    """The same noise in buffers of many lengths and in one: the same sound, or its states do not carry what they should."""
    x = _noise(sum(CUT), 6)
    whole, cut = Stream(session, findings.past_frames), Stream(session, findings.past_frames)
    right = whole.play(x)
    wrong = np.concatenate([cut.play(part) for part in np.split(x, np.cumsum(CUT)[:-1])])
    apart, peak = float(np.max(np.abs(wrong - right))), float(np.max(np.abs(right)))
    if not apart <= SAME * peak:
        raise CaptureError(
            f"cut into buffers it sounds {apart / max(peak, 1e-30):.2g} of its peak different; "
            "its states must carry all that it remembers from buffer to buffer"
        )
