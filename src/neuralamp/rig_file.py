"""A rig back to its file: what was turned while playing, or made by a program, as TOML that `read_rig` reads."""

import copy
import json
from collections.abc import Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from neuralamp.audio import atomic_path
from neuralamp.block import Block
from neuralamp.errors import RigError
from neuralamp.messages import Turn
from neuralamp.rig import MIXER, Chain, Lanes, Rig, Snapshot


def as_it_stands(rig: Rig, values: Mapping[str, Mapping[str, float]], bypassed: Mapping[str, bool]) -> Rig:
    """The same rig with its knobs and foot switches where they stand now, by the labels of its boxes; its snapshots are kept."""
    labels = iter(rig.boxes())

    def stand(chain: Chain) -> Chain:
        links: list[Block | Lanes] = []
        for link in chain:
            if isinstance(link, Lanes):
                links.append(Lanes(tuple(stand(lane) for lane in link.lanes)))
                continue
            label, box = next(labels), copy.copy(link)
            box.values, box.bypassed = dict(values.get(label, link.values)), bypassed.get(label, link.bypassed)
            links.append(box)
        return tuple(links)

    return replace(rig, chain=stand(rig.chain))


def write_rig(rig: Rig, path: Path) -> None:
    """Write a rig's file, whole or not at all. Raises RigError where one is there, AudioFileError where none can be written."""
    if path.exists():
        raise RigError(f"{path} is there already; choose another name")
    with atomic_path(path) as partial:
        partial.write_text(rig_text(rig, path.parent), encoding="utf-8")


def rig_text(rig: Rig, folder: Path) -> str:
    """The text of a rig's file that is to lie in a folder: files below it are named from there, defaults are not said."""
    lines = [f"name = {json.dumps(rig.name, ensure_ascii=False)}"]
    lines += _chain(rig.chain, "chain", folder.resolve())
    for snapshot in rig.snapshots:
        lines += _snapshot(snapshot)
    return "\n".join(lines) + "\n"


def _chain(chain: Chain, table: str, folder: Path) -> Iterator[str]:
    for link in chain:
        yield from ("", f"[[{table}]]")
        if isinstance(link, Lanes):
            for lane in link.lanes:
                yield f"[[{table}.lanes]]"
                *boxes, last = lane
                if isinstance(last, Block) and last.name() == MIXER:
                    yield from _mixer(last)
                else:
                    boxes.append(last)
                yield from _chain(tuple(boxes), f"{table}.lanes.chain", folder)
        else:
            yield f'box = "{link.name()}"'
            yield from _box(link, folder)


def _box(box: Block, folder: Path) -> Iterator[str]:
    knobs, settings = box.knobs(), box.settings()
    for name, value in box.set.items():
        default = getattr(settings[name], "default", None)
        if value != default:
            yield f"{name} = {_value(_place(value, folder) if isinstance(value, Path) else value)}"
    for name, value in box.values.items():
        if name not in knobs or value != knobs[name].default:
            yield f"{name} = {_value(value)}"
    if box.bypassed:
        yield "bypass = true"


def _mixer(mixer: Block) -> Iterator[str]:
    """The mixer at the end of a lane, as the lane's own knobs; its pan makes it stereo."""
    yield f"level = {_value(mixer.values['level'])}"
    if mixer.set["stereo"]:
        yield f"pan = {_value(mixer.values['pan'])}"
    if mixer.bypassed:
        yield "bypass = true"


def _snapshot(snapshot: Snapshot) -> Iterator[str]:
    yield from ("", "[[snapshots]]", f"name = {json.dumps(snapshot.name, ensure_ascii=False)}")
    said: dict[str, list[str]] = {}
    for act in snapshot.acts:
        words = f"{act.knob} = {_value(act.value)}" if isinstance(act, Turn) else f"bypass = {_value(act.bypassed)}"
        said.setdefault(act.box, []).append(words)
    for label, knobs in said.items():
        yield f"{label} = {{ {', '.join(knobs)} }}"


def _place(path: Path, folder: Path) -> str:
    """A file from the folder where it lies below it, else from the root; a name on the shelf as it is."""
    if not path.exists():
        return str(path)
    whole = path.resolve()
    return str(whole.relative_to(folder)) if whole.is_relative_to(folder) else str(whole)


def _value(value: Any) -> str:
    """A text, a truth or a number, as TOML has it."""
    return json.dumps(value, ensure_ascii=False)
