"""The whole way with no device and no recording: a riff and an amp of equations, a pair, a capture, the riff through it."""

import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from neuralamp.audio import Audio, write_audio
from neuralamp.capture.card import Card
from neuralamp.errors import AudioFileError
from neuralamp.learn.evaluate import evaluate
from neuralamp.learn.pair import open_pair
from neuralamp.learn.progress import training_progress
from neuralamp.learn.recipe import find_recipe
from neuralamp.learn.signals.amp import crunch_amp
from neuralamp.learn.signals.guitar import riff
from neuralamp.learn.train import train
from neuralamp.reamp import reamp

SAMPLE_RATE = 48000
TAKE_SECONDS, RIFF_SECONDS = 60.0, 12.0
LATENCY_FRAMES = 137  # of a made-up interface: it must be found
RECIPE = "lstm-16"


@dataclass(frozen=True)
class Demo:
    """What was made, and how close it came: the ratios are of a riff that was not learned from."""

    capture: Path
    di: Path
    amped: Path
    riff: Path
    riff_through_amp: Path
    riff_through_capture: Path
    picture: Path
    esr: float
    esr_preemphasis: float
    steps: int
    cpu_seconds: float
    wall_seconds: float


def run_demo(folder: Path, budget: str, seed: int, say: Callable[[str], None], console: Any) -> Demo:
    """Make everything in `folder`, saying what is done; what an earlier demo left there is made again."""
    began_wall, began_cpu = time.monotonic(), time.process_time()
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as reason:
        raise AudioFileError(f"{folder} cannot be made ({reason.strerror}); choose another folder with -o") from None

    say(f"1 of 4  a guitar plays {TAKE_SECONDS:.0f} s, directly and through an amp of equations")
    di, amped = folder / "di.wav", folder / "amped.wav"
    _write(di, take := riff(TAKE_SECONDS, SAMPLE_RATE, seed))
    _write(amped, np.pad(crunch_amp(take, SAMPLE_RATE), (LATENCY_FRAMES, 0)))
    pair = open_pair(di, amped)
    for finding in pair.findings:
        say(f"        {finding.text}")

    say(f"2 of 4  a net learns the amp from these two files ({RECIPE}, {budget})")
    capture = folder / "crunch.onnx"
    card = Card(name="Demo crunch", sample_rate=SAMPLE_RATE, maker="neuralamp", gear="an amp of equations", gear_type="amp")
    with training_progress(console) as report:
        learned = train(pair, capture, find_recipe(RECIPE), budget=budget, seed=seed, card=card, report=report)
    say(f"        {learned.steps} steps, {learned.wall_seconds:.0f} s; ESR {learned.esr:.4f} on what was held out")

    say("3 of 4  the capture plays a riff that it has never heard, and is held against the amp")
    heard, through_amp = folder / "riff.wav", folder / "riff through the amp.wav"
    _write(heard, new := riff(RIFF_SECONDS, SAMPLE_RATE, seed + 1))
    _write(through_amp, crunch_amp(new, SAMPLE_RATE))
    picture = folder / "crunch.png"
    found = evaluate(capture, open_pair(heard, through_amp), picture)
    say(f"        ESR {found.esr:.4f}, {100 * found.esr:.1f} % of the energy; level {found.level_difference_db:+.2f} dB")

    say("4 of 4  the riff is re-amped")
    (made,) = reamp([heard], folder, captures=[capture], processes=1, overwrite=True).files
    if made.error:
        raise AudioFileError(made.error)
    demo = Demo(
        capture=capture,
        di=di,
        amped=amped,
        riff=heard,
        riff_through_amp=through_amp,
        riff_through_capture=Path(made.output),
        picture=picture,
        esr=found.esr,
        esr_preemphasis=found.esr_preemphasis,
        steps=learned.steps,
        cpu_seconds=time.process_time() - began_cpu,
        wall_seconds=time.monotonic() - began_wall,
    )
    say(f"Done in {demo.wall_seconds:.0f} s. Listen to these two, then look at the picture:")
    for path in (demo.riff_through_amp, demo.riff_through_capture, demo.picture):
        say(f"        {path}")
    return demo


def _write(path: Path, x: np.ndarray) -> None:
    write_audio(path, Audio(x[np.newaxis].astype(np.float32), SAMPLE_RATE, "WAV", "PCM_24"))
