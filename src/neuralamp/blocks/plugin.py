"""Plugin: an effect of others, VST3 or Audio Unit, in a process of its own; where it fails, the sound goes on dry."""

import re
from functools import cached_property

import numpy as np
from numba import carray

from neuralamp.block import Block, FileSetting, Knob, NumberSetting, Part, Switch, Text
from neuralamp.dsp.jit import address_of, call_node, integers_at
from neuralamp.dsp.node import CHANNELS, POINTER, Node, State, node
from neuralamp.guest.link import MOST_KNOBS, turn_knobs
from neuralamp.guest.plugin import Plugin, open_plugin
from neuralamp.guest.plugin_facts import BUILT_IN, PluginKnob

LATENCY_FRAMES = 512  # 11 ms at 48 kHz: room for buffers of 256 frames and for a worker that the system wakes late
LOOKED_AT_RATE = 48000.0  # for its knobs, which are the same at any
TAIL_SECONDS = 2.0
RESERVED = ("box", "bypass")  # words of a rig file


class PluginFile(FileSetting):
    """A plugin's path, or the name of one of pedalboard's own effects."""

    def check(self, name, value):
        return value if isinstance(value, str) and value.startswith(BUILT_IN) else super().check(name, value)


class PluginBox(Block):
    plugin = PluginFile(f"a .vst3 (on macOS also .component), or one of pedalboard's own, such as {BUILT_IN}Chorus")
    part = Text("which plugin, where its file holds several")
    saved = Text("all that the plugin remembers of itself, in base64, as `neuralamp info --json` shows it")
    stereo = Switch(False, "whether mono sound goes into the plugin, and comes out of it, on two channels")
    latency_frames = NumberSetting(64, 8192, "frames", "how late it plays live: twice the device's buffer at least")
    tail = NumberSetting(0.0, 60.0, "s", "how long it may ring on once the sound has ended; 2 where it is not given")

    foreign = True

    state = State(
        goal=(MOST_KNOBS,), channels_in=int, hosted_channels=int, player=int, hosted=int, hosted_state=int, rows=POINTER
    )

    @node(state)
    def play(inputs, outputs, frames, state):
        """Knobs and sound over to the hosted node."""
        box = carray(state, (1,))[0]
        turn_knobs(box.player, box.goal)
        rows = integers_at(box.rows, box.hosted_channels)
        for c in range(box.hosted_channels):
            rows[c] = address_of(inputs[min(c, box.channels_in - 1)])
        call_node(box.hosted, box.rows, address_of(outputs), frames, box.hosted_state)

    def __init__(self, **values):
        super().__init__(**values)
        self._opened(LOOKED_AT_RATE)  # what cannot be played is told where the rig says it

    @property
    def controls(self):
        return self._controls

    @cached_property
    def _controls(self) -> dict[str, Knob]:
        """The plugin's parameters, by names that a rig file can hold."""
        return {
            name: Knob(knob.default, knob.values[0], knob.values[-1], knob.unit, knob.meaning)
            for name, knob in self._named().items()
        }

    def _named(self) -> dict[str, PluginKnob]:
        named: dict[str, PluginKnob] = {}
        for knob in self._opened(LOOKED_AT_RATE).facts.knobs:
            word = re.sub(r"\W+", "_", knob.name.lower()).strip("_") or "knob"
            while word in self.known() or word in RESERVED or word in named:
                word = f"plugin_{word}"
            named[word] = knob
        return named

    def goals(self, values, sample_rate):
        raws = [knob.raw(values.get(name, knob.default)) for name, knob in self._named().items()]
        return np.pad(np.array(raws, np.float64), (0, MOST_KNOBS - len(raws)))

    def files(self):
        """What lies in the plugin's folder, or the plugin itself; of pedalboard's own effects nothing."""
        plugin = self.set["plugin"]
        if isinstance(plugin, str):
            return ()
        return tuple(sorted(file for file in plugin.rglob("*") if file.is_file())) if plugin.is_dir() else (plugin,)

    def _opened(self, sample_rate: float) -> Plugin:
        return open_plugin(self.set["plugin"], self.set["part"], self.set["saved"], sample_rate)

    def prepare(self, sample_rate, channels, max_frames):
        opened, hosted_channels, goal = self._opened(sample_rate), self._channels(channels), self.goals(self.values, sample_rate)
        hosted, link, check = opened.start(hosted_channels, max_frames, goal)
        return self._part(opened, hosted, link, sample_rate, channels, goal, 0, check=check)

    def prepare_live(self, sample_rate, channels, max_frames):
        opened, hosted_channels, goal = self._opened(sample_rate), self._channels(channels), self.goals(self.values, sample_rate)
        late = round(self.set["latency_frames"] or LATENCY_FRAMES)
        hosted, link, trouble = opened.start_live(hosted_channels, max_frames, goal, late)
        return self._part(opened, hosted, link, sample_rate, channels, goal, late, trouble=trouble)

    def _channels(self, channels: int) -> int:
        return CHANNELS if self.set["stereo"] else channels

    def _part(self, opened, hosted, link, sample_rate, channels, goal, late, **says) -> Part:
        facts, hosted_channels = opened.facts, self._channels(channels)
        latency = facts.latency_frames + late
        tail = TAIL_SECONDS if self.set["tail"] is None else self.set["tail"]
        notes = [f"{facts.name} is code of others and plays in a process of its own, {latency} frames late"]
        if facts.more_knobs:
            notes.append(f"{facts.more_knobs} of its parameters stay as they are; {MOST_KNOBS} can be turned")
        values = {
            "goal": goal,
            "channels_in": channels,
            "hosted_channels": hosted_channels,
            "player": link.player,
            "hosted": hosted.kernel.address,
            "hosted_state": hosted.address,
        }
        rows = np.zeros(hosted_channels, np.int64)
        made = Node(self.play, values, scratch={"rows": rows}, inner=[hosted])
        return Part(made, hosted_channels, latency, tail_frames=round(tail * sample_rate), notes=tuple(notes), **says)


BOX = PluginBox
