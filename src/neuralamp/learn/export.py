"""From learned weights to a capture that may stand on the shelf: written, opened, played, measured, and only then named."""

from dataclasses import dataclass, replace
from datetime import date
from pathlib import Path

import numpy as np
import onnxruntime
import torch

from neuralamp.audio import atomic_path
from neuralamp.capture.capture import Capture
from neuralamp.capture.file import open_capture, save_capture
from neuralamp.capture.loudness import measure_loudness
from neuralamp.dsp import measure
from neuralamp.engine import play_capture
from neuralamp.errors import TrainingError
from neuralamp.learn.listen import settled
from neuralamp.learn.pair import Pair
from neuralamp.nets import architecture_of

# Twice the noise floor of 16 bits under the sound, and still some 20 dB above what float32 costs; a wrong gate or a lost history
# is heard at -60 dB and more.
LEAST_PARITY_DB = 100.0
PARITY_SECONDS = 10.0  # of the held-out part: every weight has long been heard


@dataclass(frozen=True)
class Exported:
    """A capture on disk: its held-out ratios and how far the players' difference from torch lies under its sound."""

    capture: Capture
    esr: float
    esr_preemphasis: float
    parity_db: float


def export(output: Path, learned: Capture, pair: Pair) -> Exported:
    """Write the capture that was learned as `output`, measured through the player.

    Raises TrainingError, with the figure, where the player or onnxruntime does not sound as torch did; then nothing is written.
    """
    with atomic_path(output) as partial:
        save_capture(partial, replace(learned, card=replace(learned.card, sample_rate=pair.sample_rate)))
        capture = open_capture(partial)
        parity_db = _parity_db(partial, learned, capture, pair)
        if not parity_db >= LEAST_PARITY_DB:
            raise TrainingError(
                f"the capture would not sound as it learned: the difference lies {parity_db:.1f} dB under the sound, at least "
                f"{LEAST_PARITY_DB:.0f} dB are asked; {output.name} was not written, please report this with the recipe"
            )
        judged = settled(capture.config, pair.held_out.stop - pair.held_out.start)
        played = play_capture(partial, pair.di[pair.held_out], pair.sample_rate)[judged]
        amped = pair.amped[pair.held_out][judged]
        card = replace(
            capture.card,
            latency_frames=pair.latency_frames,
            polarity=pair.polarity,
            loudness_db=measure_loudness(capture),
            esr=measure.esr(played, amped),
            esr_preemphasis=measure.esr_preemphasis(played, amped),
            date=capture.card.date or date.today().isoformat(),
        )
        save_capture(partial, replace(capture, card=card))
        final = open_capture(partial)
    return Exported(final, measure.esr(played, amped), measure.esr_preemphasis(played, amped), parity_db)


def _parity_db(path: Path, learned: Capture, capture: Capture, pair: Pair) -> float:
    """How far under the sound the difference of player or onnxruntime from torch lies, in dB; the worse of the two.

    The sound is the net's or the amp's, whichever is louder: a net that has hardly begun whispers, and float32's rounding of
    what cancels inside it is no fault of the player's.
    """
    frames = min(pair.held_out.stop - pair.held_out.start, round(PARITY_SECONDS * pair.sample_rate))
    di, amped = pair.di[pair.held_out][:frames], pair.amped[pair.held_out][:frames]
    as_learned = play_in_torch(learned, di)
    if not np.any(as_learned):
        raise TrainingError("the net learned silence; train for more steps, or check that the amped take is not silent")
    loudness_db = max(measure.rms_db(as_learned), measure.rms_db(amped))
    others = play_capture(path, di, pair.sample_rate), play_in_onnxruntime(path, capture, di)
    return loudness_db - max(measure.rms_db(other - as_learned) for other in others)


def play_in_torch(capture: Capture, di: np.ndarray) -> np.ndarray:
    """(frames,) through the form that learned, on the CPU, settled on silence first.

    In float64: what the weights mean, free of torch's own rounding, which in a recurrent net is as large as the player's.
    """
    net = architecture_of(capture.config).module(capture.config)
    net.load_state_dict({name: torch.tensor(array) for name, array in capture.weights.items()})
    rest = capture.config.settling_frames
    with torch.no_grad():
        x = torch.from_numpy(np.concatenate([np.zeros(rest), di]))
        return net.double()(x[None, None], rest)[0, 0].numpy()


def play_in_onnxruntime(path: Path, capture: Capture, di: np.ndarray) -> np.ndarray:
    """(frames,) through the file as anyone may run it, settled on silence first."""
    session = onnxruntime.InferenceSession(path, providers=["CPUExecutionProvider"])
    x, *states = session.get_inputs()
    rest = capture.config.settling_frames
    feed = {state.name: np.zeros(state.shape, np.float32) for state in states}
    feed[x.name] = np.concatenate([np.zeros(rest, np.float32), di])[None, None]
    return session.run(["y"], feed)[0][0, 0, rest:]
