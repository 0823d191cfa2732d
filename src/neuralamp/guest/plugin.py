"""The public face: a plugin of others, VST3 or Audio Unit, opened and played by a worker that pedalboard is loaded in."""

import importlib.util
import json
import subprocess
from collections.abc import Callable
from functools import lru_cache
from pathlib import Path

import numpy as np
from pydantic import TypeAdapter, ValidationError

from neuralamp.dsp.node import Node
from neuralamp.errors import PluginError
from neuralamp.guest.hosting import Hosted
from neuralamp.guest.keeper import OPENING_SECONDS, look, start_worker
from neuralamp.guest.link import Link
from neuralamp.guest.plugin_facts import BUILT_IN, PluginFacts
from neuralamp.guest.serving import nap_seconds
from neuralamp.settings import first_fault

WORKER = "neuralamp.guest.plugin_worker"
CRASHED = "the plugin crashed"
LONGEST_EDIT_SECONDS = 24 * 3600.0


class Plugin:
    """A plugin at one sample rate.

    called       as the rig calls it: a path, or one of pedalboard's own effects.
    asked        what its workers are told first.
    """

    def __init__(self, called: str, asked: str, sample_rate: float, facts: PluginFacts):
        self.called, self.facts = called, facts
        self._asked, self._sample_rate = asked, sample_rate

    def start(self, channels: int, max_frames: int, goal: np.ndarray) -> tuple[Node, Link, Callable[[], None]]:
        """A node at rest that waits for its worker, its link, and what raises PluginError once the worker has stopped."""
        hosted = self._hosted(Link(channels, max_frames), goal)
        node, keeper = hosted.for_files()

        def check() -> None:
            if keeper.reason and not keeper.ended:
                keeper.ended = True
                raise PluginError(f"{self.called} stopped playing: {keeper.reason}")

        self._refuse(keeper.reason)
        return node, hosted.link, check

    def start_live(
        self, channels: int, max_frames: int, goal: np.ndarray, latency_frames: int
    ) -> tuple[Node, Link, Callable[[], str]]:
        """A node at rest that waits for nobody, its link, and what tells of a worker that has fallen."""
        hosted = self._hosted(Link(channels, max_frames, latency_frames, self.facts.latency_frames), goal)
        node, keeper, reason = hosted.for_live_sound(self._sample_rate)
        self._refuse(reason)
        return node, hosted.link, lambda: keeper.trouble

    def _refuse(self, reason: str) -> None:
        if reason:
            raise PluginError(f"{self.called} cannot be played: {reason}")

    def _hosted(self, link: Link, goal: np.ndarray) -> Hosted:
        link.put_knobs(goal)
        nap = nap_seconds(link.latency_frames, self._sample_rate) if link.latency_frames else 0.0

        def start(number: int) -> subprocess.Popen:
            words = ("play", self._sample_rate, number, nap, *link.words)
            return start_worker(*map(str, words), module=WORKER, told=self._asked, clean=False, passed=link.passed)

        return Hosted(link, start, CRASHED)


def open_plugin(plugin: Path | str, part: str = "", state: str = "", sample_rate: float = 48000.0, edit: bool = False) -> Plugin:
    """Let a worker look at a plugin. Raises PluginError, in one line, for what cannot be played.

    part   which one, where a file holds several.
    state  as `PluginFacts.state` has it; empty for how the plugin is by itself.
    edit   whether its own window is opened first, and what it is like is what it is left like.
    """
    called, modified = str(plugin), 0
    if not called.startswith(BUILT_IN):
        path = Path(plugin).absolute()
        called = str(path)
        try:
            modified = path.stat().st_mtime_ns
        except (OSError, ValueError):
            raise PluginError(f"{plugin} is not there; give the path of a .vst3 (on macOS also .component)") from None
    if importlib.util.find_spec("pedalboard") is None:
        raise PluginError("plugins are played by pedalboard, which is not installed; pip install 'neuralamp[plugins]'")
    if edit:
        return _look("edit", called, part, state, float(sample_rate), LONGEST_EDIT_SECONDS)
    return _open(called, modified, part, state, float(sample_rate))


@lru_cache(maxsize=64)
def _open(called: str, modified_ns: int, part: str, state: str, sample_rate: float) -> Plugin:
    """The plugin in a file as it was last written: a rig's knobs and takes share one look."""
    return _look("look", called, part, state, sample_rate, OPENING_SECONDS)


def _look(how: str, called: str, part: str, state: str, sample_rate: float, seconds: float) -> Plugin:
    asked = json.dumps({"plugin": called, "part": part, "state": state})
    found = look(start_worker(how, str(sample_rate), module=WORKER, told=asked, clean=False), CRASHED, seconds)
    if "facts" not in found:
        raise PluginError(f"{called} cannot be played: {found['refused']}")
    try:
        facts = TypeAdapter(PluginFacts).validate_python(found["facts"])
    except ValidationError as reason:
        raise PluginError(f"{called} cannot be played: its worker speaks wrongly of {first_fault(reason, 'it')}") from None
    return Plugin(called, asked, sample_rate, facts)


def is_plugin(file: Path) -> bool:
    """Whether a path, by its ending, or a name is a plugin's."""
    return str(file).startswith(BUILT_IN) or file.suffix.lower() in (".vst3", ".component")
