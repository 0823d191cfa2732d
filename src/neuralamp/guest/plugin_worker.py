"""The worker of a plugin of others: the one process that pedalboard is loaded in.

    python -m neuralamp.guest.plugin_worker look SAMPLE_RATE
    python -m neuralamp.guest.plugin_worker edit SAMPLE_RATE
    python -m neuralamp.guest.plugin_worker play SAMPLE_RATE NUMBER NAP_SECONDS LINK...

The first line of its input is JSON: {"plugin": path or "pedalboard:Chorus", "part": name, "state": base64}. `look` says what the
plugin is, `edit` opens its own window and says what it is once that is closed, `play` plays it on shared memory (link.py, whose
words end the line) when it is the turn of its number, until its input is closed. What it has to say is one line of JSON on its
output: {"facts": ...} or {"refused": "..."}.

A plugin is installed by its user and may do what he may: it is held off from the audio thread, not from the machine.
"""

import base64
import json
import sys
from dataclasses import asdict
from typing import Any

import numpy as np
import pedalboard

from neuralamp.errors import NeuralAmpError, PluginError
from neuralamp.guest.facts import one_line, shown
from neuralamp.guest.lifeline import Lifeline
from neuralamp.guest.link import MOST_KNOBS, WorkersLink
from neuralamp.guest.plugin_facts import BUILT_IN, HELD, PluginFacts
from neuralamp.guest.plugin_knobs import Parameter, own_parameters, parameters
from neuralamp.guest.serving import serve

EFFECTS = (
    "Bitcrush", "BrickwallLimiter", "Chorus", "Clipping", "Compressor", "Delay", "Distortion", "Gain", "HighShelfFilter",
    "HighpassFilter", "Invert", "LadderFilter", "Limiter", "LowShelfFilter", "LowpassFilter", "NoiseGate", "PeakFilter", "Phaser",
    "Reverb",
)  # fmt: skip
"""Pedalboard's own that give one frame for each they hear."""
TRIED_FRAMES, TRIED_SECONDS = 256, 1.0  # of silence, from which it is known how late a plugin is


def main(words: list[str]) -> None:
    lifeline = Lifeline()
    asked = json.loads(lifeline.told())
    lifeline.die_with_the_player()
    said: dict[str, Any]
    try:
        match words:
            case ["look" | "edit" as how, sample_rate]:
                said = {"facts": asdict(_look(asked, float(sample_rate), edit=how == "edit"))}
            case ["play", sample_rate, number, nap_seconds, *shape]:
                link = WorkersLink(shape)
                played = Played(asked, float(sample_rate), link.channels)
                serve(link, int(number), float(nap_seconds), played.play, played.rest, played.turn)
            case _:
                sys.exit(__doc__)
    except NeuralAmpError as reason:
        said = {"refused": str(reason)}
    except Exception as reason:  # noqa: BLE001  pedalboard, and the plugin in it, raise whatever they like
        said = {"refused": f"pedalboard cannot play it ({one_line(reason)})"}
    lifeline.say(said)


def _look(asked: dict[str, str], sample_rate: float, edit: bool) -> PluginFacts:
    """In mono, or where it cannot play that, in stereo."""
    try:
        played = Played(asked, sample_rate, 1)
    except ValueError:  # pedalboard's, for a number of channels that a plugin does not have
        played = Played(asked, sample_rate, 2)
    if edit:
        played.edit()
    return played.facts()


