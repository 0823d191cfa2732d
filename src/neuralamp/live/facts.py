"""What is known of each kind of device, read from realtime/devices/*.toml: how to open it, and what to do when it refuses."""

import tomllib
from dataclasses import dataclass
from typing import ClassVar

from pydantic import TypeAdapter, ValidationError

from neuralamp.errors import DeviceError
from neuralamp.resources import shipped
from neuralamp.settings import NO_OTHER_KEYS, first_fault


@dataclass(frozen=True)
class DeviceFacts:
    """How devices of one kind are opened.

    api            PortAudio's name for the kind; "" stands for every kind that has no file of its own.
    latency        "low", "high", or seconds: what is asked for; the device answers with what it gives.
    buffer_frames  0 lets the device choose, and change, the size of each buffer.
    start          what to do when no such device is there or it does not answer.
    busy           what to do when another program holds it.
    closes_dead    whether a stream can be closed whose device has gone; else it is left as it is.
    """

    __pydantic_config__: ClassVar = NO_OTHER_KEYS

    api: str
    start: str
    busy: str
    latency: str | float = "low"
    buffer_frames: int = 0
    closes_dead: bool = True


def device_facts(api: str) -> DeviceFacts:
    """The facts for PortAudio's name of a kind of device."""
    known = {facts.api: facts for facts in _read_all()}
    return known.get(api, known[""])


def _read_all() -> list[DeviceFacts]:
    found = []
    for path in sorted(shipped("realtime/devices").glob("*.toml")):
        try:
            found.append(TypeAdapter(DeviceFacts).validate_python(tomllib.loads(path.read_text(encoding="utf-8"))))
        except (tomllib.TOMLDecodeError, ValidationError) as reason:
            fault = first_fault(reason, whole="the file") if isinstance(reason, ValidationError) else reason
            raise DeviceError(f"{path} does not hold device facts ({fault}); mend it, or install neuralamp again") from None
    return found
