"""What was played on last time, and how each pair of devices was set: a small file in the platform's config folder."""

import json
import os
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import ClassVar

from platformdirs import user_config_path
from pydantic import TypeAdapter, ValidationError

from neuralamp.errors import DeviceError
from neuralamp.files import read_small_file
from neuralamp.settings import NO_OTHER_KEYS

MOST_BYTES = 2**20


@dataclass(frozen=True)
class Setup:
    """How a pair of devices was used; what nobody asked for, and what is not known, is None."""

    __pydantic_config__: ClassVar = NO_OTHER_KEYS

    input: str
    output: str
    input_channel: int = 1
    output_channels: tuple[int, ...] = (1, 2)
    sample_rate: float | None = None
    input_dbu: float | None = None
    round_trip_frames: int | None = None
    round_trip_rate: float | None = None

    def __str__(self) -> str:
        devices = self.input if self.input == self.output else f"{self.input}, {self.output}"
        said = [f"in {self.input_channel}, out {' and '.join(map(str, self.output_channels))}"]
        said += [f"{self.sample_rate:g} Hz"] if self.sample_rate else []
        said += [f"{self.input_dbu:g} dBu"] if self.input_dbu is not None else []
        return f"{devices}, {', '.join(said)}"

    @property
    def round_trip_ms(self) -> float | None:
        """Measured, by `neuralamp latency`."""
        if self.round_trip_frames is None or not self.round_trip_rate:
            return None
        return 1e3 * self.round_trip_frames / self.round_trip_rate


@dataclass(frozen=True)
class Memory:
    """The setups of all devices used so far, the last one in front."""

    __pydantic_config__: ClassVar = NO_OTHER_KEYS

    setups: tuple[Setup, ...] = field(default=())

    @property
    def last(self) -> Setup | None:
        return self.setups[0] if self.setups else None

    def of(self, device_in: str, device_out: str) -> Setup | None:
        """How this pair was used."""
        return next((setup for setup in self.setups if (setup.input, setup.output) == (device_in, device_out)), None)

    def with_setup(self, setup: Setup) -> "Memory":
        """A setup in front; what has been measured of its devices is kept where the new one says nothing."""
        before = self.of(setup.input, setup.output)
        if before and setup.round_trip_frames is None:
            setup = replace(setup, round_trip_frames=before.round_trip_frames, round_trip_rate=before.round_trip_rate)
        if before and setup.input_dbu is None:
            setup = replace(setup, input_dbu=before.input_dbu)
        return Memory((setup, *(other for other in self.setups if other is not before)))


def memory_path() -> Path:
    """The file; NEURALAMP_CONFIG moves its folder."""
    return Path(os.environ.get("NEURALAMP_CONFIG") or user_config_path("neuralamp")) / "devices.json"


def read_memory() -> tuple[Memory, str]:
    """What is remembered, and a line where the file was broken: it is then set aside, and everything begins anew."""
    path = memory_path()
    if not path.exists():
        return Memory(), ""
    try:
        return TypeAdapter(Memory).validate_json(read_small_file(path, MOST_BYTES, DeviceError)), ""
    except (ValidationError, DeviceError):
        aside = path.with_suffix(".broken")
        try:
            path.replace(aside)
        except OSError as reason:
            return Memory(), f"{path} cannot be read as remembered devices, nor be set aside ({reason.strerror}); remove it"
        return Memory(), f"{path} could not be read as remembered devices; it is set aside as {aside.name}"


def write_memory(memory: Memory) -> str:
    """Put the file in its place as a whole; a line where that cannot be done, which stops nobody from playing."""
    path = memory_path()
    partial = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        partial.write_text(json.dumps(asdict(memory), indent=1) + "\n", encoding="utf-8")
        partial.replace(path)
    except OSError as reason:
        return f"the devices cannot be remembered in {path.parent} ({reason.strerror}); NEURALAMP_CONFIG names another folder"
    return ""


def forget() -> None:
    """Remember nothing."""
    memory_path().unlink(missing_ok=True)
