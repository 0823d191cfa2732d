"""The command line: neuralamp <command>."""

from typing import Annotated

import typer

from neuralamp import __version__
from neuralamp.app.commands import devices, learning, looking, midi, playing
from neuralamp.app.terminal import OneLineGroup

app = typer.Typer(
    cls=OneLineGroup,
    rich_markup_mode="markdown",
    pretty_exceptions_enable=False,
    help="Capture your own guitar amp, re-amp recorded tracks through it, and play it live.",
    epilog="Begin with: neuralamp demo",
)


@app.callback(invoke_without_command=True)
def neuralamp(context: typer.Context, version: Annotated[bool, typer.Option("--version", help="Print the version.")] = False):
    if version:
        typer.echo(f"neuralamp {__version__}")
    elif context.invoked_subcommand is None:
        typer.echo(context.get_help())


app.command()(learning.demo)
app.command()(learning.train)
app.command()(learning.evaluate)
app.command()(playing.reamp)
app.command()(playing.live)
app.command()(looking.boxes)
app.add_typer(midi.midi, name="midi")
app.command()(devices.latency)
app.command()(looking.info)
app.command()(looking.convert)
app.command()(looking.doctor)
app.command()(looking.bench)


def main() -> None:
    """The program that pip installs."""
    app(prog_name="neuralamp")
