"""The chain as data: a TOML file, checked against the knobs of the boxes that it names.

name = "crunch through a cab"

[[chain]]
box = "amp"
capture = "crunch"        # a name on the shelf, or a file beside this one

[[chain]]                 # lanes play side by side on the same sound, and are summed
[[chain.lanes]]
level = -3.0              # each ends in a mixer of its own: level, and pan where it is given
pan = -60.0
[[chain.lanes.chain]]
box = "cab"
ir = "left.wav"
bypass = true             # its foot switch is off

[[snapshots]]             # the rig with other knobs, a foot away
name = "lead"
amp = { input = 6.0 }
cab = { bypass = false }
"""

import difflib
import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from neuralamp.block import Block
from neuralamp.blocks import boxes
from neuralamp.errors import CaptureError, KnobError, PluginError, RigError
from neuralamp.files import read_toml
from neuralamp.messages import Bypass, Turn
from neuralamp.resources import shipped

MIXER = "mixer"  # the box at the end of each lane
WAYS_ON = ("next", "previous")  # words of a message, so no names of snapshots
MOST_BOXES = 64  # each may be a net that takes a second to make ready; a large pedal board has twenty


@dataclass(frozen=True)
class Lanes:
    """Chains side by side: each hears the same sound, their outputs are summed, the shorter ones wait for the latest."""

    lanes: tuple["Chain", ...]

    def __post_init__(self):
        if not all(self.lanes):
            raise RigError("a lane without a box cannot be switched; put a level into it")


Chain = tuple[Block | Lanes, ...]


@dataclass(frozen=True)
class Snapshot:
    """The rig as its file has it, but for these turns and bypasses."""

    name: str
    acts: tuple[Turn | Bypass, ...]


@dataclass(frozen=True)
class Rig:
    """A name, and the boxes in the order in which the sound passes them."""

    name: str
    chain: Chain
    snapshots: tuple[Snapshot, ...] = ()

    def boxes(self) -> dict[str, Block]:
        """Every box by its label: its word, numbered from the second of a kind on ("eq", "eq-2"), lanes in order."""
        labelled: dict[str, Block] = {}
        for box in _walk(self.chain):
            word = box.name()
            number = sum(other.name() == word for other in labelled.values()) + 1
            labelled[word if number == 1 else f"{word}-{number}"] = box
        return labelled

    def plays_at(self) -> int | None:
        """The one sample rate at which all its boxes play as they are, in hertz; None where there is none, or any will do."""
        rates = {rate for box in self.boxes().values() if (rate := box.plays_at()) is not None}
        return rates.pop() if len(rates) == 1 else None

    def suggest(self, **settings: float | None) -> None:
        """Give settings to every box that knows them and has not been given any by the rig itself. Raises KnobError."""
        _suggest(self.chain, {name: value for name, value in settings.items() if value is not None})


def _walk(chain: Chain) -> Iterator[Block]:
    for link in chain:
        if isinstance(link, Lanes):
            for lane in link.lanes:
                yield from _walk(lane)
        else:
            yield link


def _suggest(chain: Chain, settings: dict[str, float]) -> dict[str, float]:
    """Settings along a chain, as each box leaves them to those behind it; behind lanes those that all of them leave alike."""
    for link in chain:
        if isinstance(link, Lanes):
            settings = dict(set.intersection(*(set(_suggest(lane, settings).items()) for lane in link.lanes)))
            continue
        for name in link.settings().keys() & settings.keys():
            if link.set[name] is None:
                link.set[name] = link.check(name, settings[name])
        settings = settings | link.settings_behind()
    return settings


def capture_rig(capture: Path | str) -> Rig:
    """The rig of a capture alone."""
    return Rig(Path(capture).stem, (boxes()["amp"](capture=capture),))


def rigs() -> dict[str, Path]:
    """Every shipped rig: its name and its file."""
    return {file.stem: file for file in sorted(shipped("amp_models").glob("rigs/*.toml"))}


