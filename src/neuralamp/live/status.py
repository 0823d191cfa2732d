"""One line that says how a rig is doing while it plays."""

from rich.text import Text

from neuralamp.engine import Meters
from neuralamp.live.host import Host

LOUD_DB, BAR_CELLS, BAR_FLOOR_DB = -6.0, 12, -60.0


def status_line(host: Host, muted: bool) -> Text:
    """Levels, load, buffer, latency, dropouts, cut peaks."""
    meters = host.meters()
    line = Text(no_wrap=True, overflow="crop")
    line.append(" MUTED " if muted else " LIVE  ", "bold reverse yellow" if muted else "bold reverse green")
    line.append("  in ").append_text(_level(meters.input_db))
    line.append("  out ").append_text(_level(meters.output_db))
    load = host.load
    line.append("  load ").append(f"{100 * load:3.0f} %", "red" if load > 0.8 else "")
    line.append(f"  {host.buffer_frames:.0f} frames  {sum(host.latency_ms):.1f} ms")
    line.append("  xruns ").append(str(xruns(meters)), "red" if xruns(meters) else "")
    line.append("  clipped ").append(str(meters.clipped_frames), "red" if meters.clipped_frames else "")
    if meters.poisoned_buffers:
        line.append(f"  broken {meters.poisoned_buffers}", "red")
    return line


def xruns(meters: Meters) -> int:
    """Buffers that the device lost, on the way in or out."""
    return max(meters.input_xruns, meters.output_xruns)


def _level(level_db: float) -> Text:
    """A bar from -60 dBFS to full scale, and the number."""
    filled = round(BAR_CELLS * min(max(1.0 - level_db / BAR_FLOOR_DB, 0.0), 1.0))
    bar = Text("█" * filled, "red" if level_db > LOUD_DB else "green").append("·" * (BAR_CELLS - filled), "dim")
    number = f"{level_db:6.1f}" if level_db > -100.0 else "  -inf"
    return bar.append(f"{number} dB", "default")
