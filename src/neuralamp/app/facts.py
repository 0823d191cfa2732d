"""What is known of a file, whatever it is."""

import time
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np
from pydantic import TypeAdapter

from neuralamp.audio import look_at_audio
from neuralamp.capture.capture import Capture
from neuralamp.capture.file import endings, format_of, open_capture
from neuralamp.capture.loudness import loudness_db
from neuralamp.capture.shelf import shelf
from neuralamp.errors import AudioFileError, CaptureError, NeuralAmpError, RigError
from neuralamp.files import read_toml
from neuralamp.guest.guest import is_foreign, open_guest
from neuralamp.guest.plugin import is_plugin, open_plugin
from neuralamp.guest.plugin_facts import BUILT_IN
from neuralamp.learn.recipe import read_recipe, recipes
from neuralamp.messages import write_message
from neuralamp.nets import architecture_of
from neuralamp.nets.slimmable.config import SlimmableConfig
from neuralamp.nets.weights import count, products
from neuralamp.rig import read_rig, rigs
from neuralamp.setlist import read_setlist

ANY_RATE = 48000
BUFFER_FRAMES, BUFFERS, RUNS = 64, 75, 3  # a tenth of a second, three times


def facts_of(file: Path, edit: bool = False) -> dict[str, Any]:
    """The facts of a capture, a rig, a recipe, a plugin or a sound file, told apart by ending and content; or of a shipped name.

    edit  whether a plugin's own window is opened first.

    Raises the error of what the file seems to be.
    """
    if is_plugin(file):
        return _plugin(file, edit)
    if not file.exists():
        shipped = {**rigs(), **shelf(), **recipes()}
        if str(file) not in shipped:
            raise AudioFileError(f"{file} is not there, and no such name is shipped; shipped are: {', '.join(shipped) or 'none'}")
        file = shipped[str(file)]
    if file.name.lower().endswith(tuple(endings())):
        return _guest(file) if is_foreign(file) else _capture(file)
    if file.suffix == ".toml":
        keys = _keys(file)
        return _recipe(file) if "architecture" in keys else _setlist(file) if "songs" in keys else _rig(file)
    return _sound(file)


def _capture(file: Path) -> dict[str, Any]:
    capture = open_capture(file)
    config, warnings = capture.config, list(capture.warnings)
    try:
        loudness = round(loudness_db(capture), 2)
    except CaptureError as reason:
        loudness = None
        warnings.append(str(reason))
    playing = config.parts[-1].net if isinstance(config, SlimmableConfig) else config
    return {
        "kind": "capture",
        "file": file,
        "format": format_of(file).NAME,
        "architecture": architecture_of(config).name,
        "sizes": [part.up_to for part in config.parts] if isinstance(config, SlimmableConfig) else None,
        "knobs": list(capture.knobs),
        "weights": count(config.weights()),
        "multiplications_per_frame": products(playing.weights()),
        "share_of_a_core_percent": round(100.0 * _share_of_a_core(capture), 2),
        "receptive_field_frames": config.receptive_field,
        "receptive_field_ms": round(1e3 * config.receptive_field / capture.card.sample_rate, 3),
        "loudness_db": loudness,
        "card": capture.card.known(),
        "warnings": warnings,
        "config": TypeAdapter(type(config)).dump_python(config, mode="json"),
    }


def _share_of_a_core(capture: Capture) -> float:
    """CPU time that playing takes, as a share of real time, in buffers of 64 frames; the least of a few runs, on this machine."""
    node = capture.start(capture.resting_knobs, BUFFER_FRAMES)
    rows = np.vstack([np.zeros(BUFFER_FRAMES), *(np.full(BUFFER_FRAMES, rest) for rest in capture.resting_knobs)])
    spent = []
    for _ in range(RUNS):
        began = time.thread_time()
        for _ in range(BUFFERS):
            node.play(rows, 1)
        spent.append(time.thread_time() - began)
    return min(spent) * capture.card.sample_rate / (BUFFERS * BUFFER_FRAMES)


def _guest(file: Path) -> dict[str, Any]:
    guest = open_guest(file)
    facts = asdict(guest.facts)
    return {
        "kind": "ONNX graph of others",
        "file": file,
        **{name: facts[name] for name in ("sound", "states", "operators", "weights", "latency_frames")},
        "receptive_field_frames": guest.facts.receptive_field,
        "card": guest.card.known(),
        "warnings": list(guest.warnings),
    }


def _plugin(file: Path, edit: bool) -> dict[str, Any]:
    facts = open_plugin(str(file) if str(file).startswith(BUILT_IN) else file, edit=edit).facts
    return {
        "kind": "plugin of others",
        "file": file,
        "name": facts.name,
        "knobs": {k.name: f"{k.default:g} {k.unit} ({k.values[0]:g} to {k.values[-1]:g})" for k in facts.knobs},
        "parameters_that_stay": facts.more_knobs,
        "latency_frames": facts.latency_frames,
        "saved": facts.state,
    }


def _keys(file: Path) -> set[str]:
    """What a TOML file speaks of, by which it is known: a recipe of an architecture, a set list of songs. What cannot be read is
    taken for a rig, whose reader says why.
    """
    try:
        return set(read_toml(file, RigError, example="")[1])
    except RigError:
        return set()


def _setlist(file: Path) -> dict[str, Any]:
    songs = {song.name: song.rig.name + (f", {song.snapshot}" if song.snapshot else "") for song in read_setlist(file)}
    return {"kind": "set list", "file": file, "songs": songs}


def _recipe(file: Path) -> dict[str, Any]:
    recipe = read_recipe(file)
    return {"kind": "recipe", "file": file, "weights": count(recipe.config.weights()), **asdict(recipe)}


def _rig(file: Path) -> dict[str, Any]:
    from neuralamp.engine.plan import Plan  # its kernels are compiled while it is imported

    rig = read_rig(file)
    rate = rig.plays_at() or ANY_RATE
    boxes = {}
    for label, box in rig.boxes().items():
        stands = box.standing
        knobs = {name: f"{stands[name]:g} {knob.unit} ({knob.low:g} to {knob.high:g})" for name, knob in box.controls.items()}
        boxes[label] = (
            ({"bypass": "on"} if box.bypassed else {})
            | knobs
            | {name: str(value) if isinstance(value := box.set[name], Path) else value for name in box.settings()}
        )
    snapshots = {snapshot.name: "; ".join(map(write_message, snapshot.acts)) or "as it stands" for snapshot in rig.snapshots}
    facts: dict[str, Any] = {"kind": "rig", "file": file, "name": rig.name, "sample_rate": rig.plays_at(), "boxes": boxes}
    facts["snapshots"] = snapshots
    try:
        plan = Plan(rig, rate, 1, 64, stereo=False)
    except NeuralAmpError as reason:
        return facts | {"cannot_play": str(reason)}
    return facts | {
        "notes": plan.notes,
        "latency_frames": plan.latency_frames,
        "latency_ms": round(1e3 * plan.latency_frames / rate, 3),
        "tail_frames": plan.tail_frames,
        "channels_out": plan.channels_out,
    }


def _sound(file: Path) -> dict[str, Any]:
    facts = look_at_audio(file)
    return {"kind": "sound", "file": file, "seconds": facts.frames / facts.sample_rate, **asdict(facts)}
