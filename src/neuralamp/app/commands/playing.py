"""Playing: recorded takes through rigs, and a guitar through one, live."""

import random
import sys
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from neuralamp.app import terminal
from neuralamp.app.commands.devices import (
    AnyDevice,
    InputChannel,
    InputDevice,
    OutputChannels,
    OutputDevice,
    Rate,
    remember,
    wanted,
)
from neuralamp.app.terminal import Json
from neuralamp.errors import ReampError, RigError

if TYPE_CHECKING:
    from neuralamp.live.midi import Row
    from neuralamp.reamp import Report

KINDS = "a .nam, .aidax, .json or .onnx file"
WIDE = 240  # columns, where nobody looks at a terminal's edge
MOST_ROWS = 40  # of the summary; beyond, only what needs attention is listed

Captures = Annotated[
    list[Path] | None,
    typer.Option("--capture", "-c", help=f"A capture: {KINDS}, or a name on the shelf. One or more."),
]
InputLevel = Annotated[
    float | None,
    typer.Option(
        "--input-dbu", help="The voltage at the interface's input that is full scale, in dBu: amps are driven as captured."
    ),
]
OutputLevel = Annotated[
    float | None, typer.Option("--output-dbu", help="What is full scale at its output, in dBu: they come out as loud as the amp.")
]
Loudness = Annotated[
    float | None, typer.Option("--loudness", help="Play every capture this loud, in dB below full scale, such as -18.")
]
Rigs = Annotated[list[Path] | None, typer.Option("--rig", "-r", help="A rig: a .toml file, or a shipped name. One or more.")]


def reamp(
    inputs: Annotated[
        list[str], typer.Argument(help="Sound files, folders, or patterns such as 'takes/*.wav'.", metavar="INPUTS...")
    ],
    output: Annotated[Path, typer.Option("--output", "-o", help="The folder to write into; it is made if need be.")],
    capture: Captures = None,
    rig: Rigs = None,
    jobs: Annotated[int | None, typer.Option("--jobs", "-j", help="Takes at work at once; one for each core by default.")] = None,
    tail: Annotated[
        str,
        typer.Option(help="Seconds to let ring on behind the end, or auto: as long as the rig rings. Else as long as the input."),
    ] = "0",
    clip: Annotated[str, typer.Option(help="What is too loud for an integer file: scale (make it quieter) or refuse.")] = "scale",
    events: Annotated[
        Path | None,
        typer.Option("--events", "-e", help="What is done while the takes play, a line each: '12.5s bypass delay on'."),
    ] = None,
    setlist: Annotated[
        Path | None, typer.Option("--setlist", help="A set list instead of a rig, where the events change between its songs.")
    ] = None,
    input_dbu: InputLevel = None,
    output_dbu: OutputLevel = None,
    loudness: Loudness = None,
    resume: Annotated[
        bool,
        typer.Option(
            "--resume",
            help="Skip what is done: outputs that stand and were made from the same sound, rig and settings, as the folder's "
            "neuralamp-reamp.jsonl records.",
        ),
    ] = False,
    overwrite: Annotated[
        bool, typer.Option("--overwrite", help="Make outputs again that stand. Without it or --resume they are never touched.")
    ] = False,
    json: Json = False,
):
    """Play recorded takes through captures and rigs: every input through each.

    Writes INPUT - RIG.wav (or .flac, ...) with the input's length, sample rate, bit depth and time stamp; a folder keeps its
    folders. MP3 and OGG become 24-bit WAV. A take that fails never stops the rest; the exit code then is 1.

    Examples:

        neuralamp reamp take.wav --capture crunch.onnx -o reamped

        neuralamp reamp takes/ --rig lead.toml rhythm.toml -o reamped --resume

        neuralamp reamp 'song/*.flac' -c plexi.nam twin.aidax -o reamped --tail auto --loudness -18

        neuralamp reamp "gig DI.wav" --setlist friday.toml --events gig.events -o reamped

    A take of another sample rate than the capture's is resampled around the amp, as it is in live playing, and keeps its own.

    In JSON, `seconds` is the length of the output and `rtf` how many such seconds one core made in a second.
    """
    tail_seconds = _tail(tail)
    terminal.announce_compiling()
    from neuralamp.capture.file import endings
    from neuralamp.capture.levels import Levels
    from neuralamp.reamp import Settings
    from neuralamp.reamp import reamp as play_batch

    # Of "--capture a.onnx b.onnx" only the first belongs to the option; no recording bears these endings.
    captures = [*(capture or ()), *(Path(name) for name in inputs if name.lower().endswith(tuple(endings())))]
    rigs = [*(rig or ()), *(Path(name) for name in inputs if name.lower().endswith(".toml"))]
    takes = [name for name in inputs if not name.lower().endswith((*endings(), ".toml"))]

    with _progress() as report_progress:
        report = play_batch(
            takes,
            output,
            captures=captures,
            rigs=rigs,
            settings=Settings(tail_seconds, clip, events),
            levels=Levels(input_dbu, output_dbu, loudness),
            setlist=setlist,
            processes=jobs,
            resume=resume,
            overwrite=overwrite,
            report=report_progress,
        )
    errors = list(dict.fromkeys(file.error for file in report.files if file.status == "failed"))  # a bad take fails in every rig
    if json:
        terminal.show_json(terminal.plain(report) | ({"error": "; ".join(errors)} if errors else {}))
    else:
        _show(report)
    for note in report.notes:
        terminal.say(note, json_wanted=True)
    for error in errors:
        terminal.say(f"error: {error}", json_wanted=True)
    if stopped := report.count("stopped"):
        terminal.say(
            f"stopped: {stopped} of {len(report.files)} are left; the same command with --resume goes on", json_wanted=True
        )
        raise typer.Exit(terminal.INTERRUPTED)
    if report.count("failed"):
        raise typer.Exit(terminal.FAILED)