def find_rig(name: str | Path) -> Path:
    """A rig's file by its path, or by its name among the shipped ones. Raises RigError where there is neither."""
    if Path(name).exists():
        return Path(name)
    if str(name) in rigs():
        return rigs()[str(name)]
    raise RigError(f"{name} is neither a file nor a shipped rig; shipped are: {', '.join(rigs()) or 'none'}")


def read_rig(path: Path | str) -> Rig:
    """A rig file. Raises RigError, in one line, with the file, the line, the knob, its value and its bounds."""
    path = Path(path)
    text, table = read_toml(path, RigError, example='[[chain]] box = "amp"')
    reader = _Reader(path, _places(text))
    reader.only(table, ("name", "chain", "snapshots"), ())
    name = table.get("name", path.stem)
    if not isinstance(name, str):
        reader.fail(f"name = {name!r} should be a text", ("name",))
    rig = Rig(name, reader.chain(table, ()))
    if (count := len(list(_walk(rig.chain)))) > MOST_BOXES:
        raise RigError(f"{path} has {count} boxes; {MOST_BOXES} is the most that is possible")
    return replace(rig, snapshots=reader.snapshots(table, rig.boxes()))


Place = tuple[str | int, ...]


def _places(text: str) -> dict[Place, int]:
    """The line of every table and key, by its path: ("chain", 2, "gain") -> 17. Only good enough to point a finger."""
    places: dict[Place, int] = {}
    counts: dict[Place, int] = {}
    table: Place = ()
    for number, line in enumerate(text.splitlines(), start=1):
        if header := re.match(r"\s*\[\[([\w.\s-]+)\]\]", line):
            *outer, last = (step.strip() for step in header[1].split("."))
            parent: Place = ()
            for step in outer:
                parent = (*parent, step, max(counts.get((*parent, step), 1) - 1, 0))
            counts[(*parent, last)] = counts.get((*parent, last), 0) + 1
            table = (*parent, last, counts[(*parent, last)] - 1)
            places[table] = number
        elif key := re.match(r"\s*[\"']?([\w-]+)[\"']?\s*=", line):
            places.setdefault((*table, key[1]), number)
    return places


