"""One line that says how a rig is doing while it plays."""

from rich.text import Text

from neuralamp.blocks.tuner import nearest_note
from neuralamp.engine import Meters
from neuralamp.live.feet import Feet
from neuralamp.live.host import Host
from neuralamp.live.recorder import Recorder

LOUD_DB, BAR_CELLS, BAR_FLOOR_DB = -6.0, 12, -60.0


def status_line(host: Host, feet: Feet, recorder: Recorder) -> Text:
    """What plays, levels, load, buffer, latency, dropouts, cut peaks; below it what is being typed, or what could not be done."""
    meters, board = host.meters(), feet.board
    line = Text(no_wrap=True, overflow="crop")
    if host.lost:
        return line.append(" LOST  ", "bold reverse red").append(f"  {host.lost}")
    line.append(" MUTED " if board.muted else " LIVE  ", "bold reverse yellow" if board.muted else "bold reverse green")
    if board.recording:
        line.append(" REC ", "bold reverse red")
    if len(board.songs) > 1 or board.snapshot:
        line.append(f"  {board.songs[board.song].name}{f' / {board.snapshot}' if board.snapshot else ''}")
    if "tuner" in board.engine.plan.seats:
        line.append(f"  {_needle(board.engine.reading('tuner')['frequency'], board.engine.stands['tuner'].values['reference'])}")
    if board.coming is not None:
        line.append(f"  getting {board.songs[board.coming].name} ready")
    line.append("  in ").append_text(_level(meters.input_db))
    line.append("  out ").append_text(_level(meters.output_db))
    load = host.load
    line.append(f"  load {100 * load.p50:2.0f} to ").append(f"{100 * load.p99:2.0f} %", "red" if load.p99 > 0.8 else "")
    line.append(f"  {host.buffer_frames} frames  {sum(host.latency_ms):.1f} ms")
    line.append("  xruns ").append(str(xruns(meters)), "red" if xruns(meters) else "")
    line.append("  clipped ").append(str(meters.clipped_frames), "red" if meters.clipped_frames else "")
    if meters.poisoned_buffers:
        line.append(f"  broken {meters.poisoned_buffers}", "red")
    if meters.howls:
        line.append(f"  howls {meters.howls}", "red")
    below = f":{feet.typed}_" if feet.typed is not None else feet.said or board.trouble or recorder.trouble
    return line.append(f"\n{below}") if below else line


def _needle(frequency_hz: float, reference_hz: float) -> str:
    """What a tuner says: the note and its cents, as wide where it hears none."""
    note = nearest_note(frequency_hz, reference_hz)
    return f"{note.name}{note.octave}".rjust(4) + f" {note.cents:+5.1f} ct" if note else "   -   - ct "


def xruns(meters: Meters) -> int:
    """Buffers that the device lost, on the way in or out."""
    return max(meters.input_xruns, meters.output_xruns)


def _level(level_db: float) -> Text:
    """A bar from -60 dBFS to full scale, and the number."""
    filled = round(BAR_CELLS * min(max(1.0 - level_db / BAR_FLOOR_DB, 0.0), 1.0))
    bar = Text("█" * filled, "red" if level_db > LOUD_DB else "green").append("·" * (BAR_CELLS - filled), "dim")
    number = f"{level_db:6.1f}" if level_db > -100.0 else "  -inf"
    return bar.append(f"{number} dB", "default")