def _tail(text: str) -> float | None:
    if text == "auto":
        return None
    try:
        return float(text)
    except ValueError:
        raise ReampError(f"--tail {text} is not possible; give seconds, or auto") from None


def _progress() -> Any:
    """A bar over all the sound there is to play."""
    from collections.abc import Callable, Iterator
    from contextlib import contextmanager

    from rich.progress import BarColumn, SpinnerColumn, TextColumn, TimeRemainingColumn
    from rich.progress import Progress as Bar

    from neuralamp.reamp import Progress

    @contextmanager
    def bar() -> Iterator[Callable[[Progress], None]]:
        columns = (SpinnerColumn(), TextColumn("{task.description}"), BarColumn(), TextColumn("{task.percentage:.0f} %"))
        with Bar(*columns, TimeRemainingColumn(), console=terminal.progress_console()) as shown:
            line = shown.add_task("getting ready", total=None)

            def report(now: Progress) -> None:
                text = f"{now.files_over} of {now.files} files"
                shown.update(line, description=text, total=now.seconds or None, completed=now.seconds_over)

            yield report

    return bar()


def _show(report: "Report") -> None:
    """The summary: a row for every file, or, of very many, for those that need attention."""
    from rich.console import Console
    from rich.table import Table

    console = Console(width=None if sys.stdout.isatty() else WIDE)
    rows = [file for file in report.files if len(report.files) <= MOST_ROWS or file.status == "failed" or file.warnings]
    if rows:
        table = Table("input", "rig", "status", "output", box=None, pad_edge=False)
        for heading in ("sound", "speed"):
            table.add_column(heading, justify="right")
        for file in rows:
            made = (f"{file.seconds:.1f} s", f"{file.rtf:.0f} x") if file.status == "done" else ("", "")
            standing = file.output if file.status in ("done", "skipped") else ""
            table.add_row(file.input, file.rig, file.status, standing, *made)
        console.print(table, markup=False, highlight=False)
        for file in rows:  # below the table, whose narrow columns would break them up
            for warning in file.warnings:
                terminal.say(f"{file.output}: {warning}")
    counts = [f"{count} {status}" for status in ("done", "skipped", "failed", "stopped") if (count := report.count(status))]
    console.print(", ".join(counts), highlight=False)


