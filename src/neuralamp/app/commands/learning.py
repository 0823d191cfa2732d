"""Learning an amp: the demo, the training, the measuring."""

from dataclasses import replace
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from neuralamp.app import terminal
from neuralamp.app.terminal import Json

if TYPE_CHECKING:
    from neuralamp.learn.pair import Pair


class Side(StrEnum):
    """Which side of a stereo take counts."""

    left = "left"
    right = "right"
    mix = "mix"


Di = Annotated[Path, typer.Argument(metavar="DI", help="The direct guitar, as a sound file.")]
Amped = Annotated[Path, typer.Argument(metavar="AMPED", help="The same performance through the amp, as a sound file.")]
Rate = Annotated[int | None, typer.Option("--resample", help="Resample both takes to this many Hz; else they must agree.")]
Latency = Annotated[
    int | None, typer.Option(help="Frames by which the amped take is late, where you know better than it can be found.")
]
Channel = Annotated[Side | None, typer.Option(help="Which side of a stereo take counts; the louder one by default.")]


def demo(
    output: Annotated[Path, typer.Option("--output", "-o", help="The folder to write into; it is made if need be.")] = Path(
        "neuralamp-demo"
    ),
    budget: Annotated[str, typer.Option(help="How long to learn: steps (900) or time (1m).")] = "60s",
    seed: Annotated[int, typer.Option(help="Of the riff and the training.")] = 0,
    json: Json = False,
):
    """Learn a made-up amp from a made-up riff, and play the riff through it: the whole way in under two minutes.

    Needs no device and no recording. Writes the pair, the capture, the riff through amp and capture, and a picture.

    Example:

        neuralamp demo
    """
    terminal.require("train", "torch", "matplotlib")
    terminal.announce_compiling()
    from neuralamp.app.demo import run_demo

    made = run_demo(output, budget, seed, lambda line: terminal.say(line, json), terminal.progress_console())
    if json:
        terminal.show_json(made)


def train(
    di: Di,
    amped: Amped,
    output: Annotated[Path, typer.Option("--output", "-o", metavar="FILE.onnx", help="The capture to write.")],
    recipe: Annotated[str, typer.Option(help="A shipped recipe by its name, or a .toml file.")] = "wavenet-standard",
    budget: Annotated[
        str | None, typer.Option(help="How long to learn: steps (2000) or time (90s, 2m, 1h); the recipe's steps by default.")
    ] = None,
    seed: Annotated[int, typer.Option(help="One seed, one result, on one machine.")] = 0,
    resample: Rate = None,
    channel: Channel = None,
    latency: Latency = None,
    card: Annotated[
        Path | None, typer.Option(help="What is known about the amp, as a card.toml: name, gear, maker, licence.")
    ] = None,
    resume: Annotated[
        bool, typer.Option("--resume/--anew", help="Go on with a training that was broken off, or forget it and begin again.")
    ] = True,
    nam: Annotated[bool, typer.Option("--nam", help="Write FILE.nam beside it, for other players.")] = False,
    json: Json = False,
):
    """Learn an amp from two takes of one performance: the direct guitar, and the same through the amp.

    Finds latency and polarity by itself and says what is wrong with the takes. Ctrl-C keeps what has been learned; the same
    command then goes on. The error told (ESR) is measured through the player on a part that was held out.

    Examples:

        neuralamp train di.wav amped.wav -o crunch.onnx

        neuralamp train di.wav amped.wav -o crunch.onnx --recipe lstm-16 --budget 2m --seed 3 --nam

        neuralamp train di.wav amped.wav -o crunch.onnx --resample 48000 --channel left
    """
    terminal.require("train", "torch")
    from neuralamp.learn.recipe import find_recipe

    chosen = find_recipe(recipe)
    known = None
    if card is not None:
        from neuralamp.capture.card import read_card

        known = read_card(card)
    pair = _open_pair(di, amped, resample, channel, latency, json)
    terminal.announce_compiling()
    from neuralamp.learn.checkpoint import checkpoint_path
    from neuralamp.learn.progress import training_progress
    from neuralamp.learn.train import train as learn

    checkpoint = checkpoint_path(output)
    if not resume:
        checkpoint.unlink(missing_ok=True)
    elif checkpoint.exists():
        terminal.say(f"going on where {checkpoint} was broken off (--anew begins again)", json)
    with training_progress(terminal.progress_console()) as report_progress:
        made = learn(
            pair,
            output,
            chosen,
            budget=budget,
            seed=seed,
            card=replace(known, name=known.name or output.stem) if known is not None else None,
            report=report_progress,
        )
    beside = _write_nam(made.file) if nam else None
    if json:
        terminal.show_json({**terminal.plain(made), "nam": str(beside) if beside else None, "findings": pair.findings})
    else:
        terminal.say(
            f"{made.file}: ESR {made.esr:.4f} on what was held out (pre-emphasised {made.esr_preemphasis:.4f}), "
            f"from step {made.best_step} of {made.steps}, in {made.wall_seconds:.0f} s ({made.cpu_seconds:.0f} CPU-s)"
        )
        if beside:
            terminal.say(f"{beside}: the same, for other players")
    if not made.finished:
        terminal.say(f"stopped at step {made.steps}; the same command goes on", json_wanted=True)
        raise typer.Exit(terminal.INTERRUPTED)