class Played:
    """A plugin as a stream: any number of frames in, as many out, late by `latency_frames`."""

    def __init__(self, asked: dict[str, str], sample_rate: float, channels: int):
        self._sample_rate, self._channels = sample_rate, channels
        if asked["plugin"].startswith(BUILT_IN):
            self._plugin, self._parameters = _effect(asked)
        else:
            self._plugin = _external(asked)
            self._parameters = parameters(self._plugin.parameters)
        self._turned = [parameter.knob.raw(parameter.knob.default) for parameter in self._parameters]
        self.latency_frames = self._own_latency() + HELD
        self.rest()

    def _own_latency(self) -> int:
        """Frames that it owes after a while of silence. Raises PluginError where it still gives none."""
        owed, given = 0, 0
        silence = np.zeros((self._channels, TRIED_FRAMES), np.float32)
        for _ in range(round(TRIED_SECONDS * self._sample_rate / TRIED_FRAMES)):
            given = self._process(silence).shape[1]
            owed += TRIED_FRAMES - given
        if given != TRIED_FRAMES:
            raise PluginError(f"it does not give one frame for each that it hears in {TRIED_SECONDS:g} s, and cannot play live")
        return owed

    def facts(self) -> PluginFacts:
        return PluginFacts(
            name=shown(getattr(self._plugin, "name", type(self._plugin).__name__)),
            knobs=tuple(parameter.knob for parameter in self._parameters[:MOST_KNOBS]),
            more_knobs=max(len(self._parameters) - MOST_KNOBS, 0),
            latency_frames=self.latency_frames,
            state=base64.b64encode(getattr(self._plugin, "raw_state", b"")).decode(),
        )

    def edit(self) -> None:
        """Let its user turn it in its own window."""
        if not hasattr(self._plugin, "show_editor"):
            raise PluginError("it has no window of its own; turn its knobs")
        self._plugin.show_editor()
        self._parameters = parameters(self._plugin.parameters)

    def rest(self) -> None:
        """As if it had heard nothing."""
        self._plugin.reset()
        self._waiting = np.zeros((self._channels, 0), np.float32)
        self._answers = np.zeros((self._channels, self.latency_frames), np.float32)

    def turn(self, knobs: np.ndarray) -> None:
        """Set what has been turned; the rest stays as the state has it."""
        for k, (parameter, raw) in enumerate(zip(self._parameters, knobs.tolist(), strict=False)):
            if raw != self._turned[k]:
                parameter.set(raw)
                self._turned[k] = raw

    def play(self, x: np.ndarray) -> np.ndarray:
        """(channels, frames) float32 -> the same."""
        self._waiting = np.concatenate([self._waiting, x], axis=1)
        if self._waiting.shape[1] > HELD:
            y = self._process(self._waiting)
            self._waiting = self._waiting[:, :0]
            self._answers = np.concatenate([self._answers, y], axis=1)
        y, self._answers = self._answers[:, : x.shape[1]], self._answers[:, x.shape[1] :]
        if y.shape[1] < x.shape[1]:
            raise PluginError("it gives fewer frames than it hears")
        return y

    def _process(self, x: np.ndarray) -> np.ndarray:
        y = self._plugin.process(x, self._sample_rate, buffer_size=x.shape[1], reset=False)
        if y.shape[0] != self._channels:
            raise PluginError(f"it gives {y.shape[0]} channels for {self._channels}; stereo = true may help")
        return y


def _effect(asked: dict[str, str]) -> tuple[Any, list[Parameter]]:
    """One of pedalboard's own."""
    word = asked["plugin"].removeprefix(BUILT_IN)
    if word not in EFFECTS:
        raise PluginError(f"pedalboard has no effect {shown(word)}; it has: {', '.join(EFFECTS)}")
    if asked["part"] or asked["state"]:
        raise PluginError("pedalboard's own effects have neither part nor state; turn their knobs")
    effect = getattr(pedalboard, word)()
    return effect, own_parameters(effect)


def _external(asked: dict[str, str]) -> Any:
    """A VST3, or an Audio Unit on macOS."""
    plugin: Any = pedalboard.load_plugin(asked["plugin"], plugin_name=asked["part"] or None)
    if not plugin.is_effect:
        raise PluginError("it is an instrument; give an effect, which hears what comes in")
    if asked["state"]:
        try:
            plugin.raw_state = base64.b64decode(asked["state"], validate=True)
        except ValueError:
            raise PluginError("its state is no base64; copy all of it") from None
    return plugin


if __name__ == "__main__":
    main(sys.argv[1:])