def live(
    capture: Annotated[
        Path | None,
        typer.Option("--capture", "-c", help=f"A capture: {KINDS}, or a name on the shelf."),
    ] = None,
    rig: Annotated[Path | None, typer.Option("--rig", "-r", help="A .toml file, or a shipped name.")] = None,
    setlist: Annotated[Path | None, typer.Option("--setlist", help="A .toml file of songs, each with its rig.")] = None,
    against: Annotated[
        Path | None,
        typer.Option("--against", help="A capture beside --capture: A and B, equally loud, are the keys 1 and 2."),
    ] = None,
    blind: Annotated[bool, typer.Option("--blind", help="A coin decides which is A; you are told at the end.")] = False,
    device: AnyDevice = None,
    input_device: InputDevice = None,
    output_device: OutputDevice = None,
    input_channel: InputChannel = None,
    output_channels: OutputChannels = None,
    rate: Rate = None,
    input_dbu: InputLevel = None,
    output_dbu: OutputLevel = None,
    loudness: Loudness = None,
    yes: Annotated[bool, typer.Option("--yes", help="Be heard at once, without waiting for Enter.")] = False,
    record: Annotated[bool, typer.Option("--record", help="Record from the first moment: the guitar and the rig.")] = False,
    recordings: Annotated[Path, typer.Option(help="The folder for what is recorded.")] = Path("recordings"),
    recording_kind: Annotated[str, typer.Option(help="wav (32 bits, floating) or flac (24 bits).")] = "wav",
    midi: Annotated[
        list[str] | None,
        typer.Option("--midi", help="A MIDI map, or a shipped name; one or more. See neuralamp midi."),
    ] = None,
    midi_port: Annotated[str | None, typer.Option(help="Where the pedal is plugged in; the first port by default.")] = None,
    feedback: Annotated[bool, typer.Option("--feedback", help="Let the strings feed back: what howls is not muted.")] = False,
    seconds: Annotated[float | None, typer.Option(help="Stop after so many seconds.")] = None,
    forget: Annotated[bool, typer.Option("--forget", help="Forget what was played on last time, and how.")] = False,
    devices: Annotated[bool, typer.Option("--devices", help="List the devices, and play nothing.")] = False,
    json: Json = False,
):
    """Play a guitar through a capture, a rig or a set list, live. Muted until you press Enter; m mutes, r records, q quits.

    Without a device, channel or rate it is played as last time.

    Examples:

        neuralamp live --devices

        neuralamp live --capture plexi.nam --device "Scarlett" --input-channel 2 --input-dbu 12.5

        neuralamp live --rig lead.toml --output-channels 3,4

        neuralamp live --setlist friday.toml --record --recordings friday

        neuralamp live --rig stage --midi foot-controller --midi expression

        neuralamp live --capture mine.onnx --against theirs.nam --blind
    """
    if devices:
        terminal.require("live", "sounddevice")
        _list_devices(json)
        return
    if [capture, rig, setlist].count(None) != 2:
        raise RigError("say what to play through: either --capture FILE or --rig FILE.toml or --setlist FILE.toml")
    if (against and not capture) or (blind and not against):
        raise RigError("a comparison wants two captures: --capture FILE --against FILE, and --blind where you like")
    turned = blind and random.random() < 0.5
    terminal.announce_compiling()
    from rich.console import Console

    from neuralamp.capture.levels import Levels
    from neuralamp.capture.shelf import find_capture
    from neuralamp.comparison import LOUDNESS_DB, comparison
    from neuralamp.messages import Record
    from neuralamp.rig import capture_rig, find_rig, read_rig
    from neuralamp.setlist import one_song, read_setlist

    if setlist is not None:
        songs = read_setlist(setlist)
    elif capture is not None and against is not None:
        pair = find_capture(capture), find_capture(against)
        songs = one_song(comparison(*pair, loudness_db=LOUDNESS_DB if loudness is None else loudness, turned=turned))
    else:
        songs = one_song(read_rig(find_rig(rig)) if rig is not None else capture_rig(find_capture(capture or "")))
    for song in songs:
        song.rig.plays_at()  # opens its captures: what is wrong with them is told before a device is asked for
    terminal.require("live", "sounddevice")
    from neuralamp.live import play_live
    from neuralamp.live.memory import forget as forget_devices

    if forget:
        forget_devices()
    asked = wanted((input_device or device, output_device or device), input_channel, output_channels, rate, input_dbu)
    for song in songs:
        song.rig.suggest(**asdict(Levels(asked.input_dbu, output_dbu, loudness)))

    rows: tuple[Row, ...] = ()
    if midi:
        terminal.require("midi", "mido", "rtmidi")
        from neuralamp.live.midi import find_map, read_map

        rows = tuple(row for name in midi for row in read_map(find_map(name)))
    played = play_live(
        songs,
        device=asked.device,
        input_channel=asked.input_channel,
        output_channels=asked.output_channels,
        sample_rate=asked.rate,
        opened=lambda ports: remember(ports, asked.rate, asked.input_dbu),
        confirmed=yes,
        recordings=recordings,
        recording_kind=recording_kind,
        first=[Record(True)] if record else [],
        midi=rows,
        midi_port=midi_port,
        feedback=feedback,
        seconds=seconds,
        console=Console(stderr=json),
    )
    if blind:
        terminal.say(f"A was {against if turned else capture}, B was {capture if turned else against}", json_wanted=json)
    if json:
        terminal.show_json(played)


def _list_devices(json: bool) -> None:
    from neuralamp.live import devices as all_devices

    found = all_devices()
    if json:
        terminal.show_json({"devices": found})
        return
    for device in found:
        terminal.say(f"{device}, {device.sample_rate:g} Hz")
    if not found:
        terminal.say("no devices; plug an interface in, or start JACK")
