"""A rig on a device: PortAudio calls the engine's compiled callback, and no Python runs in the audio thread."""

import atexit
import time
from collections.abc import Sequence
from types import TracebackType
from typing import Any

from neuralamp.engine import Engine, Meters
from neuralamp.engine.output import MIX, RAMP_MS, SILENT
from neuralamp.errors import DeviceError
from neuralamp.live.devices import Device, Kind, audio_library, find_device
from neuralamp.live.facts import device_facts
from neuralamp.rig import Rig

MAX_FRAMES = 1024  # longer buffers are split: what the nets work on stays near the processor
LAST_RAMP_S = 0.5  # how long to wait for the ramp into silence: a device that died will never play it
UNAVAILABLE, INVALID_RATE, INVALID_CHANNELS, HOST_ERROR = -9985, -9997, -9998, -9999  # PortAudio's PaErrorCode

_ABANDONED: list["Host"] = []


class Host:
    """Device -> engine -> device.

    device           name or number, or a pair of them for input and output; None is the system's default.
    input_channel    where the guitar is plugged in, from 1.
    output_channels  where left and right are heard, from 1; a single one hears both.
    sample_rate      in hertz; None is the rate of the rig's captures where the device runs at it, else the device's own.

    Opened by its making, muted until `mute(False)`. As a context manager it is started on entry and, on exit, ramps into silence
    and closes. Raises DeviceError in one line for everything that a device can refuse, and what Engine raises for the rig.
    """

    def __init__(
        self,
        rig: Rig,
        *,
        device: str | int | Sequence[str | int | None] | None = None,
        input_channel: int = 1,
        output_channels: Sequence[int] = (1, 2),
        sample_rate: float | None = None,
    ):
        wanted_in, wanted_out = (device, device) if device is None or isinstance(device, str | int) else tuple(device)
        self.input, self.output = find_device(wanted_in, "input"), find_device(wanted_out, "output")
        if not 1 <= len(output_channels) <= 2 or len(set(output_channels)) < len(output_channels):
            raise DeviceError(f"output channels {list(output_channels)} are not possible; give one, or two different ones: 1,2")
        _check_channels(self.input, "input", [input_channel])
        _check_channels(self.output, "output", output_channels)
        self._input_channel, self._output_channels = input_channel, output_channels
        self._started = False
        rates = [sample_rate] if sample_rate else [rig.plays_at(), self.output.sample_rate]
        self._stream = self._open_at(rig, [float(rate) for rate in dict.fromkeys(rates) if rate])

    def _open_at(self, rig: Rig, rates: list[float]) -> Any:
        """A stream at the first of these rates that the device runs at; the amps resample where it is not theirs."""
        library = audio_library()
        for rate in rates:
            self.sample_rate = rate
            self.engine = Engine(
                rig,
                rate,
                max_frames=MAX_FRAMES,
                live=True,
                device_inputs=self._input_channel,
                input_map=(self._input_channel - 1,),
                device_outputs=max(self._output_channels),
                output_map=_output_map(self._output_channels),
            )
            self.engine.mute()
            try:
                return self._open()
            except library.PortAudioError as reason:
                if rate == rates[-1] or (*reason.args, None, None)[1] != INVALID_RATE:
                    raise self._refusal(reason) from None
        raise AssertionError("there is always a last rate")

    def _open(self) -> Any:
        library = audio_library()
        facts = device_facts(self.output.api)
        cast = library._ffi.cast
        return library._StreamBase(
            "duplex",
            samplerate=self.sample_rate,
            blocksize=facts.buffer_frames,
            device=(self.input.number, self.output.number),
            channels=(self.engine.device_inputs, self.engine.device_outputs),
            dtype="float32",
            latency=facts.latency,
            clip_off=True,  # the output stage has its own ceiling, and below it no bit may change
            dither_off=True,
            callback=cast("PaStreamCallback*", self.engine.callback_address),
            userdata=cast("void*", self.engine.stage_address),
            wrap_callback=None,
        )

    def _refusal(self, reason: Exception) -> DeviceError:
        """PortAudio's error code in a guitarist's words."""
        text, code = (*reason.args, None, None)[:2]
        name = self.output.name if self.output == self.input else f"{self.input.name} with {self.output.name}"
        facts = device_facts(self.output.api)
        if code == INVALID_RATE:
            own = sorted({self.input.sample_rate, self.output.sample_rate})
            return DeviceError(
                f"{name} cannot run at {self.sample_rate:g} Hz (it says {' and '.join(f'{rate:g}' for rate in own)} Hz); "
                f"set it to {self.sample_rate:g} Hz, or play a capture of its rate"
            )
        if code == INVALID_CHANNELS:
            return DeviceError(
                f"{name} does not give {self.engine.device_inputs} in and {self.engine.device_outputs} out; use lower ones"
            )
        if code in (UNAVAILABLE, HOST_ERROR):
            return DeviceError(f"{name} is busy or has gone ({text}); {facts.busy}")
        return DeviceError(f"{name} cannot be opened ({text}); {facts.start}")

    # -- playing -----------------------------------------------------------------------------------------------------

    def start(self) -> None:
        """Let the device call; what is heard stays muted until `mute(False)`."""
        try:
            self._stream.start()
            self._started = True
        except audio_library().PortAudioError as reason:
            raise self._refusal(reason) from None

    def mute(self, muted: bool = True) -> None:
        """Ramp into silence, or out of it."""
        self.engine.mute(muted)

    def stop(self) -> None:
        """Ramp into silence, then let the device go. The meters can still be read."""
        if self._stream.closed or self in _ABANDONED:
            return
        if self._started and not self.running:
            self._abandon()
            return
        if self._started:
            self.engine.mute()
            # the buffer that is on its way has not seen the mute
            end = self.engine.meters().frames + self.buffer_frames + RAMP_MS * 1e-3 * self.sample_rate
            deadline = time.monotonic() + LAST_RAMP_S
            while self.engine.meters().frames < end and time.monotonic() < deadline:
                time.sleep(0.002)
            self._stream.stop(ignore_errors=True)
        self._stream.close(ignore_errors=True)

    def _abandon(self) -> None:
        """Leave a stream whose device has gone as it is: closing it, PortAudio waits ten minutes for a JACK server that died.

        sounddevice would do the same at the end of the process, so its handler is taken out; the engine is kept, lest a device
        that comes back should call into memory that is no longer there.
        """
        _ABANDONED.append(self)
        atexit.unregister(audio_library()._exit_handler)

    def __enter__(self) -> "Host":
        self.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self.stop()

    # -- what it says of itself --------------------------------------------------------------------------------------

    @property
    def running(self) -> bool:
        """False once the device has stopped calling: unplugged, or its server gone."""
        return self._started and not self._stream.closed and bool(self._stream.active)

    @property
    def latency_ms(self) -> tuple[float, float]:
        """Of input and of output, as the device reports it, without what the rig adds (`engine.latency_frames`)."""
        latency_in, latency_out = self._stream.latency
        return 1e3 * latency_in, 1e3 * latency_out

    @property
    def load(self) -> float:
        """The share of a buffer's time that the callback takes, as PortAudio measures it; 1 is too late."""
        return 0.0 if self._stream.closed else float(self._stream.cpu_load)

    @property
    def buffer_frames(self) -> float:
        """The mean size of the buffers that the device has sent so far; 0 before the first."""
        meters = self.meters()
        return meters.frames / meters.callbacks if meters.callbacks else 0.0

    def meters(self) -> Meters:
        return self.engine.meters()


def _check_channels(device: Device, kind: Kind, wanted: Sequence[int]) -> None:
    for channel in wanted:
        if not 1 <= channel <= device.channels(kind):
            raise DeviceError(f"{device.name} has no {kind} channel {channel}; it has {device.channels(kind)}, counted from 1")


def _output_map(output_channels: Sequence[int]) -> tuple[int, ...]:
    """What each device channel plays: the rig's left and right where they are wanted, else nothing."""
    plays = {output_channels[0]: MIX} if len(output_channels) == 1 else dict(zip(output_channels, (0, 1), strict=True))
    return tuple(plays.get(channel, SILENT) for channel in range(1, max(output_channels) + 1))
