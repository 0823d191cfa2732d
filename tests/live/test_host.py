"""The host on the dummy device, in a process of its own, as a player would meet it."""

import json
import subprocess
import sys
import textwrap
import time

import numpy as np
import pytest
import soundfile

from neuralamp.capture.capture import Capture
from neuralamp.capture.card import Card
from neuralamp.capture.file import save_capture
from neuralamp.engine import Engine, render
from neuralamp.messages import read_events
from neuralamp.nets.in_the_wild import IN_THE_WILD
from neuralamp.nets.lstm.config import LstmConfig
from neuralamp.setlist import read_setlist
from realtime.bench.dummy import RATE, Guitarist, what_is_missing
from realtime.bench.gil import ENOUGH, entered
from realtime.bench.live_equals_offline import compare, guitar
from realtime.bench.rigs import random_capture

pytestmark = pytest.mark.alone


def python(environment: dict[str, str], program: str, *arguments: str, timeout: float = 120.0) -> str:
    """What a program of a few lines says on a machine with this environment."""
    command = [sys.executable, "-c", textwrap.dedent(program), *arguments]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=timeout, stdin=subprocess.DEVNULL)
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_live_is_what_offline_is_to_the_last_bit(recordings, rig_file):
    if missing := what_is_missing():
        pytest.skip(missing)
    found = compare(guitar(recordings / "di" / "john.flac", seconds=3.0), rig_file)
    assert found.peak > 0.1  # or silence was compared with silence
    assert (found.lost, found.differing) == (0, 0)


def test_captures_of_three_formats_play_live_what_they_play_offline(recordings, tmp_path):
    if missing := what_is_missing():
        pytest.skip(missing)
    files = {"nam": IN_THE_WILD["A1 nano"], "aidax": LstmConfig(8), "onnx": IN_THE_WILD["A2 lite"]}
    for seed, (ending, config) in enumerate(files.items()):
        random_capture(tmp_path / f"amp.{ending}", config, seed)
    chain = "".join(f'[[chain]]\nbox = "amp"\ncapture = "amp.{ending}"\n' for ending in files)
    (tmp_path / "three.toml").write_text(f'{chain}[[chain]]\nbox = "level"\nlevel = -12.0\n')
    found = compare(guitar(recordings / "di" / "john.flac", seconds=2.0), tmp_path / "three.toml")
    assert found.peak > 0.01
    assert (found.lost, found.differing) == (0, 0)


def test_the_compiled_callback_plays_on_while_another_python_thread_computes():
    if missing := what_is_missing():
        pytest.skip(missing)
    # A machine that others use may hold up even the server: the best of three seconds is what the callback can do.
    shares = []
    while len(shares) < 3 and max(shares, default=0.0) <= ENOUGH:
        shares.append(entered(python=False, busy=True, seconds=1.0))
    assert max(shares) > ENOUGH
    assert entered(python=True, busy=True, seconds=1.0) < 0.9  # what all this is for: 20 to 40 % were seen


PLAY = """
    import json, sys
    from dataclasses import asdict
    from pathlib import Path
    from neuralamp.live import play_live
    from neuralamp.rig import read_rig
    from neuralamp.setlist import one_song
    from rich.console import Console
    played = play_live(one_song(read_rig(Path(sys.argv[1]))), console=Console(stderr=True), **json.loads(sys.argv[2]))
    print(json.dumps(asdict(played)))
"""


def test_a_session_says_what_it_was(jack, rig_file):
    played = json.loads(python(jack, PLAY, str(rig_file), json.dumps({"confirmed": True, "seconds": 1.0})))
    assert played["sample_rate"] == RATE and played["buffer_frames"] == 64.0
    assert "system" in played["input"] and "JACK" in played["input"]
    assert played["callbacks"] > 300  # a second has 750; fewer than half are not to be blamed on a busy machine
    assert played["clipped_frames"] == 0 and played["poisoned_buffers"] == 0


class Session:
    """play_live with its keys at hand, and a guitarist who plays a steady tone into it."""

    def __init__(self, environment, rig_file):
        command = [sys.executable, "-c", textwrap.dedent(PLAY), str(rig_file), "{}"]
        pipe = subprocess.PIPE
        self.child = subprocess.Popen(command, env=environment, stdin=pipe, stdout=pipe, stderr=pipe, text=True)
        for line in self.child.stderr:
            if "quits" in line:
                break
        tone = 0.5 * np.sin(2.0 * np.pi * 220.0 / RATE * np.arange(60 * RATE)).astype(np.float32)
        self.guitarist = Guitarist(environment, tone)
        self.guitarist.plug_in("PortAudio")
        self.guitarist.begin(freewheel=False)

    def press(self, key: str) -> None:
        self.child.stdin.write(key)
        self.child.stdin.flush()

    def heard(self, seconds: float = 0.4) -> np.ndarray:
        """What the next moment sounds like, once the key pressed before has been seen and its ramp is over."""
        time.sleep(0.4)
        begin = self.guitarist.frames_heard
        time.sleep(seconds)
        return np.nan_to_num(self.guitarist.heard[:, begin : self.guitarist.frames_heard])


