"""The recorder: what the guitar gave and what the rig made of it, written to two files by a thread that may wait for the disk.

The audio thread puts both on a tape in memory (engine/tape.py); this thread takes them off it. Files are whole after every
WRITE_S: a program that is killed loses no more than that and what the disk had not taken yet.
"""

import glob
import os
import threading
import time
from pathlib import Path

import numpy as np
import soundfile

from neuralamp.engine import Board, Engine
from neuralamp.errors import AudioFileError
from neuralamp.messages import Bypass, Change, Event, Message, Record, Turn, write_events

TAPE_SECONDS = 10.0  # how long a disk may sleep
WRITE_S = 0.25
KINDS = {"wav": ("WAV", "FLOAT"), "flac": ("FLAC", "PCM_24")}
LONGEST_FRAMES = 2**32 // (4 * 2) - 2**16  # of stereo float32 in a WAV file: 3 hours at 48 kHz


class Recorder:
    """Follows the board's Record messages: each time the tape runs, a DI, what became of it, and what was done, in a folder.

    <rig> <date> <time> DI.wav     the rig's input
    <rig> <date> <time> wet.wav    the rig's output, left and right, as a re-amp of the DI gives it
    <rig> <date> <time>.events     what was done meanwhile: `neuralamp reamp ... --events` plays it again

    kind  "wav", 32-bit float, or "flac", 24 bits: written as WAV, which bears being cut off, and turned into FLAC at the end.

    `trouble` is a line about the last recording that could not go on; the sound never stops for it. Raises AudioFileError for a
    folder that cannot be written to.
    """

    def __init__(self, board: Board, folder: Path, kind: str = "wav"):
        if kind not in KINDS:
            raise AudioFileError(f"{kind!r} is no kind of recording; it is one of: {', '.join(KINDS)}")
        there = next(path for path in (folder, *folder.absolute().parents) if path.exists())
        if not there.is_dir() or not os.access(there, os.W_OK):
            raise AudioFileError(f"recordings cannot be written to {folder}; choose another folder for them")
        self.board, self.engine, self.folder, self.kind = board, board.engine, folder, kind
        self._tape = self.engine.open_tape(TAPE_SECONDS)
        self.files: list[Path] = []
        self.trouble = ""
        self._take: _Take | None = None
        self._read = 0  # frames of the tape that have been taken off it
        self._torn = 0
        self._done: dict[tuple[str, str], Message] = {}
        self._next: Engine | None = None
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._run, name="recorder", daemon=True)
        self._thread.start()

    def move_to(self, engine: Engine) -> None:
        """Record what another engine plays from here on; a recording that runs is ended."""
        engine.open_tape(TAPE_SECONDS)
        self._next = engine

    def close(self) -> None:
        """Write what is on the tape and end; a recording that runs is ended."""
        if self.board.recording:
            self.board.act(Record(False))
        self._over.set()
        self._thread.join()

    # -- the thread --------------------------------------------------------------------------------------------------

    def _run(self) -> None:
        while not self._over.wait(WRITE_S):
            self._tick()
            if self._next:
                self._move()
        deadline = time.monotonic() + TAPE_SECONDS
        self._tick()
        while self._take and self.engine.meters().callbacks and time.monotonic() < deadline and self._alive():
            self._tick()  # the last message has not been heard by the audio thread yet
        self._end()

    def _move(self) -> None:
        self._tick()  # what is still on the old tape
        if self._take:
            self.trouble = f"{self._take.stem.name} has ended: the device runs at another rate now"
        self._end()
        self.engine, self._next = self._next or self.engine, None
        self._tape = self.engine.open_tape(TAPE_SECONDS)
        self._read = self._torn = 0

    def _alive(self) -> bool:
        """Whether the audio thread still plays."""
        before = self.engine.meters().frames
        time.sleep(WRITE_S)
        return self.engine.meters().frames > before

    def _tick(self) -> None:
        """Everything that was heard and taped since the last time, in order."""
        for event in self.engine.heard():
            match event.message:
                case Record(True):
                    self._end()
                    self._begin(event.frame)
                case Record(False) if self._take:
                    self._write(self._take.first + event.frame - self._take.frame)
                    self._end()
                case message if not isinstance(message, Record):
                    self._follow(message)
                    if self._take:
                        self._take.events.append(Event(event.frame - self._take.frame, message))
        self._write(self._tape.frames)
        if self._tape.torn > self._torn:
            self._torn = self._tape.torn
            self._fail(f"the disk was {TAPE_SECONDS:g} s behind")

    def _begin(self, frame: int) -> None:
        try:
            self.folder.mkdir(parents=True, exist_ok=True)
            self._take = _Take(self._new_stem(), frame, self._read, self.engine.channels, self.engine.sample_rate)
            self._take.events += [Event(0, message) for message in self._done.values()]
        except (OSError, soundfile.SoundFileError) as reason:
            self._fail(str(reason))

    def _new_stem(self) -> Path:
        """What the files of a recording that begins now are called, without their endings."""
        name = f"{self.board.engine.plan.rig.name} {time.strftime('%Y-%m-%d %H-%M-%S')}".replace("/", "-")
        stem, number = name, 2
        while list(self.folder.glob(f"{glob.escape(stem)}*")):
            stem, number = f"{name}-{number}", number + 1
        return self.folder / stem

    def _follow(self, message: Message) -> None:
        """Remember what would have to be done to a rig fresh from its file to stand as this one does."""
        match message:
            case Change():
                self._done = {("", ""): message}
            case Turn(box, knob, _):
                self._done[box, knob] = message
            case Bypass(box, _):
                self._done[box, "bypass"] = message

    def _write(self, end: int) -> None:
        """Take the tape's frames up to `end` off it, into the files where there are some."""
        rows = self._tape.read(self._read, end)
        self._read = end
        if self._take is None or not rows.size:
            return
        try:
            self._take.write(rows)
        except (OSError, soundfile.SoundFileError, AssertionError) as reason:  # soundfile asserts that all was written
            self._fail(str(reason) or "the disk is full")
            return
        if self._take.frames > LONGEST_FRAMES:
            self._fail("a WAV file ends at 4 GiB")

    def _fail(self, why: str) -> None:
        stem = self._take.stem.name if self._take else "recording"
        self.trouble = f"{stem} has ended ({why}); what was written until then stands in {self.folder}"
        self._end()
        if self.board.recording:
            self.board.act(Record(False))

    def _end(self) -> None:
        """Close the files of a recording."""
        take, self._take = self._take, None
        if take:
            try:
                self.files += take.close(self.kind)
            except (OSError, soundfile.SoundFileError, AssertionError) as reason:
                self.trouble = f"{take.stem.name} could not be closed ({reason}); see to the space in {self.folder}"


