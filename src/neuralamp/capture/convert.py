"""A capture from one format to another, checked by playing both."""

from pathlib import Path

import numpy as np

from neuralamp.audio import atomic_path
from neuralamp.capture.capture import Capture
from neuralamp.capture.file import encode_capture, open_capture
from neuralamp.errors import CaptureError

CHECKED_SECONDS = 0.5
MOST_DIFFERENCE = 1e-6  # of the loudest answer: what rounding numbers to float32 once more can do, and no more
# Where a format cannot say where a net's cells begin, they begin at zero and come to a rest that rounding keeps apart from the
# other: 1e-5 in a capture whose head takes large numbers from each other.
MOST_DIFFERENCE_AT_REST = 3e-5


def convert(source: Path, target: Path, overwrite: bool = False) -> tuple[Capture, float]:
    """Write the capture in `source` as the format that the ending of `target` names; the capture, and how far they differ.

    The new file is opened again and played against the old one, and takes its place only if they agree. Raises CaptureError for
    what cannot be read, written, or said in the other format, and for a target that is there already unless `overwrite`.
    """
    if target.exists() and not overwrite:
        raise CaptureError(f"{target} is there already; add --overwrite, or choose another name")
    capture = open_capture(source)
    data = encode_capture(target, capture)
    with atomic_path(target) as partial:
        partial.write_bytes(data)
        written = open_capture(partial)
        difference = largest_difference(capture, written)
        most = MOST_DIFFERENCE if _begins(written) == _begins(capture) else MOST_DIFFERENCE_AT_REST
        if not difference <= most:
            raise CaptureError(
                f"{target} would sound different from {source.name}: by {difference:.1e} of its loudest, where "
                f"{most:g} is the most that rounding does; the file is not written, so keep {source.name}"
            )
    return capture, difference


def _begins(capture: Capture) -> bool:
    """Whether its weights say where its cells begin."""
    return any(name.startswith("initial.") for name in capture.weights)


def largest_difference(one: Capture, other: Capture) -> float:
    """Between the answers of two captures to the same noise, swelling and fading, relative to the loudest of the first's."""
    frames = round(CHECKED_SECONDS * one.card.sample_rate)
    rng = np.random.default_rng(0)
    sound = rng.uniform(-0.5, 0.5, frames) * np.hanning(frames)
    rows = np.vstack([sound, *(np.full(frames, rest) for rest in one.resting_knobs)])
    answers = [capture.start(capture.resting_knobs, frames).play(rows, 1)[0].astype(np.float64) for capture in (one, other)]
    loudest = np.abs(answers[0]).max()
    return float(np.abs(answers[1] - answers[0]).max() / loudest) if loudest > 0.0 else float(np.abs(answers[1]).max())
