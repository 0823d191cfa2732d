"""Parameters of plugins as knobs: what they show, from where to where, and the number that sets them."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np

from neuralamp.guest.facts import LONGEST_TEXT, shown
from neuralamp.guest.plugin_facts import PluginKnob

MOST_POINTS = 33  # of a parameter's course: between them it is a straight line
OWN_RANGES = {  # parameter of pedalboard's own effects, which do not say how far they go -> low, high, unit
    "attack_ms": (0.1, 1000.0, "ms"),
    "bit_depth": (1.0, 32.0, "bits"),
    "ceiling_db": (-24.0, 0.0, "dB"),
    "centre_delay_ms": (1.0, 100.0, "ms"),
    "centre_frequency_hz": (20.0, 20000.0, "Hz"),
    "cutoff_frequency_hz": (20.0, 20000.0, "Hz"),
    "cutoff_hz": (20.0, 20000.0, "Hz"),
    "damping": (0.0, 1.0, ""),
    "delay_seconds": (0.0, 5.0, "s"),
    "depth": (0.0, 1.0, ""),
    "drive": (1.0, 20.0, ""),
    "drive_db": (0.0, 60.0, "dB"),
    "dry_level": (0.0, 1.0, ""),
    "feedback": (0.0, 0.95, ""),
    "gain_db": (-60.0, 24.0, "dB"),
    "mix": (0.0, 1.0, ""),
    "q": (0.1, 10.0, ""),
    "rate_hz": (0.01, 20.0, "Hz"),
    "ratio": (1.0, 20.0, ""),
    "release_ms": (1.0, 2000.0, "ms"),
    "resonance": (0.0, 1.0, ""),
    "room_size": (0.0, 1.0, ""),
    "threshold_db": (-100.0, 0.0, "dB"),
    "wet_level": (0.0, 1.0, ""),
    "width": (0.0, 1.0, ""),
}


@dataclass(frozen=True)
class Parameter:
    """A knob, and what sets it by its raw number."""

    knob: PluginKnob
    set: Callable[[float], None]


def own_parameters(effect: Any) -> list[Parameter]:
    """Those of one of pedalboard's own effects: the raw number is what it shows."""
    found = []
    for name in sorted(OWN_RANGES.keys() & set(dir(effect))):
        low, high, unit = OWN_RANGES[name]
        default = min(max(float(getattr(effect, name)), low), high)
        knob = PluginKnob(name, default, unit, f"the effect's own: {name}", (low, high), (low, high))
        found.append(Parameter(knob, partial(setattr, effect, name)))
    return found


def parameters(given: Mapping[str, Any]) -> list[Parameter]:
    """Those of a plugin, as pedalboard has named and tried them."""
    return [
        Parameter(plugin_knob(name, parameter), partial(setattr, parameter, "raw_value")) for name, parameter in given.items()
    ]


def plugin_knob(name: str, parameter: Any) -> PluginKnob:
    """One parameter: in its own unit where it shows numbers that rise or fall all the way, by number where it shows words, else
    from 0 to 1.
    """
    ranges = sorted(parameter.ranges.items())
    raws = [low + (high - low) / 2 for (low, high), _ in ranges]
    raws[0], raws[-1] = 0.0, 1.0
    meaning = f"the plugin's own: {shown(parameter.name)}"
    if parameter.type is float:
        values, unit = [float(value) for _, value in ranges], shown(parameter.label or "")
    else:
        values, unit = [float(k) for k in range(len(ranges))], ""
        words = ", ".join(f"{k} {shown(str(value))}" for k, (_, value) in enumerate(ranges))
        meaning = shown(f"{meaning} ({words})", LONGEST_TEXT)
    if len(values) > 1 and np.all(np.diff(values) < 0):
        values, raws = values[::-1], raws[::-1]
    if len(values) < 2 or not np.all(np.diff(values) > 0):
        values, raws, unit = [0.0, 1.0], [0.0, 1.0], ""
    chosen = np.unique(np.linspace(0, len(values) - 1, min(len(values), MOST_POINTS)).round().astype(int))
    course = [values[k] for k in chosen], [raws[k] for k in chosen]
    raw = float(parameter.raw_value)
    rising = np.argsort(course[1])
    default = float(np.interp(raw, np.array(course[1])[rising], np.array(course[0])[rising]))
    return PluginKnob(shown(name), default, unit, meaning, tuple(course[0]), tuple(course[1]))