class _Take:
    """One recording: its files, where on the tape it begins, and at which frame of the sound."""

    def __init__(self, stem: Path, frame: int, first: int, channels: int, sample_rate: float):
        self.stem, self.frame, self.first, self.channels, self.frames = stem, frame, first, channels, 0
        self.events: list[Event] = []
        self.paths = [stem.with_name(f"{stem.name} {part}.wav") for part in ("DI", "wet")]
        widths = (channels, 2)
        self._files = [
            soundfile.SoundFile(path, "w", round(sample_rate), width, subtype="FLOAT")
            for path, width in zip(self.paths, widths, strict=True)
        ]
        self._written = 0

    def write(self, rows: np.ndarray) -> None:
        """(frames, channels + 2) to both files, which are whole afterwards."""
        for file, part in zip(self._files, (rows[:, : self.channels], rows[:, self.channels :]), strict=True):
            file.write(part)
            file.flush()
        self.frames += len(rows)
        if len(self.events) > self._written:
            self._write_events()

    def _write_events(self) -> None:
        self.stem.with_name(f"{self.stem.name}.events").write_text(write_events(self.events), encoding="utf-8")
        self._written = len(self.events)

    def close(self, kind: str) -> list[Path]:
        for file in self._files:
            file.close()
        self._write_events()
        return [_as_flac(path) if kind == "flac" else path for path in self.paths]


def _as_flac(path: Path) -> Path:
    """The same sound as FLAC, in 24 bits, in the place of a WAV file; minutes at a time, since a gig is long."""
    made = path.with_suffix(".flac")
    with (
        soundfile.SoundFile(path) as wav,
        soundfile.SoundFile(made, "w", wav.samplerate, wav.channels, subtype="PCM_24") as flac,
    ):
        for block in wav.blocks(blocksize=2**20, dtype="float32"):
            flac.write(block)
    path.unlink()
    return made
