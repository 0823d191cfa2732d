"""MIDI ports: what sends to this machine, found by name."""

import os
import re
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from types import ModuleType

from neuralamp.errors import MidiError
from neuralamp.live.midi.signal import Signal, signal_of

POLL_S = 0.002  # between two looks at a port: under what a foot or an ear can tell
THROUGH = "Midi Through"  # ALSA's own: it is always there, and nobody plays it
_ALSA_NUMBERS = re.compile(r" \d+:\d+$")


@dataclass(frozen=True)
class Port:
    """Something that sends MIDI. api: the way to it, as RtMidi calls it: "ALSA", "Jack", "CoreMidi", ..."""

    name: str
    api: str

    def __str__(self) -> str:
        return f"{self.name} ({self.api})"

    def is_same(self, other: "Port") -> bool:
        """Whether this may be the other one, plugged in again: ALSA then counts on the numbers at the end of its name."""
        return self.api == other.api and _ALSA_NUMBERS.sub("", self.name) == _ALSA_NUMBERS.sub("", other.name)


def midi_library() -> ModuleType:
    """RtMidi. Raises MidiError where it, or mido, is not installed."""
    try:
        import mido  # noqa: F401  what comes in is read with it
        import rtmidi
    except ImportError as reason:
        raise MidiError(
            f"MIDI needs the packages mido and python-rtmidi, which are not here ({reason}); pip install 'neuralamp[midi]'"
        ) from None
    return rtmidi


def ports() -> list[Port]:
    """Everything that sends, on every system of this machine; none is an empty list."""
    library, found = midi_library(), []
    for api in library.get_compiled_api():
        with (
            _quiet(),
            suppress(library.RtMidiError, SystemError),
        ):  # no sequencer in this kernel, no JACK server: nothing is there
            receiver = library.MidiIn(api)
            found += [Port(name, library.get_api_display_name(api)) for name in receiver.get_ports()]
            receiver.delete()
    return list(dict.fromkeys(found))


def find_port(wanted: str | None) -> Port:
    """The port of this name, or with this in its name; the first that a pedal may be on for None.

    Raises MidiError, with all there are, where there is none or more than one.
    """
    able = ports()
    if not able:
        raise MidiError("nothing that sends MIDI is connected; plug the pedal in, and see: neuralamp midi list")
    if wanted is None:
        return next((port for port in able if not port.name.startswith(THROUGH)), able[0])
    found = [port for port in able if port.name.lower() == wanted.lower()]
    found = found or [port for port in able if wanted.lower() in str(port).lower()]
    if len(found) == 1:
        return found[0]
    if found:
        raise MidiError(f"{wanted!r} may be any of: {'; '.join(map(str, found))}; give more of its name")
    raise MidiError(f"there is no MIDI port {wanted!r}; there are: {'; '.join(map(str, able))}")


class Cable:
    """A port that is open. Raises MidiError for one that has gone, or is held by another program.

    RtMidi keeps what comes in until it is asked for, 1024 messages. It could call us instead; on JACK it would do so in the
    thread of its sound, which must not wait for Python.
    """

    def __init__(self, port: Port):
        self.port = port
        library = midi_library()
        (api,) = (api for api in library.get_compiled_api() if library.get_api_display_name(api) == port.api)
        with _quiet():
            try:
                self._receiver = library.MidiIn(api, name="neuralamp")
                self._receiver.open_port(self._receiver.get_ports().index(port.name))
            except (library.RtMidiError, SystemError, ValueError) as reason:
                raise MidiError(f"{port} cannot be opened ({reason}); close the other program that uses it") from None

    def signals(self) -> Iterator[Signal]:
        """What has come in since this was last asked."""
        import mido

        while heard := self._receiver.get_message():
            try:
                signal = signal_of(mido.Message.from_bytes(heard[0]))
            except ValueError:  # a torn message: a cable that was plugged in while it spoke
                continue
            if signal:
                yield signal

    def is_plugged_in(self) -> bool:
        """Whether its port is still there."""
        return self.port.name in self._receiver.get_ports()

    def close(self) -> None:
        self._receiver.close_port()
        self._receiver.delete()


@contextmanager
def _quiet() -> Iterator[None]:
    """What JACK and ALSA write past Python, where there is no server or no sequencer, is not for a guitarist."""
    sys.stderr.flush()
    kept = os.dup(2)
    try:
        nowhere = os.open(os.devnull, os.O_WRONLY)
        os.dup2(nowhere, 2)
        os.close(nowhere)
        yield
    finally:
        os.dup2(kept, 2)
        os.close(kept)
