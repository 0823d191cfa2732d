"""What stands in an output folder and from what it was made, one line of JSON for each thing that happened.

A line is written before an output is begun and another once it stands. Lines are only ever added, by one process: whoever is
killed while adding one leaves half a line, which the next reader passes over.
"""

import hashlib
import json
import os
from pathlib import Path

from neuralamp import __version__
from neuralamp.errors import ReampError
from neuralamp.reamp.take import Job, Settings, file_digest
from neuralamp.rig import Chain, Lanes, Rig

NAME = "neuralamp-reamp.jsonl"


def rig_digest(rig: Rig) -> str:
    """sha256 of every box, knob, switch and setting of a rig, in order, what its files hold, and its snapshots; its name does
    not sound.
    """
    snapshots = [(snapshot.name, repr(snapshot.acts)) for snapshot in rig.snapshots]
    return hashlib.sha256(json.dumps([_facts(rig.chain), snapshots]).encode()).hexdigest()


def _facts(chain: Chain) -> list:
    facts: list = []
    for link in chain:
        if isinstance(link, Lanes):
            facts.append([_facts(lane) for lane in link.lanes])
        else:
            kinds = {name: value for name, value in link.set.items() if not isinstance(value, Path)}
            files = [file_digest(path) for path in link.files()]
            facts.append([link.name(), link.values, kinds, files, link.bypassed])
    return facts


def made_from(input_digest: str, rig: str, settings: Settings) -> str:
    """One word for everything that an output depends on; another word, another sound."""
    events = file_digest(settings.events) if settings.events else ""
    songs = [(song.name, rig_digest(song.rig), song.snapshot) for song in settings.songs]
    facts = (__version__, input_digest, rig, settings.tail_seconds, settings.clip, events, songs)
    return hashlib.sha256(json.dumps(facts).encode()).hexdigest()


class Manifest:
    """The record of one output folder."""

    def __init__(self, folder: Path):
        self.folder, self.path = folder, folder / NAME
        self._known: dict[str, dict] = {}
        if self.path.is_file():
            for line in self.path.read_bytes().splitlines():
                self._remember(line)

    def _remember(self, line: bytes) -> None:
        try:
            fact = json.loads(line)
            self._known[fact["output"]] = fact
        except (ValueError, KeyError, TypeError):
            return  # half a line

    def owns(self, output: Path) -> bool:
        """Whether an output is, or may be, of our making."""
        return self._key(output) in self._known

    def is_done(self, output: Path, made_from: str) -> bool:
        """Whether an output stands whole, made from exactly this."""
        fact = self._known.get(self._key(output), {})
        return fact.get("made_from") == made_from and output.is_file() and output.stat().st_size == fact.get("bytes")

    def begin(self, job: Job) -> None:
        """Say, before anything is written there, that an output will be ours. Makes its folder."""
        try:
            job.output.parent.mkdir(parents=True, exist_ok=True)
            self._add({"output": self._key(job.output), "input": str(job.input)})
        except OSError as reason:
            raise ReampError(f"{job.output} cannot be written ({reason.strerror}); choose another folder with -o") from None

    def done(self, job: Job, made_from: str) -> None:
        """Say that an output stands."""
        size = job.output.stat().st_size
        self._add({"output": self._key(job.output), "input": str(job.input), "made_from": made_from, "bytes": size})

    def _key(self, output: Path) -> str:
        return output.relative_to(self.folder).as_posix()

    def _add(self, fact: dict) -> None:
        line = json.dumps(fact, ensure_ascii=False).encode(errors="surrogateescape") + b"\n"
        with self.path.open("ab+") as file:
            if file.tell() and (file.seek(-1, os.SEEK_END), file.read(1))[1] != b"\n":
                line = b"\n" + line
            file.write(line)
            file.flush()
            os.fsync(file.fileno())
        self._remember(line)
