"""How close a capture comes to a pair: the file opened as a guitarist opens it, the sound taken from the player."""

import time
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from scipy.signal import correlate

from neuralamp.capture.file import open_capture
from neuralamp.dsp import measure
from neuralamp.engine import play_capture
from neuralamp.errors import CaptureError
from neuralamp.learn.listen import settled
from neuralamp.learn.pair import Pair
from neuralamp.units import ms_to_frames

MOST_LATE_MS = 1.0  # two takes of one amp were aligned up to 1 frame apart; under 1 kHz no wave is taken for the next
SEGMENT_SECONDS = 0.5  # of the worst segment: a chord, long enough to be found again by ear


@dataclass(frozen=True)
class Evaluation:
    """The figures of dsp/measure.py, over the pair once the capture has settled.

    level_difference_db  how much louder the capture is than the amp.
    worst_seconds        where in the direct file the worst half second begins; worst_esr its own ratio.
    steps                of the training, None where the card does not know.
    picture              the plot, where one was asked for.
    """

    file: Path
    esr: float
    esr_preemphasis: float
    mrstft: float
    level_difference_db: float
    worst_seconds: float
    worst_esr: float
    cpu_seconds: float
    wall_seconds: float
    steps: int | None
    latency_frames: int
    polarity: int
    picture: Path | None


def evaluate(file: Path | str, pair: Pair, picture: Path | str | None = None) -> Evaluation:
    """Play the whole pair's direct take through a capture and measure it against the amped one, whose latency is taken out.

    The pair's latency is that of the amp's first answer, to a frame or two; the capture knows the whole answer, so what is left
    is taken out where both agree best, and counted in latency_frames.

    picture  a .png to be drawn; needs matplotlib.

    Raises CaptureError for what is no capture or runs at another rate than the pair.
    """
    began_wall, began_cpu = time.monotonic(), time.process_time()
    file = Path(file)
    capture = open_capture(file)
    if capture.card.sample_rate != pair.sample_rate:
        raise CaptureError(
            f"{file.name} runs at {capture.card.sample_rate} Hz but the pair is at {pair.sample_rate} Hz; "
            f"add --resample {capture.card.sample_rate}"
        )
    judged = settled(capture.config, pair.frames)
    played, amped = play_capture(file, pair.di, pair.sample_rate)[judged], pair.amped[judged]
    late = _late_frames(played, amped, ms_to_frames(MOST_LATE_MS, pair.sample_rate))
    played, amped = played[max(-late, 0) : len(played) - max(late, 0)], amped[max(late, 0) : len(amped) - max(-late, 0)]
    worst = measure.worst_segment(played, amped, round(SEGMENT_SECONDS * pair.sample_rate))
    if picture is not None:
        from neuralamp.learn.picture import draw  # matplotlib takes a second to load, and not every machine has it

        draw(Path(picture), f"{capture.card.name or file.stem}", played, amped, pair.sample_rate, worst)
    return Evaluation(
        file=file,
        esr=measure.esr(played, amped),
        esr_preemphasis=measure.esr_preemphasis(played, amped),
        mrstft=measure.mrstft(played, amped),
        level_difference_db=measure.level_difference_db(played, amped),
        worst_seconds=(pair.start_frame + judged.start + max(-late, 0) + worst.start) / pair.sample_rate,
        worst_esr=worst.esr,
        cpu_seconds=time.process_time() - began_cpu,
        wall_seconds=time.monotonic() - began_wall,
        steps=capture.card.steps,
        latency_frames=pair.latency_frames + late,
        polarity=pair.polarity,
        picture=Path(picture) if picture is not None else None,
    )


def _late_frames(played: np.ndarray, amped: np.ndarray, most: int) -> int:
    """By how many frames, `most` at most, the amped take lies behind what the capture played: where their error is least."""
    most = min(most, len(amped) - 1)
    correlation = correlate(amped, played, method="fft")[len(played) - 1 - most : len(played) + most]
    return int(np.argmax(correlation)) - most