class _Reader:
    """Tables to boxes; knows where it is, so that an error can say so."""

    def __init__(self, path: Path, places: dict[Place, int]):
        self.path, self.places = path, places

    def fail(self, what: str, place: Place) -> None:
        while place and place not in self.places:
            place = place[:-1]
        line = f", line {self.places[place]}" if place else ""
        raise RigError(f"{self.path}{line}: {what}")

    def only(self, table: dict, known: tuple[str, ...], place: Place) -> None:
        for key in table:
            if key not in known:
                self.fail(f"{key} is unknown here; known are: {', '.join(known)}", (*place, key))

    def chain(self, table: dict, place: Place) -> Chain:
        """The boxes under the key "chain" of a table."""
        links = table.get("chain", [])
        if not isinstance(links, list) or not links or not all(isinstance(link, dict) for link in links):
            self.fail("there is no chain; begin each box with a line [[chain]]", place)
        return tuple(self.link(link, (*place, "chain", i)) for i, link in enumerate(links))

    def link(self, table: dict, place: Place) -> Block | Lanes:
        if "lanes" not in table:
            return self.box(table, place)
        self.only(table, ("lanes",), place)
        lanes = table["lanes"]
        if not isinstance(lanes, list) or not lanes or not all(isinstance(lane, dict) for lane in lanes):
            self.fail("lanes are given as [[chain.lanes]], each with a [[chain.lanes.chain]] of its own", place)
        stereo = any("pan" in lane for lane in lanes)  # a mixer that stands in the middle leaves mono what is mono
        return Lanes(tuple(self.lane(lane, (*place, "lanes", i), stereo) for i, lane in enumerate(lanes)))

    def lane(self, table: dict, place: Place, stereo: bool) -> Chain:
        """A lane's boxes, and the mixer behind them; one without a chain is the sound itself."""
        knobs = boxes()[MIXER].knobs()
        self.only(table, ("chain", "bypass", *knobs), place)
        mixer = {name: value for name, value in table.items() if name != "chain"}
        chain = self.chain(table, place) if "chain" in table else ()
        return (*chain, self.box({"box": MIXER, "stereo": stereo, **mixer}, place))

    def snapshots(self, table: dict, labelled: dict[str, Block]) -> tuple[Snapshot, ...]:
        """The snapshots of a rig, whose boxes bear these labels."""
        entries = table.get("snapshots", [])
        if not isinstance(entries, list) or not all(isinstance(entry, dict) for entry in entries):
            self.fail("snapshots are given as [[snapshots]], each with a name", ("snapshots",))
        found: list[Snapshot] = []
        for i, entry in enumerate(entries):
            place: Place = ("snapshots", i)
            name = entry.get("name")
            if not isinstance(name, str) or not name or name in WAYS_ON or name in [other.name for other in found]:
                self.fail(f"name = {name!r} is not possible; give each snapshot a name of its own", (*place, "name"))
            acts: list[Turn | Bypass] = []
            for label, knobs in entry.items():
                if label != "name":
                    acts += self.acts(label, knobs, labelled, (*place, label))
            found.append(Snapshot(str(name), tuple(acts)))
        return tuple(found)

    def acts(self, label: str, knobs: Any, labelled: dict[str, Block], place: Place) -> list[Turn | Bypass]:
        """What a snapshot says of one box."""
        if label not in labelled:
            self.fail(f"there is no box {label}; there are: {', '.join(labelled)}", place)
        if not isinstance(knobs, dict):
            self.fail(f"{label} = {knobs!r} should be knobs: {label} = {{ level = 3.0 }}", place)
        acts: list[Turn | Bypass] = []
        for name, value in knobs.items():
            if name == "bypass":
                acts.append(Bypass(label, self.bypass(value, place)))
                continue
            controls = labelled[label].controls
            if name not in controls:
                self.fail(f"{label} has no knob {name}; it has: {', '.join(controls) or 'none'}, bypass", place)
            with self.pointing(f"{label}: ", place):
                acts.append(Turn(label, name, controls[name].check(name, value)))
        return acts

    def bypass(self, value: Any, place: Place) -> bool:
        if not isinstance(value, bool):
            self.fail(f"bypass = {value!r} is not possible; give true or false", place)
        return bool(value)

    def box(self, table: dict[str, Any], place: Place) -> Block:
        word = str(table.get("box"))
        if word not in boxes():
            near = difflib.get_close_matches(word, boxes(), 1)
            hint = f"did you mean {near[0]}?" if near else "give one of them"
            self.fail(f"box = {table.get('box')!r} is no box; there are: {', '.join(boxes())}; {hint}", (*place, "box"))
        kind = boxes()[word]
        values = {name: value for name, value in table.items() if name not in ("box", "bypass")}
        own = {name: value for name, value in values.items() if name in kind.known()}
        for name in own:  # one at a time, so that the error can point at the line
            with self.pointing(f"{word}: ", (*place, name)):
                own[name] = kind.check(name, own[name])
            if isinstance(own[name], Path) and (beside := self.path.parent / own[name]).exists():
                own[name] = beside
        with self.pointing("", place):
            box = kind(**own)
        for name in values.keys() - own.keys():
            with self.pointing(f"{word}: ", (*place, name)):
                box.put(name, values[name])
        box.bypassed = self.bypass(table.get("bypass", False), (*place, "bypass"))
        return box

    @contextmanager
    def pointing(self, whose: str, place: Place) -> Iterator[None]:
        """What is wrong with a box is told with the line that says so."""
        try:
            yield
        except (KnobError, CaptureError, PluginError) as reason:
            self.fail(f"{whose}{reason}", place)
