"""A pair of devices opened: PortAudio calls a compiled callback, and no Python runs in the audio thread."""

import time
from dataclasses import dataclass, replace
from typing import Any

from neuralamp.engine import Engine
from neuralamp.engine.output import MIX, SILENT
from neuralamp.errors import DeviceError
from neuralamp.live.devices import Device, Kind, find_again, find_device
from neuralamp.live.facts import device_facts
from neuralamp.live.plug import Plug
from neuralamp.live.portaudio import audio_library
from neuralamp.live.tester import Tester
from neuralamp.rig import Rig

MAX_FRAMES = 1024  # longer buffers are split: what the nets work on stays near the processor
STALL_S = 2.0  # without a call, after which a device has gone: a busy machine may hold one up for nearly as long
UNAVAILABLE, INVALID_RATE, INVALID_CHANNELS, HOST_ERROR = -9985, -9997, -9998, -9999  # PortAudio's PaErrorCode

_OPEN: list["Stream"] = []  # a device may call into their memory until they are closed, and those that died are never closed


@dataclass(frozen=True)
class Ports:
    """Where a guitar comes in and is heard: devices, and their channels, from 1.

    Raises DeviceError for a channel that is not there.
    """

    input: Device
    output: Device
    input_channel: int
    output_channels: tuple[int, ...]

    def __post_init__(self):
        wanted = self.output_channels
        if not 1 <= len(wanted) <= 2 or len(set(wanted)) < len(wanted):
            raise DeviceError(f"output channels {list(wanted)} are not possible; give one, or two different ones: 1,2")
        for device, kind, channels in self._channels():
            for channel in channels:
                if not 1 <= channel <= device.channels(kind):
                    raise DeviceError(
                        f"{device.name} has no {kind} channel {channel}; it has {device.channels(kind)}, counted from 1"
                    )

    def _channels(self) -> tuple[tuple[Device, Kind, tuple[int, ...]], ...]:
        return (self.input, "input", (self.input_channel,)), (self.output, "output", self.output_channels)

    @property
    def name(self) -> str:
        return self.output.name if self.output == self.input else f"{self.input.name} with {self.output.name}"

    @property
    def inputs(self) -> int:
        """How many channels of the input device are opened: all up to the guitar's."""
        return self.input_channel

    @property
    def outputs(self) -> int:
        return max(self.output_channels)

    def found_again(self) -> "Ports | None":
        """The same ports in the list of devices as it is now; None while a device is not there."""
        found_in, found_out = find_again(self.input, "input"), find_again(self.output, "output")
        return replace(self, input=found_in, output=found_out) if found_in and found_out else None

    def engine(self, rig: Rig, sample_rate: float) -> Engine:
        """A rig as sound for these ports, muted."""
        sides = (MIX,) if len(self.output_channels) == 1 else (0, 1)
        plays = dict(zip(self.output_channels, sides, strict=True))
        engine = Engine(
            rig,
            sample_rate,
            max_frames=MAX_FRAMES,
            live=True,
            device_inputs=self.inputs,
            input_map=(self.input_channel - 1,),
            device_outputs=self.outputs,
            output_map=tuple(plays.get(channel, SILENT) for channel in range(1, self.outputs + 1)),
        )
        engine.mute()
        return engine


def find_ports(device_in: str | int | None, device_out: str | int | None, input_channel: int, outputs: tuple[int, ...]) -> Ports:
    """Raises DeviceError, with what there is."""
    return Ports(find_device(device_in, "input"), find_device(device_out, "output"), input_channel, outputs)


class Stream:
    """Ports opened at the first of some sample rates that they run at. Nothing is heard until it is started.

    plug  what the device calls.

    Raises DeviceError in one line for everything that a device can refuse.
    """

    def __init__(self, ports: Ports, rates: list[float], plug: Plug | Tester):
        self.ports, self.plug = ports, plug
        self._calls, self._called_at = 0, time.monotonic()
        self.started = False
        library = audio_library()
        for rate in rates:
            self.sample_rate = rate
            try:
                self._stream = self._open()
                _OPEN.append(self)
                return
            except library.PortAudioError as reason:
                if rate == rates[-1] or (*reason.args, None, None)[1] != INVALID_RATE:
                    raise self._refusal(reason) from None

    def _open(self) -> Any:
        library = audio_library()
        facts = device_facts(self.ports.output.api)
        cast = library._ffi.cast
        return library._StreamBase(
            "duplex",
            samplerate=self.sample_rate,
            blocksize=facts.buffer_frames,
            device=(self.ports.input.number, self.ports.output.number),
            channels=(self.ports.inputs, self.ports.outputs),
            dtype="float32",
            latency=facts.latency,
            clip_off=True,  # the output stage has its own ceiling, and below it no bit may change
            dither_off=True,
            callback=cast("PaStreamCallback*", self.plug.callback_address),
            userdata=cast("void*", self.plug.stage_address),
            wrap_callback=None,
        )

    def _refusal(self, reason: Exception) -> DeviceError:
        """PortAudio's error code in a guitarist's words."""
        text, code = (*reason.args, None, None)[:2]
        name, facts = self.ports.name, device_facts(self.ports.output.api)
        if code == INVALID_RATE:
            own = sorted({self.ports.input.sample_rate, self.ports.output.sample_rate})
            return DeviceError(
                f"{name} cannot run at {self.sample_rate:g} Hz (it says {' and '.join(f'{rate:g}' for rate in own)} Hz); "
                f"set it to {self.sample_rate:g} Hz, or play a capture of its rate"
            )
        if code == INVALID_CHANNELS:
            return DeviceError(f"{name} does not give {self.ports.inputs} in and {self.ports.outputs} out; use lower ones")
        if code in (UNAVAILABLE, HOST_ERROR):
            return DeviceError(f"{name} is busy or has gone ({text}); {facts.busy}")
        return DeviceError(f"{name} cannot be opened ({text}); {facts.start}")

    def start(self) -> None:
        """Let the device call."""
        try:
            self._stream.start()
        except audio_library().PortAudioError as reason:
            raise self._refusal(reason) from None
        self.started, self._called_at = True, time.monotonic()

    def close(self) -> None:
        """Let the device go, which must be there. Nothing is called afterwards."""
        if self.started:
            self._stream.stop(ignore_errors=True)
        self._stream.close(ignore_errors=True)
        _OPEN.remove(self)

    # -- what it says of itself --------------------------------------------------------------------------------------

    @property
    def alive(self) -> bool:
        """False once the device has stopped calling: unplugged, or its server gone."""
        if not self.started or self._stream.closed or not self._stream.active:
            return False
        calls, now = self.plug.calls, time.monotonic()
        if calls != self._calls:
            self._calls, self._called_at = calls, now
        return now - self._called_at < STALL_S

    @property
    def rate_now(self) -> float:
        """The sample rate as the device says that it is now, in hertz."""
        library = audio_library()
        return self.sample_rate if self._stream.closed else library._lib.Pa_GetStreamInfo(self._stream._ptr).sampleRate

    @property
    def latency_ms(self) -> tuple[float, float]:
        """Of input and of output, as the device reports it."""
        latency_in, latency_out = self._stream.latency
        return 1e3 * latency_in, 1e3 * latency_out