@pytest.fixture
def session(jack, rig_file):
    made = Session(jack, rig_file)
    yield made
    if made.child.poll() is None:  # asked, not killed: a synchronous server waits long for a client that was killed
        made.press("q")
        made.child.communicate(timeout=30.0)
    made.guitarist.close()


def test_nothing_is_heard_until_enter_and_nothing_after_m(session):
    silent = session.heard()
    assert silent.shape[1] > 0 and not silent.any()
    session.press("\n")
    assert np.abs(session.heard()).max() > 0.05
    session.press("m")
    assert not session.heard().any()
    session.press("m")
    assert np.abs(session.heard()).max() > 0.05


def test_quitting_ramps_into_silence(session):
    session.press("\n")
    loud = session.heard()
    step = np.abs(np.diff(loud, axis=1)).max()
    session.press("q")
    assert session.child.wait(30.0) == 0
    end = session.guitarist.frames_heard
    last = np.nan_to_num(session.guitarist.heard[:, :end])
    audible = np.flatnonzero(np.abs(last[0]) > 0.0)[-1]
    assert np.abs(last[:, audible]).max() < 0.01  # it died away; cut off, it would end anywhere up to the peak
    assert np.abs(np.diff(last[:, audible - RATE // 10 :], axis=1)).max() < 1.5 * step


def test_ctrl_c_is_a_clean_end(jack, rig_file, session):
    import signal

    session.press("\n")
    session.heard()
    session.child.send_signal(signal.SIGINT)
    out, complaints = session.child.communicate(timeout=30.0)
    assert session.child.returncode == 0
    assert json.loads(out)["callbacks"] > 0 and "Traceback" not in complaints


ASK = """
    import json, sys
    from pathlib import Path
    from neuralamp.errors import DeviceError
    from neuralamp.live import Host
    from neuralamp.rig import read_rig
    rig = read_rig(Path(sys.argv[1]))
    for wrong in json.loads(sys.argv[2]):
        try:
            Host(rig, **wrong).stop()
            print("opened")
        except DeviceError as reason:
            print(reason)
"""

WRONG = [
    (
        {"device": "sistem"},
        "there is no input device 'sistem'; the nearest are: 0 system (JACK Audio Connection Kit, 2 in, 2 out)",
    ),
    ({"device": 7}, "there is no input device 7; the nearest are: 0 system"),
    ({"device": "SYS"}, "opened"),
    ({"device": [0, "system"]}, "opened"),
    ({"input_channel": 3}, "system has no input channel 3; it has 2, counted from 1"),
    ({"input_channel": 0}, "system has no input channel 0; it has 2, counted from 1"),
    ({"output_channels": [2, 3]}, "system has no output channel 3; it has 2, counted from 1"),
    ({"output_channels": [1, 1]}, "output channels [1, 1] are not possible; give one, or two different ones: 1,2"),
    ({"output_channels": []}, "output channels [] are not possible"),
]


def test_what_a_device_cannot_do_is_told_in_one_line(jack, rig_file):
    answers = python(jack, ASK, str(rig_file), json.dumps([wrong for wrong, _ in WRONG])).splitlines()
    assert len(answers) == len(WRONG)
    for answer, (_, begin) in zip(answers, WRONG, strict=True):
        assert answer.startswith(begin)


def test_a_rate_that_the_device_refuses_is_told_with_its_own(jack, tmp_path):
    (tmp_path / "rig.toml").write_text('[[chain]]\nbox = "level"\n', encoding="utf-8")
    answer = python(jack, ASK, str(tmp_path / "rig.toml"), json.dumps([{"sample_rate": 44100}]))
    assert answer.startswith("system cannot run at 44100 Hz (it says 48000 Hz); set it to 44100 Hz")


def test_a_capture_of_another_rate_plays_at_the_device_s_own(jack, tmp_path):
    config = LstmConfig(2)
    weights = {name: np.zeros(shape, np.float32) for name, shape in config.weights().items()}
    save_capture(tmp_path / "amp.onnx", Capture(config, weights, Card(sample_rate=44100)))
    (tmp_path / "rig.toml").write_text('[[chain]]\nbox = "amp"\ncapture = "amp.onnx"\n')
    played = json.loads(python(jack, PLAY, str(tmp_path / "rig.toml"), json.dumps({"confirmed": True, "seconds": 0.5})))
    assert (played["sample_rate"], played["rig_latency_frames"]) == (RATE, 44)


def test_without_a_device_the_error_says_what_to_do(jack):
    program = """
        from neuralamp.errors import DeviceError
        from neuralamp.live.devices import find_device
        try:
            print(find_device(None, "input"))
        except DeviceError as reason:
            print(reason)
    """
    answer = python(jack | {"JACK_DEFAULT_SERVER": "nobody"}, program)
    assert (
        answer.startswith("there is no input device; plug the interface in or start JACK") or " in, " in answer
    )  # or it has one


def test_the_rig_is_heard_on_the_channels_asked_for(jack, rig_file):
    program = """
        import sys, time
        from pathlib import Path
        from neuralamp.live import Host
        from neuralamp.rig import read_rig
        with Host(read_rig(Path(sys.argv[1])), input_channel=2, output_channels=(2,)) as host:
            time.sleep(0.3)
            print(host.running, host.engine.device_inputs, host.engine.device_outputs, host.meters().callbacks > 0)
        print(host.running)
    """
    assert python(jack, program, str(rig_file)).split() == ["True", "2", "2", "True", "False"]


PLAY_SONGS = """
    import sys
    from pathlib import Path
    from neuralamp.live import play_live
    from neuralamp.messages import Record
    from neuralamp.setlist import read_setlist
    from rich.console import Console
    played = play_live(read_setlist(Path(sys.argv[1])), confirmed=True, recordings=Path(sys.argv[2]), first=[Record(True)],
                       console=Console(stderr=True))
    print(*played.recordings, sep="\\n")
"""


def recorded(environment, songs, folder, keys) -> tuple[np.ndarray, np.ndarray]:
    """The DI and the wet of a set list played live from the first moment on, while keys are pressed twice a second."""
    command = [sys.executable, "-c", textwrap.dedent(PLAY_SONGS), str(songs), str(folder)]
    pipe = subprocess.PIPE
    child = subprocess.Popen(command, env=environment, stdin=pipe, stdout=pipe, stderr=pipe, text=True)
    for line in child.stderr:
        if "quits" in line:
            break
    guitarist = Guitarist(environment, (0.1 * np.random.default_rng(1).standard_normal(60 * RATE)).astype(np.float32))
    guitarist.plug_in("PortAudio")
    guitarist.begin(freewheel=False)
    try:
        for pressed in (*keys, "q"):
            time.sleep(0.5)
            child.stdin.write(pressed)
            child.stdin.flush()
        out, complaints = child.communicate(timeout=120.0)  # a rig may still be compiled
    finally:
        guitarist.close()
    assert child.returncode == 0, complaints
    di, wet = (soundfile.read(path, dtype="float32", always_2d=True)[0].T for path in out.split("\n")[:2])
    return di, wet


def assert_the_wet_is_the_di_re_amped(songs, folder, di, wet):
    found = read_setlist(songs)
    (events,) = folder.glob("*.events")
    again = render(found[0].rig, di, RATE, read_events(events, RATE), songs=found)
    played = wet[:, Engine(found[0].rig, RATE).latency_frames :]
    assert np.abs(di).max() > 0.05 and np.abs(wet).max() > 0.01
    assert np.array_equal(np.broadcast_to(again[:, : played.shape[1]], played.shape), played)


def test_a_session_with_every_foot_switch_is_recorded_as_its_re_amp(jack, rig_file, tmp_path):
    """Knobs, switches, snapshots and songs from the first moment on: the DI through the set list and the events is the wet."""
    (rig_file.parent / "quiet.toml").write_text(
        '[[chain]]\nbox = "level"\nlevel = -9.0\n[[chain]]\nbox = "eq"\nbass = 6.0\n'
        '[[snapshots]]\nname = "louder"\nlevel = { level = 0.0 }\n'
    )
    songs = rig_file.parent / "songs.toml"
    songs.write_text(f'[[songs]]\nname = "first"\nrig = "{rig_file.name}"\n[[songs]]\nname = "second"\nrig = "quiet.toml"\n')
    keys = (":turn level.level -3\n", "n", "1", ":bypass eq\n", "u", "p")
    takes = tmp_path / "takes"
    assert_the_wet_is_the_di_re_amped(songs, takes, *recorded(jack, songs, takes, keys))


def test_twelve_boxes_in_two_lanes_sound_live_as_they_do_re_amped(jack, tmp_path):
    """The shipped board: gate, compressor, overdrive, amp and cab beside tone stack and chorus, then five more; its snapshots."""
    songs, takes = tmp_path / "songs.toml", tmp_path / "takes"
    songs.write_text('[[songs]]\nrig = "stage"\n')
    assert len(read_setlist(songs)[0].rig.boxes()) == 12 + 2  # and the mixers of the lanes
    assert_the_wet_is_the_di_re_amped(songs, takes, *recorded(jack, songs, takes, ("1", "3", "t", "t", "4", "2", "u")))
