"""MIDI: foot switches and expression pedals, turned by a map into the messages of the pedal board."""

from neuralamp.live.midi.cable import Port, find_port, ports
from neuralamp.live.midi.input import MidiInput
from neuralamp.live.midi.learning import learn, listen
from neuralamp.live.midi.map_file import find_map, maps, read_map, write_row
from neuralamp.live.midi.row import Row
from neuralamp.live.midi.signal import Signal

__all__ = [
    "MidiInput", "Port", "Row", "Signal",
    "find_map", "find_port", "learn", "listen", "maps", "ports", "read_map", "write_row",
]  # fmt: skip
