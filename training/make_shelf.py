"""Make the shelf anew: the reference amps of neuralamp.learn.signals, captured as anyone's amp is captured.

    python training/make_shelf.py               all of it, into amp_models/ (a quarter of an hour)
    python training/make_shelf.py --budget 200  a quick try, into the folder given with --output
    python training/make_shelf.py --measure     leave the nets as they are, measure their loudness anew

Everything is seeded: the same versions on the same machine make the same captures.
"""

import argparse
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from rich.console import Console

from neuralamp.audio import Audio, write_audio
from neuralamp.capture.card import Card, write_card
from neuralamp.capture.file import open_capture, save_capture
from neuralamp.capture.loudness import measure_loudness
from neuralamp.engine import play_capture
from neuralamp.learn.pair import make_pair
from neuralamp.learn.progress import training_progress
from neuralamp.learn.recipe import find_recipe
from neuralamp.learn.signals.amp import crunch_amp
from neuralamp.learn.signals.cabinet import cabinet
from neuralamp.learn.signals.guitar import riff
from neuralamp.learn.train import train

SAMPLE_RATE = 48000
TAKE_SECONDS, PROBE_SECONDS = 180.0, 1.0
TAKE_SEED, PROBE_SEED, CABINET_SEED = 1, 2, 1


@dataclass(frozen=True)
class ReferenceAmp:
    """An amp of equations, what its card says, and the recipe that learns it."""

    play: Callable[[np.ndarray, float], np.ndarray]
    card: Card
    recipe: str
    budget: str


AMPS = {
    "crunch": ReferenceAmp(
        crunch_amp,
        Card(
            name="Crunch",
            maker="neuralamp",
            gear="reference amp of equations: two triode stages, tone stack, supply sag (neuralamp.learn.signals.amp)",
            gear_type="amp",
            tone_type="crunch",
            licence="MIT",
        ),
        "wavenet-standard",
        "8000",
    ),
}


def make(name: str, amp: ReferenceAmp, folder: Path, budget: str) -> None:
    """Train one amp of the shelf and write its capture, its card for people, and the probe that a test plays."""
    folder.mkdir(parents=True, exist_ok=True)
    di = riff(TAKE_SECONDS, SAMPLE_RATE, TAKE_SEED)
    takes = (Audio(take[None], SAMPLE_RATE) for take in (di, amp.play(di, SAMPLE_RATE)))
    pair = make_pair(*takes, latency=0)  # an amp of equations answers at once, and its capture shall too
    file = folder / "capture.onnx"
    with training_progress(Console(stderr=True)) as report:
        trained = train(pair, file, find_recipe(amp.recipe), budget=budget, card=amp.card, report=report)
    write_card(folder / "card.toml", open_capture(file).card)
    x = riff(PROBE_SECONDS, SAMPLE_RATE, PROBE_SEED)
    np.savez_compressed(folder / "probe.npz", x=x, y=play_capture(file, x, SAMPLE_RATE))
    Console().print(f"{name}: ESR {trained.esr:.4f} in {trained.steps} steps, {trained.cpu_seconds:.0f} CPU-seconds")


def measure(folder: Path) -> None:
    """Write the loudness of a capture that is there on its card; its weights stay as they are."""
    capture = open_capture(folder / "capture.onnx")
    card = replace(capture.card, loudness_db=measure_loudness(capture))
    save_capture(folder / "capture.onnx", replace(capture, card=card))
    write_card(folder / "card.toml", open_capture(folder / "capture.onnx").card)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--output", type=Path, default=Path(__file__).parents[1] / "amp_models")
    parser.add_argument("--budget", help="steps or time, as neuralamp train takes it; the table's own without it")
    parser.add_argument("--measure", action="store_true", help="measure the loudness of the captures that are there, no more")
    asked = parser.parse_args()
    if asked.measure:
        for name in AMPS:
            measure(asked.output / name)
        return
    for name, amp in AMPS.items():
        make(name, amp, asked.output / name, asked.budget or amp.budget)
    taps = cabinet(SAMPLE_RATE, CABINET_SEED)
    rigs = asked.output / "rigs"
    rigs.mkdir(exist_ok=True)
    write_audio(rigs / "cabinet.wav", replace(Audio(taps[None], SAMPLE_RATE), subtype="PCM_24"))


if __name__ == "__main__":
    main()
