"""A rig played live from a terminal: what was opened, a status line, and three keys."""

import time
from collections.abc import Sequence
from dataclasses import dataclass

from rich.console import Console
from rich.live import Live

from neuralamp.engine import Meters
from neuralamp.errors import DeviceError
from neuralamp.live.facts import device_facts
from neuralamp.live.host import Host
from neuralamp.live.keys import Keys
from neuralamp.live.status import status_line, xruns
from neuralamp.rig import Rig

REFRESH_S = 0.1


@dataclass(frozen=True)
class Played:
    """What a session was, for machines to read."""

    input: str
    output: str
    sample_rate: float
    seconds: float
    buffer_frames: float
    latency_in_ms: float
    latency_out_ms: float
    rig_latency_frames: int
    callbacks: int
    xruns: int
    clipped_frames: int
    poisoned_buffers: int


def play_live(
    rig: Rig,
    *,
    device: str | int | Sequence[str | int | None] | None = None,
    input_channel: int = 1,
    output_channels: Sequence[int] = (1, 2),
    sample_rate: float | None = None,
    confirmed: bool = False,
    seconds: float | None = None,
    console: Console | None = None,
) -> Played:
    """Play until q, Ctrl-C, or the end of `seconds`; then ramp into silence and close.

    Nothing is heard until Enter is pressed, unless `confirmed`: an amp opened on the wrong channel howls. Devices and channels as
    in Host, whose errors are raised; DeviceError too when the device stops by itself.
    """
    console = console or Console()
    host = Host(rig, device=device, input_channel=input_channel, output_channels=output_channels, sample_rate=sample_rate)
    begin = time.monotonic()
    with host:
        latency = host.latency_ms  # JACK tells it only once the stream runs
        for text in (
            f"Playing  {rig.name}",
            f"In       {host.input}, channel {input_channel}",
            f"Out      {host.output}, channel {' and '.join(map(str, output_channels))}",
            f"At       {host.sample_rate:g} Hz; the device reports {latency[0]:.1f} ms in + {latency[1]:.1f} ms out, "
            f"the rig adds {1e3 * host.engine.latency_frames / host.sample_rate:.1f} ms",
            *host.engine.plan.notes,
            f"{'' if confirmed else 'Muted until you press Enter. '}m mutes, q or Ctrl-C quits.",
        ):
            console.print(text, highlight=False, markup=False, soft_wrap=True)
        try:
            with Keys() as keys, Live(console=console, auto_refresh=False, transient=True) as line:
                _attend(host, keys, line, muted=not confirmed, until=begin + seconds if seconds is not None else None)
        except KeyboardInterrupt:
            pass
    played = _sum_up(host, latency, time.monotonic() - begin)
    console.print(
        f"Played {played.seconds:.1f} s: {played.callbacks} buffers of {played.buffer_frames:.0f} frames, {played.xruns} xruns, "
        f"{played.clipped_frames} frames clipped",
        highlight=False,
        soft_wrap=True,
    )
    return played


def _attend(host: Host, keys: Keys, line: Live, muted: bool, until: float | None) -> None:
    """Keys and the status line, until it is time to go."""
    host.mute(muted)
    while until is None or time.monotonic() < until:
        if not host.running:
            raise DeviceError(f"{host.output.name} has stopped by itself; {device_facts(host.output.api).start}")
        line.update(status_line(host, muted), refresh=True)
        host.engine.free_old_plans()
        match keys.pressed(REFRESH_S):
            case "q":
                return
            case "m":
                muted = not muted
            case "\n":
                muted = False
        host.mute(muted)


def _sum_up(host: Host, latency_ms: tuple[float, float], seconds: float) -> Played:
    meters: Meters = host.meters()
    return Played(
        str(host.input),
        str(host.output),
        host.sample_rate,
        seconds,
        host.buffer_frames,
        *latency_ms,
        host.engine.latency_frames,
        meters.callbacks,
        xruns(meters),
        meters.clipped_frames,
        meters.poisoned_buffers,
    )
