"""Looking: what a file is, how this machine stands, how fast it plays."""

from pathlib import Path
from typing import Annotated

import typer

from neuralamp.app import terminal
from neuralamp.app.terminal import Json

WRITTEN = ".onnx, .nam, .aidax, or .json for GuitarML"


def info(
    file: Annotated[Path, typer.Argument(metavar="FILE", help="A capture, rig, set list, recipe or sound; or a shipped name.")],
    edit: Annotated[bool, typer.Option("--edit", help="Of a plugin: open its window first, and show how you leave it.")] = False,
    json: Json = False,
):
    """Say what a file is: a capture and its card, a rig and its knobs, a set list, a recipe, a plugin of others, a sound file.

    Examples:

        neuralamp info plexi.nam

        neuralamp info lead.toml

        neuralamp info wavenet-nano

        neuralamp info "Their Delay.vst3" --edit --json
    """
    from neuralamp.app.facts import facts_of

    facts = facts_of(file, edit)
    if json:
        terminal.show_json(facts)
        return
    warnings = facts.pop("warnings", [])
    for long in ("config", "saved"):  # every layer's every number, a plugin's whole state: for machines
        facts.pop(long, None)
    for line in _lines(terminal.plain(facts)):
        terminal.say(line)
    for warning in warnings:
        terminal.warn(warning)


def convert(
    source: Annotated[Path, typer.Argument(metavar="SOURCE", help="A capture of any format, or a name on the shelf.")],
    target: Annotated[Path, typer.Argument(metavar="TARGET", help=f"The file to write; its ending says how: {WRITTEN}.")],
    overwrite: Annotated[bool, typer.Option("--overwrite", help="Write over a file that is there.")] = False,
    json: Json = False,
):
    """Write a capture in another format. The new file is opened and played against the old one before it is kept.

    Into .onnx goes any capture; into .nam WaveNets, LSTMs and linear ones; into .aidax and GuitarML's .json recurrent ones.

    Examples:

        neuralamp convert plexi.nam plexi.onnx

        neuralamp convert crunch.onnx crunch.nam

        neuralamp convert boss.onnx boss.aidax
    """
    terminal.announce_compiling()
    from neuralamp.capture.convert import convert as write
    from neuralamp.capture.shelf import find_capture

    capture, difference = write(find_capture(source), target, overwrite)
    if json:
        terminal.show_json({"file": target, "difference": difference, "card": capture.card.known(), "warnings": capture.warnings})
        return
    for warning in capture.warnings:
        terminal.warn(warning)
    terminal.say(f"{target}: plays as {source} does, within {difference:.0e} of its loudest")


def _lines(facts: dict) -> list[str]:
    """Facts as aligned lines; a table inside is indented."""
    width = max(len(name) for name in facts)
    lines = []
    for name, fact in facts.items():
        if isinstance(fact, dict) and fact:
            lines += [name.replace("_", " "), *(f"  {line}" for line in _lines(fact))]
        elif fact not in ({}, [], None, ""):
            shown = ", ".join(map(str, fact)) if isinstance(fact, list) else fact
            lines.append(f"{name.replace('_', ' '):<{width}}  {shown}")
    return lines


def doctor(json: Json = False):
    """Look over this machine: packages, devices, real-time rights, compiled kernels, with advice. Never fails.

    Example:

        neuralamp doctor
    """
    from neuralamp.app.doctor import examine

    findings = examine()
    if json:
        terminal.show_json({"findings": findings})
        return
    for finding in findings:
        terminal.say(f"{'ok  ' if finding.good else 'note'}  {finding.what:<18}{finding.found}")
        if finding.advice:
            terminal.say(f"      {'':<18}{finding.advice}")


def boxes(
    name: Annotated[str | None, typer.Argument(metavar="[BOX]", help="One of them: its knobs and settings.")] = None,
    json: Json = False,
):
    """List the boxes that a rig may hold, or the knobs and settings of one.

    Examples:

        neuralamp boxes

        neuralamp boxes overdrive
    """
    from neuralamp.app.catalogue import catalogue, described

    if json:
        terminal.show_json({"boxes": catalogue()} if name is None else described(name))
        return
    from rich.console import Console
    from rich.table import Table

    if name is None:
        table = Table.grid(padding=(0, 2))
        for entry in catalogue():
            table.add_row(entry.box, entry.meaning)
        Console().print(table, highlight=False)
        return
    box = described(name)
    terminal.say(box.meaning)
    table = Table("", "default", "from", "to", "", "", box=None, pad_edge=False)
    for control in box.controls:
        table.add_row(control.name, control.default, control.low, control.high, control.unit, control.meaning)
    Console().print(table, highlight=False, markup=False)
    terminal.say(f'\n[[chain]]\nbox = "{box.box}"')
    for control in box.controls:
        if control.in_toml:
            terminal.say(f"{control.name} = {control.in_toml}")


def bench(
    seconds: Annotated[float, typer.Option(help="Sound that each net is given in each of its runs; more is steadier.")] = 0.5,
    only: Annotated[str, typer.Option(help="Only the nets and boxes with this in their name.")] = "",
    peer: Annotated[
        str | None,
        typer.Option(
            metavar="COMMAND",
            help="Another player's benchmark, run in turn with ours. In it {model} is a .nam file, {frames} the buffer and "
            "{seconds} the sound; the last number that it prints must be its seconds of sound in a second of one core.",
        ),
    ] = None,
    json: Json = False,
):
    """Measure how fast nets and boxes play: seconds of sound made in a second by one core (higher is faster).

    Nets are compared with onnxruntime, and with torch where it is installed, turn by turn in the same run, one thread each; told
    are medians. "of limit" is the share of what a net's multiplications alone would reach at the speed of a large matrix product.

    Examples:

        neuralamp bench

        neuralamp bench --only lstm --json

        neuralamp bench --only A1 --peer "their_bench --buffer {frames} {model}"
    """
    terminal.announce_compiling()
    from neuralamp.app.bench import measure

    with terminal.progress_console().status("measuring") as status:
        found = measure(seconds, only, peer, lambda what: status.update(f"measuring {what}"))
    if json:
        terminal.show_json(found)
        return
    from rich.console import Console
    from rich.table import Table

    table = Table("net or box", box=None, pad_edge=False, title="seconds of sound that one core makes in a second")
    against = ("onnxruntime", "times", "torch", "times", *(("peer", "times") if peer else ()))
    for heading in ("buffer", "neuralamp", "of a core", "of limit", *against):
        table.add_column(heading, justify="right")
    for row in found.rows:
        others = (row.rtf_onnxruntime, row.rtf_torch, *((row.rtf_peer,) if peer else ()))
        share = f"{100.0 * row.share:.0f} %" if row.share is not None else ""
        ratios = [text for speed in others for text in ((f"{speed:.1f}", f"{row.rtf / speed:.1f}") if speed else ("", ""))]
        table.add_row(row.net, str(row.buffer), f"{row.rtf:.1f}", f"{100.0 / row.rtf:.2f} %", share, *ratios)
    Console().print(table, highlight=False)
    terminal.say(f"\nvectors of {found.lanes} numbers; a matrix product: {found.sgemm_gflops:.0f} GFLOP/s on one thread")
    terminal.say(f"a call of a chain without boxes: {found.fixed_us:.2f} us")
    if found.first_sound_s is not None:
        terminal.say(f"from the start of a process to its first sound: {found.first_sound_s:.1f} s")