def _write_nam(file: Path) -> Path:
    """The capture as a .nam file beside it."""
    from neuralamp.capture.convert import convert

    beside = file.with_suffix(".nam")
    convert(file, beside, overwrite=True)
    return beside


def evaluate(
    capture: Annotated[Path, typer.Argument(metavar="CAPTURE", help="A capture: a file of any format, or a name on the shelf.")],
    di: Di,
    amped: Amped,
    plot: Annotated[Path | None, typer.Option(metavar="FILE.png", help="Draw target, capture and error.")] = None,
    resample: Rate = None,
    channel: Channel = None,
    latency: Latency = None,
    json: Json = False,
):
    """Measure how close a capture comes to an amp: the direct take played through it, against the amped take.

    Examples:

        neuralamp evaluate crunch.onnx di.wav amped.wav

        neuralamp evaluate crunch.onnx di.wav amped.wav --plot crunch.png --json
    """
    if plot is not None:
        terminal.require("train", "matplotlib")
    from neuralamp.capture.file import open_capture
    from neuralamp.capture.shelf import find_capture

    file = find_capture(capture)
    open_capture(file)  # what is no capture is told before the takes are searched for their latency
    pair = _open_pair(di, amped, resample, channel, latency, json)
    terminal.announce_compiling()
    from neuralamp.learn.evaluate import evaluate as measure

    found = measure(file, pair, plot)
    if json:
        terminal.show_json({**terminal.plain(found), "findings": pair.findings})
        return
    terminal.say(f"{file}: ESR {found.esr:.4f} (pre-emphasised {found.esr_preemphasis:.4f}), MRSTFT {found.mrstft:.3f}")
    terminal.say(f"level {found.level_difference_db:+.2f} dB against the amp")
    terminal.say(f"worst half second at {found.worst_seconds:.1f} s of {di.name}: ESR {found.worst_esr:.4f}")
    if found.picture is not None:
        terminal.say(f"picture: {found.picture}")


def _open_pair(di: Path, amped: Path, rate: int | None, side: Side | None, latency: int | None, json: bool) -> "Pair":
    """The takes aligned, and what was found said: notes with the results, warnings on stderr; JSON has them all."""
    from neuralamp.learn.pair import open_pair

    pair = open_pair(di, amped, resample=rate, channel=side.value if side is not None else None, latency=latency)
    for finding in pair.findings if not json else ():
        if finding.level == "warning":
            terminal.warn(finding.text)
        else:
            terminal.say(finding.text)
    return pair
