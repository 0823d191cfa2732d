"""Rigs played live from a terminal: what was opened, a status line, and keys as foot switches."""

import time
from collections.abc import Callable, Sequence
from contextlib import closing, nullcontext
from dataclasses import dataclass
from pathlib import Path

from rich.console import Console
from rich.live import Live

from neuralamp.engine import Board, Engine, Meters
from neuralamp.live.feet import HELP, Feet
from neuralamp.live.host import Host
from neuralamp.live.keys import Keys
from neuralamp.live.midi import MidiInput, Row
from neuralamp.live.recorder import Recorder
from neuralamp.live.status import status_line, xruns
from neuralamp.live.stream import Ports
from neuralamp.messages import Message, Mute
from neuralamp.setlist import Song

REFRESH_S = 0.1
HOWLED = "feedback, muted: turn down, or further away from the speakers, then press Enter"
RECORDINGS = Path("recordings")


@dataclass(frozen=True)
class Played:
    """What a session was, for machines to read."""

    input: str
    output: str
    sample_rate: float
    seconds: float
    buffer_frames: int
    latency_in_ms: float
    latency_out_ms: float
    rig_latency_frames: int
    callbacks: int
    xruns: int
    clipped_frames: int
    poisoned_buffers: int
    losses: int
    howls: int
    recordings: tuple[Path, ...]


def play_live(
    songs: Sequence[Song],
    *,
    device: str | int | Sequence[str | int | None] | None = None,
    input_channel: int = 1,
    output_channels: Sequence[int] = (1, 2),
    sample_rate: float | None = None,
    confirmed: bool = False,
    recordings: Path = RECORDINGS,
    recording_kind: str = "wav",
    first: Sequence[Message] = (),
    midi: Sequence[Row] = (),
    midi_port: str | None = None,
    feedback: bool = False,
    seconds: float | None = None,
    opened: Callable[[Ports], str] = lambda ports: "",
    console: Console | None = None,
) -> Played:
    """Play until q, Ctrl-C, or the end of `seconds`; then ramp into silence and close.

    Nothing is heard until Enter is pressed, unless `confirmed`: an amp opened on the wrong channel howls. Devices and channels as
    in Host, whose errors are raised; a device that goes is looked for until it is there again. `first` is done before the first
    buffer, such as Record(True); recordings go to a folder, in one of the kinds of Recorder. With rows of a MIDI map a port is
    heard. With `feedback` what howls is not muted. `opened` is told what is played on, and may say more of its latency.
    """
    console = console or Console()
    host = Host(
        songs[0].rig, device=device, input_channel=input_channel, output_channels=output_channels, sample_rate=sample_rate
    )
    host.engine.allow_feedback(feedback)
    board = Board(host.engine, songs, ahead=len(songs) > 1)
    recorder = Recorder(board, recordings, recording_kind)
    for message in (Mute(not confirmed), *first):
        board.act(message)
    feet = Feet(board)
    pedal = MidiInput(board, midi, midi_port, feet.say) if midi else nullcontext()
    begin = time.monotonic()
    with host, closing(board), closing(recorder), pedal:
        latency = host.latency_ms  # JACK tells it only once the stream runs
        for text in (
            f"Playing  {songs[0].name}{f', of {len(songs)} songs' if len(songs) > 1 else ''}",
            f"In       {host.ports.input}, channel {input_channel}",
            f"Out      {host.ports.output}, channel {' and '.join(map(str, output_channels))}",
            *([f"Midi     {pedal.port}"] if isinstance(pedal, MidiInput) else []),
            f"At       {host.sample_rate:g} Hz; the device reports {latency[0]:.1f} ms in + {latency[1]:.1f} ms out, "
            f"the rig adds {1e3 * host.engine.latency_frames / host.sample_rate:.1f} ms{opened(host.ports)}",
            *host.engine.plan.notes,
            f"{'' if confirmed else 'Muted until you press Enter. '}{HELP}",
        ):
            console.print(text, highlight=False, markup=False, soft_wrap=True)
        try:
            with Keys() as keys, Live(console=console, auto_refresh=False, transient=True) as line:
                _attend(host, feet, recorder, keys, line, begin + seconds if seconds is not None else None)
        except KeyboardInterrupt:
            pass
    played = _sum_up(host, recorder, latency, time.monotonic() - begin)
    console.print(
        f"Played {played.seconds:.1f} s: {played.callbacks} buffers of {played.buffer_frames} frames, {played.xruns} xruns, "
        f"{played.clipped_frames} frames clipped",
        highlight=False,
        soft_wrap=True,
    )
    for text in (*(f"Recorded {path}" for path in recorder.files), recorder.trouble):
        if text:
            console.print(text, highlight=False, markup=False, soft_wrap=True)
    return played


def _attend(host: Host, feet: Feet, recorder: Recorder, keys: Keys, line: Live, until: float | None) -> None:
    """Keys, the status line and what goes wrong meanwhile, until it is time to go."""
    told: set[str] = set()
    howls = 0
    while until is None or time.monotonic() < until:
        if host.meters().howls > howls:
            howls = host.meters().howls
            feet.board.act(Mute(True))
            feet.said = HOWLED
        _attend_device(host, feet.board, recorder, line.console)
        line.update(status_line(host, feet, recorder), refresh=True)
        for trouble in host.engine.plan.troubles():
            if trouble not in told:
                told.add(trouble)
                line.console.print(trouble, highlight=False, markup=False, soft_wrap=True)
        host.engine.free_old_plans()
        key = keys.pressed(REFRESH_S)
        if key and not feet.press(key):
            return


def _attend_device(host: Host, board: Board, recorder: Recorder, console: Console) -> None:
    """Look after a device that goes and comes; another engine is another one for the board and the recorder, too."""

    def adopt(engine: Engine) -> None:
        recorder.move_to(engine)
        board.move_to(engine)

    before = host.lost
    host.attend(adopt)
    if bool(host.lost) != bool(before):
        text = f"{host.ports.name} has gone" if host.lost else f"Back on  {host.ports.output}, at {host.sample_rate:g} Hz"
        console.print(text, highlight=False, markup=False, soft_wrap=True)


def _sum_up(host: Host, recorder: Recorder, latency_ms: tuple[float, float], seconds: float) -> Played:
    meters: Meters = host.meters()
    return Played(
        str(host.ports.input),
        str(host.ports.output),
        host.sample_rate,
        seconds,
        host.buffer_frames,
        *latency_ms,
        host.engine.latency_frames,
        meters.callbacks,
        xruns(meters),
        meters.clipped_frames,
        meters.poisoned_buffers,
        host.losses,
        meters.howls,
        tuple(recorder.files),
    )
