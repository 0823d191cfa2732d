"""Recording while playing: DI and wet side by side, and nothing that can go wrong with a disk is ever heard."""

import resource
import signal
import subprocess
import sys
import textwrap
import time
from pathlib import Path

import numpy as np
import pytest
import soundfile

from neuralamp.blocks import boxes
from neuralamp.engine import Board, Engine, render
from neuralamp.errors import AudioFileError, EngineError
from neuralamp.live.recorder import Recorder
from neuralamp.messages import Bypass, Recall, Record, Turn, read_events
from neuralamp.rig import Rig, Snapshot
from neuralamp.setlist import one_song
from tests.sound import noise

RATE = 48000


def song() -> Rig:
    lead = Snapshot("lead", (Turn("level", "level", 6.0),))
    return Rig("my rig", (boxes()["gate"](), boxes()["level"](level=-3.0), boxes()["eq"](bass=3.0)), (lead,))


class Gig:
    """A board that is played in buffers of 64 frames, a few times faster than time."""

    def __init__(self, folder: Path, kind: str = "wav"):
        self.board = Board(Engine(song(), RATE, live=True), one_song(song()))
        self.recorder = Recorder(self.board, folder, kind)
        self.x = noise(1, 40 * RATE, seed=1, peak=0.3)
        self.at = 0

    def play(self, frames: int) -> np.ndarray:
        heard = []
        for _ in range(frames // 64):
            heard.append(self.board.engine.play(self.x[:, self.at : self.at + 64]))
            self.at += 64
            if self.at % 4800 == 0:
                time.sleep(0.01)
        return np.concatenate(heard, axis=1)


def read(path: Path) -> np.ndarray:
    return soundfile.read(path, dtype="float32", always_2d=True)[0].T


def recorded(folder: Path, ending: str = "wav") -> tuple[list[np.ndarray], list[np.ndarray], list[Path]]:
    di, wet = sorted(folder.glob(f"* DI.{ending}")), sorted(folder.glob(f"* wet.{ending}"))
    return list(map(read, di)), list(map(read, wet)), sorted(folder.glob("*.events"))


def test_what_was_recorded_as_di_re_amped_with_the_same_messages_is_what_was_recorded_as_wet(tmp_path):
    gig = Gig(tmp_path)
    gig.board.act(Record(True))
    gig.play(20_032)
    for message in (Turn("eq", "bass", -9.0), Bypass("gate", True), Recall("lead")):
        gig.board.act(message)
        gig.play(9_984)
    gig.recorder.close()
    (di,), (wet,), (events,) = recorded(tmp_path)
    assert np.array_equal(di, gig.x[:, : gig.at])
    again = render(song(), di, RATE, read_events(events, RATE))
    assert np.array_equal(np.repeat(again, 2, axis=0), wet)
    assert np.abs(wet).max() > 0.1


def test_each_recording_is_a_set_of_files_as_long_as_the_tape_ran(tmp_path):
    gig = Gig(tmp_path)
    gig.play(6400)
    for frames in (12_800, 640):
        gig.board.act(Record())
        gig.play(frames)
        gig.board.act(Record())
        gig.play(3200)
    gig.recorder.close()
    di, wet, events = recorded(tmp_path)
    assert [take.shape for take in di] == [(1, 12_800), (1, 640)]
    assert [take.shape for take in wet] == [(2, 12_800), (2, 640)]
    assert np.array_equal(di[0], gig.x[:, 6400 : 6400 + 12_800])
    assert len(events) == 2 and len(gig.recorder.files) == 4 and not gig.recorder.trouble


def test_what_stood_otherwise_than_in_the_file_is_written_at_the_head_of_the_events(tmp_path):
    gig = Gig(tmp_path)
    gig.board.act(Turn("eq", "bass", -9.0))
    gig.board.act(Bypass("gate", True))
    gig.play(640)
    gig.board.act(Record(True))
    gig.play(6400)
    gig.recorder.close()
    (events,) = recorded(tmp_path)[2]
    assert [(event.frame, event.message) for event in read_events(events, RATE)] == [
        (0, Turn("eq", "bass", -9.0)),
        (0, Bypass("gate", True)),
    ]


def test_flac_is_the_same_in_24_bits(tmp_path):
    gig = Gig(tmp_path, "flac")
    gig.board.act(Record(True))
    gig.play(12_800)
    gig.recorder.close()
    (di,), (wet,), _ = recorded(tmp_path, "flac")
    assert np.abs(di - gig.x[:, :12_800]).max() <= 2.0**-23
    assert wet.shape == (2, 12_800)
    assert not list(tmp_path.glob("*.wav"))


def test_the_output_stage_is_not_in_the_recording(tmp_path):
    """Muted, ramped or cut by the ceiling for the ears: the recording is what a re-amp gives."""
    gig = Gig(tmp_path)
    gig.board.act(Turn("level", "level", 24.0))
    gig.board.engine.mute()
    gig.board.act(Record(True))
    heard = gig.play(12_800)
    gig.recorder.close()
    _, (wet,), _ = recorded(tmp_path)
    assert not heard.any() and np.abs(wet).max() > 1.0


def test_a_tape_that_nobody_reads_ends_the_recording_and_not_the_sound():
    engine = Engine(song(), RATE, live=True)
    tape = engine.open_tape(0.1)
    engine.record(True)
    x = noise(1, RATE, seed=2, peak=0.3)
    heard = np.concatenate([engine.play(x[:, at : at + 64]) for at in range(0, RATE, 64)], axis=1)
    unrecorded = Engine(song(), RATE, live=True)
    assert np.array_equal(heard, np.concatenate([unrecorded.play(x[:, at : at + 64]) for at in range(0, RATE, 64)], axis=1))
    assert tape.torn == 1
    assert tape.frames == 4800
    assert np.array_equal(tape.read(0, 4800)[:, 0], x[0, :4800])


def test_without_a_tape_a_recording_is_refused():
    with pytest.raises(EngineError, match="there is no tape to record on"):
        Engine(song(), RATE, live=True).record(True)


def test_a_folder_that_cannot_be_written_is_told(tmp_path):
    (tmp_path / "file").write_text("")
    board = Board(Engine(song(), RATE, live=True), one_song(song()))
    with pytest.raises(AudioFileError, match="recordings cannot be written to"):
        Recorder(board, tmp_path / "file" / "takes")
    with pytest.raises(AudioFileError, match="'mp3' is no kind of recording; it is one of: wav, flac"):
        Recorder(board, tmp_path, "mp3")


PLAY = """
    import sys, time
    from pathlib import Path
    from tests.live.test_recorder import Gig
    from neuralamp.messages import Record
    gig = Gig(Path(sys.argv[1]))
    gig.play(6400)
    begin = time.monotonic()
    first = gig.at
    gig.board.act(Record(True))
    while True:
        gig.play(640)
        time.sleep(max(0.0, begin + (gig.at - first) / 48000 - time.monotonic()))  # in the time that it lasts
        print(gig.at - first, gig.recorder.trouble, flush=True)
"""


def playing(folder: Path, **more) -> subprocess.Popen:
    command = [sys.executable, "-c", textwrap.dedent(PLAY), str(folder)]
    return subprocess.Popen(command, stdout=subprocess.PIPE, text=True, **more)


def test_a_program_that_is_killed_loses_at_most_a_second(tmp_path):
    child = playing(tmp_path)
    for line in child.stdout:
        played = int(line.split()[0])
        if played > 3.3 * RATE:
            break
    child.send_signal(signal.SIGKILL)
    child.wait()
    (di,), (wet,), _ = recorded(tmp_path)
    assert played - di.shape[1] < RATE
    assert np.array_equal(di, noise(1, 40 * RATE, seed=1, peak=0.3)[:, 6400 : 6400 + di.shape[1]])
    assert 0 <= di.shape[1] - wet.shape[1] < RATE


def test_a_full_disk_ends_the_recording_is_told_and_not_heard(tmp_path):
    def little_room():
        resource.setrlimit(resource.RLIMIT_FSIZE, (400_000, 400_000))  # what a file system with no more room answers to a write

    child = playing(tmp_path, preexec_fn=little_room)
    last = ""
    for line in child.stdout:
        played, _, trouble = line.strip().partition(" ")
        last = trouble or last
        if int(played) > 4 * RATE:
            break
    child.kill()
    assert "my rig" in last and "has ended" in last and "what was written until then stands in" in last
    assert int(played) > 4 * RATE  # it plays on
    _, (wet,), _ = recorded(tmp_path)
    assert 0.5 * 50_000 < wet.shape[1] <= 50_000  # 400 kB of stereo float32
