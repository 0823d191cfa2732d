"""Devices: what was played on last time, and how late a device really is."""

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Annotated

import typer

from neuralamp.app import terminal
from neuralamp.app.terminal import Json
from neuralamp.errors import RigError

if TYPE_CHECKING:
    from neuralamp.live.stream import Ports

DEFAULT_CHANNELS = "1,2"

AnyDevice = Annotated[str | None, typer.Option("--device", help="Name or number of the device; the system's own by default.")]
InputDevice = Annotated[str | None, typer.Option("--input-device", help="Of the input, where it is another device.")]
OutputDevice = Annotated[str | None, typer.Option("--output-device", help="Of the output, where it is another device.")]
InputChannel = Annotated[
    int | None, typer.Option("--input-channel", help="Where the guitar is plugged in, from 1; 1 by default.")
]
OutputChannels = Annotated[
    str | None,
    typer.Option("--output-channels", help="Where left and right are heard, from 1; one number for both; 1,2 by default."),
]
Rate = Annotated[
    int | None,
    typer.Option("--rate", help="Sample rate in Hz; by default the capture's, or the device's own where it cannot run at that."),
]


@dataclass(frozen=True)
class Wanted:
    """Where to play: as asked for, or as last time where nothing is."""

    device: tuple[str | None, str | None]
    input_channel: int
    output_channels: tuple[int, ...]
    rate: float | None
    input_dbu: float | None


def wanted(
    device: tuple[str | None, str | None],
    input_channel: int | None,
    output_channels: str | None,
    rate: float | None,
    input_dbu: float | None,
) -> Wanted:
    """What was asked for; as last time, and said so, where no device, channel or rate is, and the device is there."""
    from neuralamp.errors import DeviceError
    from neuralamp.live.devices import find_device
    from neuralamp.live.memory import read_memory

    asked = Wanted(device, input_channel or 1, _channels(output_channels or DEFAULT_CHANNELS), rate, input_dbu)
    memory, trouble = read_memory()
    if trouble:
        terminal.warn(trouble)
    if memory.last is None or any((*device, input_channel, output_channels, rate)):
        return asked
    last = memory.last
    try:
        find_device(last.input, "input"), find_device(last.output, "output")
    except DeviceError:
        terminal.warn(f"not as last time, for it is not there: {last}")
        return asked
    terminal.say(f"as last time: {last}; --forget begins anew", json_wanted=True)
    dbu = last.input_dbu if input_dbu is None else input_dbu
    return Wanted((last.input, last.output), last.input_channel, last.output_channels, last.sample_rate, dbu)


def remember(ports: "Ports", rate: float | None, input_dbu: float | None) -> str:
    """Remember what is played on; the words that tell its measured latency, if there is one."""
    from neuralamp.live.memory import Setup, read_memory, write_memory

    memory = read_memory()[0].with_setup(
        Setup(ports.input.label, ports.output.label, ports.input_channel, ports.output_channels, rate, input_dbu)
    )
    if trouble := write_memory(memory):
        terminal.warn(trouble)
    measured = memory.last.round_trip_ms if memory.last else None
    return f", measured {measured:.1f} ms in all" if measured is not None else ""


def _channels(text: str) -> tuple[int, ...]:
    try:
        return tuple(int(part) for part in text.split(","))
    except ValueError:
        raise RigError(f"--output-channels {text} is not possible; give one number or two, such as 1,2") from None


def latency(
    device: AnyDevice = None,
    input_device: InputDevice = None,
    output_device: OutputDevice = None,
    input_channel: InputChannel = None,
    output_channels: OutputChannels = None,
    rate: Rate = None,
    yes: Annotated[bool, typer.Option("--yes", help="Begin at once, without waiting for Enter.")] = False,
    json: Json = False,
):
    """Measure how late a device really is: a test sound by a cable from its output to its input.

    Opens the device as `neuralamp live` does, plays four quiet sweeps of a quarter of a second, and finds them in what comes
    back. What it found is shown from then on when you play.

    Examples:

        neuralamp latency

        neuralamp latency --device "Scarlett" --input-channel 2
    """
    terminal.require("live", "sounddevice")
    terminal.announce_compiling()
    from neuralamp.live.memory import Setup, read_memory, write_memory
    from neuralamp.live.roundtrip import measure_round_trip
    from neuralamp.live.stream import find_ports

    asked = wanted((input_device or device, output_device or device), input_channel, output_channels, rate, None)
    ports = find_ports(*asked.device, asked.input_channel, asked.output_channels)
    if not yes:
        cable = f"output {ports.output_channels[0]} of {ports.output.name} to input {ports.input_channel} of {ports.input.name}"
        terminal.say(f"Turn the speakers off and connect {cable} by a cable, then press Enter.", json_wanted=True)
        input()
    found = measure_round_trip(ports, asked.rate)
    memory = read_memory()[0]
    setup = memory.of(ports.input.label, ports.output.label) or Setup(
        ports.input.label, ports.output.label, ports.input_channel, ports.output_channels, asked.rate
    )
    trouble = write_memory(memory.with_setup(replace(setup, round_trip_frames=found.frames, round_trip_rate=found.sample_rate)))
    if json:
        terminal.show_json(found)
    else:
        terminal.say(
            f"{found.frames} frames at {found.sample_rate:g} Hz, {found.milliseconds:.2f} ms from out to in; "
            f"the device reports {found.nominal_ms:.2f} ms. The sweeps came back {found.return_db:+.1f} dB, "
            f"{100 * found.likeness:.0f} % alike."
        )
    if trouble:
        terminal.warn(trouble)
