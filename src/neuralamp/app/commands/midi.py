"""MIDI: what is connected, what it sends, and which switch is to do what."""

from pathlib import Path
from typing import Annotated, Literal

import typer

from neuralamp.app import terminal
from neuralamp.app.terminal import Json

midi = typer.Typer(help="Foot switches and expression pedals: what is connected, what it sends, and what it is to do.")

PortName = Annotated[str | None, typer.Option(help="The port by its name or a part of it; the first one by default.")]
PACKAGES = ("mido", "rtmidi")


@midi.command("list")
def list_ports(json: Json = False):
    """List what sends MIDI to this machine, and the maps that are shipped.

    Example:

        neuralamp midi list
    """
    terminal.require("midi", *PACKAGES)
    from neuralamp.live.midi import maps, ports

    found = ports()
    if json:
        terminal.show_json({"ports": found, "maps": list(maps())})
        return
    for port in found:
        terminal.say(str(port))
    if not found:
        terminal.say("no ports; plug a pedal in, or start JACK")
    terminal.say(f"maps: {', '.join(maps())}")


@midi.command()
def monitor(
    port: PortName = None,
    map: Annotated[str | None, typer.Option(help="A map, or a shipped name: what it would do is told, too.")] = None,
    seconds: Annotated[float | None, typer.Option(help="Stop after so many seconds; else with Ctrl-C.")] = None,
    json: Json = False,
):
    """Show what a pedal sends, as it is to be written into a map.

    Examples:

        neuralamp midi monitor

        neuralamp midi monitor --port nano --map foot-controller --seconds 10
    """
    terminal.require("midi", *PACKAGES)
    from neuralamp.live.midi import find_map, listen, read_map
    from neuralamp.live.midi.signal import Signal

    rows = read_map(find_map(map)) if map is not None else ()
    heard: list[Signal] = []

    def show(signal: Signal) -> bool:
        heard.append(signal)
        does = [row.do for row in rows if row.hears(signal)]
        terminal.say(f"{signal}{'  ->  ' if does else ''}{'; '.join(does)}", json_wanted=json)
        return False

    try:
        listen(show, port, seconds, lambda port: terminal.say(f"listening to {port}", json_wanted=True))
    except KeyboardInterrupt:
        terminal.say("", json_wanted=json)
    if json:
        terminal.show_json({"signals": heard})


@midi.command()
def learn(
    do: Annotated[str, typer.Argument(metavar="LINE", help="What is to be done: 'bypass delay', or 'turn volume.position'.")],
    map: Annotated[Path, typer.Option(metavar="FILE", help="The map to add it to; it is made where it is not there.")],
    port: PortName = None,
    when: Annotated[
        Literal["press", "release", "latch", "hold"],
        typer.Option(help="latch: a switch that stays down; hold: while it is held."),
    ] = "press",
    seconds: Annotated[float, typer.Option(help="How long to wait for a press.")] = 30.0,
    json: Json = False,
):
    """Wait for the next press or move of a pedal, and write into a map what it is to do from now on.

    Examples:

        neuralamp midi learn "bypass delay" --map my.toml

        neuralamp midi learn "turn volume.position" --map my.toml --port "FC-300"
    """
    terminal.require("midi", *PACKAGES)
    from neuralamp.live.midi import Port, write_row
    from neuralamp.live.midi import learn as wait

    def ready(found: Port) -> None:
        terminal.say(f"listening to {found}: press the switch, or move the pedal, for: {do}", json_wanted=True)

    row = wait(do, port, seconds, ready, when=when)
    written = write_row(map, row)
    if json:
        terminal.show_json({"map": map, "row": row, "written": written})
        return
    terminal.say(f"{map}: {row.on} on channel {row.channel}: {row.do}{'' if written else ' (it said so already)'}")
