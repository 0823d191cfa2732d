"""A device that goes while a guitarist plays: told, looked for, and played on; the rig stands as it stood."""

import json
import signal
import subprocess
import sys
import textwrap
import threading
import time

import pytest
import soundfile

from realtime.bench.dummy import RATE, JackServer, wait_for, what_is_missing

pytestmark = pytest.mark.alone

# Plays, and says in a line of JSON what the engine is whenever a line comes: the keys go on through a pipe of their own.
PLAY = """
    import json, sys, threading
    from dataclasses import asdict
    from pathlib import Path
    from neuralamp.live import host, play_live
    from neuralamp.rig import read_rig
    from neuralamp.setlist import one_song
    from rich.console import Console

    class Watched(host.Host):
        def __init__(self, *given, **named):
            super().__init__(*given, **named)
            threading.Thread(target=self.watch, daemon=True).start()

        def watch(self):
            import time
            while True:
                meters = self.engine.meters()
                values = self.engine.stands["level"].values
                print(json.dumps([time.monotonic(), meters.callbacks, self.sample_rate, meters.buffer_frames, values["level"],
                                  self.lost, bool(self.engine._stage["muted"][0])]), flush=True)
                time.sleep(0.02)

    import neuralamp.live.play
    neuralamp.live.play.Host = Watched
    played = play_live(one_song(read_rig(Path(sys.argv[1]))), confirmed=True, console=Console(stderr=True),
                       recordings=Path(sys.argv[2]))
    print(json.dumps(asdict(played) | {"recordings": [str(path) for path in played.recordings]}), flush=True)
"""


class Session:
    """play_live on a server that can be killed; `seen` is the latest of what it says of itself."""

    def __init__(self, rig_file, folder):
        self.server = JackServer()
        self.server.start()
        pipe = subprocess.PIPE
        self.child = subprocess.Popen(
            [sys.executable, "-c", textwrap.dedent(PLAY), str(rig_file), str(folder)],
            env=self.server.environment, stdin=pipe, stdout=pipe, stderr=pipe, text=True,
        )  # fmt: skip
        self.lines: list = []
        self.complaints: list[str] = []
        for target in (self._read, self._complain):
            threading.Thread(target=target, daemon=True).start()
        try:
            wait_for(lambda: self.lines and self.callbacks > 100, "the host does not play", within=150.0)  # it may compile first
        except TimeoutError:
            self.child.kill()
            self.server.stop()
            raise TimeoutError("".join(self.complaints)) from None

    def _read(self) -> None:
        for line in self.child.stdout:
            self.lines.append(json.loads(line))

    def _complain(self) -> None:
        for line in self.child.stderr:
            self.complaints.append(line)

    @property
    def callbacks(self) -> int:
        return self.lines[-1][1]

    @property
    def lost(self) -> str:
        return self.lines[-1][5]

    def press(self, keys: str) -> None:
        self.child.stdin.write(keys)
        self.child.stdin.flush()

    def plays_again(self) -> float:
        """Seconds until buffers come again, counted from now."""
        begin, callbacks = time.monotonic(), self.callbacks
        wait_for(
            lambda: self.callbacks > callbacks or (self.lines[-1][2] != RATE and self.callbacks > 0), "it does not play again"
        )
        return time.monotonic() - begin

    def played(self) -> dict:
        """What play_live answers, once it has ended."""
        assert self.child.wait(30.0) == 0
        found: list[dict] = []
        wait_for(
            lambda: found.extend(line for line in self.lines if isinstance(line, dict)) or found, "it says nothing at the end"
        )
        return found[0]


@pytest.fixture
def session(rig_file, tmp_path):
    if missing := what_is_missing():
        pytest.skip(missing)
    made = Session(rig_file, tmp_path / "takes")
    yield made
    if made.child.poll() is None:
        made.press("q")
        made.child.wait(30.0)
    made.server.stop()


def test_a_server_that_is_killed_and_comes_back_is_played_on_within_two_seconds(session):
    session.press(":turn level.level -7\n")
    wait_for(lambda: session.lines[-1][4] == -7.0, "the knob is not turned")
    for end in (session.server.kill, session.server.stop, session.server.kill):
        end()
        wait_for(lambda: session.lost, "the loss is not told")
        assert session.lost.startswith("system has gone; looking for it. start the server")
        session.server.start()
        assert session.plays_again() < 2.0
        wait_for(lambda: not session.lost, "the return is not told")
        assert session.lines[-1][4] == -7.0 and session.lines[-1][2] == RATE
    session.press("q")
    assert session.played()["losses"] == 3
    assert sum("Back on" in line for line in session.complaints) == 3


def test_keys_work_at_once_while_the_device_is_gone(session):
    session.server.kill()
    wait_for(lambda: session.lost, "the loss is not told")
    session.press(":turn level.level -9\nm")
    wait_for(lambda: session.lines[-1][4] == -9.0 and session.lines[-1][6], "the knob is not turned")
    begin = time.monotonic()
    session.press("q")
    assert session.child.wait(30.0) == 0
    assert time.monotonic() - begin < 3.0


def test_ctrl_c_ends_at_once_while_the_device_is_gone(session):
    session.server.kill()
    wait_for(lambda: session.lost, "the loss is not told")
    begin = time.monotonic()
    session.child.send_signal(signal.SIGINT)
    assert session.child.wait(30.0) == 0
    assert time.monotonic() - begin < 3.0
    assert not any("Traceback" in line for line in session.complaints)


def test_a_device_that_comes_back_at_another_rate_is_played_at_that_with_the_same_knobs(session):
    session.press(":turn level.level -7\n:bypass amp\nmr")
    wait_for(lambda: session.lines[-1][4] == -7.0 and session.lines[-1][6], "the knob is not turned")
    time.sleep(1.0)
    session.server.stop()
    wait_for(lambda: session.lost, "the loss is not told")
    session.server.start(44100, 256)
    session.plays_again()
    wait_for(lambda: session.lines[-1][2:4] == [44100.0, 256], "it does not play at the new rate")
    assert session.lines[-1][4] == -7.0 and session.lines[-1][6]
    session.press("r")
    time.sleep(1.0)
    session.press("r")
    time.sleep(0.5)
    session.press("q")
    assert [soundfile.info(path).samplerate for path in session.played()["recordings"]] == [48000, 48000, 44100, 44100]


def test_a_server_that_hangs_is_a_lost_device_until_it_goes_on(session):
    process = session.server._process
    process.send_signal(signal.SIGSTOP)
    try:
        wait_for(lambda: session.lost, "the loss is not told")
    finally:
        process.send_signal(signal.SIGCONT)
    assert session.plays_again() < 2.0


def test_a_buffer_size_that_changes_while_playing_is_followed(session):
    for frames in (16, 32, 256, 1024, 2048, 64):
        session.server.set_buffer(frames)
        # PortAudio hands a buffer of more than 1024 frames over in parts
        wait_for(lambda frames=frames: session.lines[-1][3] == min(frames, 1024), f"{frames} frames do not come")
        assert not session.lost
