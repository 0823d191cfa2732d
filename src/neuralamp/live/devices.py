"""What sound can be played on: the devices of this machine, found by name or number."""

import difflib
from dataclasses import dataclass
from typing import Literal

from neuralamp.errors import DeviceError
from neuralamp.live.portaudio import audio_library

Kind = Literal["input", "output"]


@dataclass(frozen=True)
class Device:
    """One device as PortAudio sees it.

    number           its place in PortAudio's list, from 0.
    api              the way to it: "ALSA", "JACK Audio Connection Kit", "Core Audio", "Windows WASAPI", ...
    inputs, outputs  how many channels it has.
    sample_rate      that it runs at when nobody asks for another, in hertz.
    """

    number: int
    name: str
    api: str
    inputs: int
    outputs: int
    sample_rate: float

    @property
    def label(self) -> str:
        """The name and the way to it: by these it is found again."""
        return f"{self.name} ({self.api})"

    def channels(self, kind: Kind) -> int:
        return self.inputs if kind == "input" else self.outputs

    def __str__(self) -> str:
        return f"{self.number} {self.name} ({self.api}, {self.inputs} in, {self.outputs} out)"


def devices() -> list[Device]:
    """Every device of this machine, in PortAudio's order; none is an empty list."""
    library = audio_library()
    apis = [api["name"] for api in library.query_hostapis()]
    return [
        Device(
            number,
            device["name"],
            apis[device["hostapi"]],
            device["max_input_channels"],
            device["max_output_channels"],
            device["default_samplerate"],
        )
        for number, device in enumerate(library.query_devices())
    ]


def find_device(wanted: str | int | None, kind: Kind) -> Device:
    """The device of this number, this name, or with this in its name; the default one for None.

    Raises DeviceError, with the nearest names, where there is none or more than one.
    """
    able = [device for device in devices() if device.channels(kind)]
    if not able:
        raise DeviceError(
            f"there is no {kind} device; plug the interface in or start JACK, and see that this user may use it (group audio)"
        )
    if wanted is None:
        default = audio_library().default.device[kind]
        return next((device for device in able if device.number == default), able[0])
    if isinstance(wanted, int) or wanted.isdigit():
        found = [device for device in able if device.number == int(wanted)]
    else:
        found = [device for device in able if wanted.lower() in (device.name.lower(), device.label.lower())]
        found = found or [device for device in able if wanted.lower() in str(device).lower()]
    if len(found) == 1:
        return found[0]
    if found:
        raise DeviceError(f"{wanted!r} may be any of: {'; '.join(map(str, found))}; give more of its name, or its number")
    near = difflib.get_close_matches(str(wanted), [device.name for device in able], 3, cutoff=0.4)
    shown = [device for device in able if device.name in near] or able
    raise DeviceError(
        f"there is no {kind} device {wanted!r}; the nearest are: {'; '.join(map(str, shown))}; give a name or a number"
    )


def find_again(gone: Device, kind: Kind) -> Device | None:
    """A device that was there before, by its kind and name; its number and ALSA's (hw:1,0) may have changed. None for none."""
    able = [device for device in devices() if device.channels(kind) and device.api == gone.api]
    exact = [device for device in able if device.name == gone.name]
    alike = [device for device in able if _model(device.name) == _model(gone.name)]
    return next(iter(exact or alike), None)


def _model(name: str) -> str:
    return name.partition(" (hw:")[0]
