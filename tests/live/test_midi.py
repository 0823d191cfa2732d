"""MIDI through a real cable: JACK's, on the dummy driver, each end in a process of its own."""

import json
import subprocess
import sys
import textwrap
import time
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from neuralamp.live.midi import Row, read_map
from neuralamp.messages import Turn, read_events

pytestmark = pytest.mark.alone

FOOT = """
import json, os, sys, time
from collections import deque
import jack

client = jack.Client("foot", no_start_server=True, servername=os.environ["JACK_DEFAULT_SERVER"])
cable = client.midi_outports.register("out")
waiting, sent = deque(), []

@client.set_process_callback
def play(frames):
    cable.clear_buffer()
    if waiting:
        cable.write_midi_event(0, waiting.popleft())
        sent.append(time.monotonic())

client.activate()
print("ready", flush=True)
for line in sys.stdin:
    waiting.extend(json.loads(line))
    while waiting:
        time.sleep(0.001)
    print(json.dumps(sent), flush=True)
    sent.clear()
client.deactivate()
client.close()
"""
"""A foot on a pedal: messages by the line, sent one in each of JACK's buffers; when each was is told."""

WAIT_S = 60.0  # for anything to happen on a loaded machine


@pytest.fixture
def foot(jack) -> Iterator[subprocess.Popen]:
    with talking(jack, FOOT) as process:
        yield process


@contextmanager
def talking(environment: dict[str, str], text: str, *arguments: str) -> Iterator[subprocess.Popen]:
    """A program that says "ready", and then answers line by line."""
    command = [sys.executable, "-c", textwrap.dedent(text), *arguments]
    process = subprocess.Popen(command, env=environment, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    try:
        assert process.stdout.readline() == "ready\n"
        yield process
        process.stdin.close()
        assert process.wait(WAIT_S) == 0
    finally:
        process.kill()
        process.wait()


def ask(process: subprocess.Popen, what: object) -> list:
    """What a program answers to one line."""
    process.stdin.write(json.dumps(what) + "\n")
    process.stdin.flush()
    return json.loads(process.stdout.readline())


LISTENER = """
import json, sys, threading, time
from neuralamp.blocks import boxes
from neuralamp.engine import Board, Engine
from neuralamp.live.midi import MidiInput, Row, ports
from neuralamp.rig import Rig, Snapshot
from neuralamp.setlist import one_song

rig = Rig("r", (boxes()["volume"](), boxes()["looper"](seconds=1.0)), (Snapshot("clean", ()), Snapshot("lead", ())))
board, told, heard = Board(Engine(rig, 48000), one_song(rig)), [], []
act = board.act
board.act = lambda message, frame=0: (heard.append((time.monotonic(), message)), act(message, frame))
rows = [Row("cc 11", "turn volume.position"), Row("cc 11", "turn wah.position"), Row("program", "recall", 2)]
rows.append(Row("note 60", "loop record", 1))
with MidiInput(board, rows, "FOOT", told.append) as pedals:
    print("ready", flush=True)
    for line in sys.stdin:
        wanted, end = json.loads(line), time.monotonic() + 20.0
        while len(heard) < wanted and time.monotonic() < end:
            time.sleep(0.002)
        stands = board.engine.stands
        print(json.dumps([
            [at for at, _ in heard], [getattr(message, "value", None) for _, message in heard], told,
            [board.snapshot, stands["looper"].presses, stands["volume"].values["position"], str(pedals.port)],
        ]), flush=True)
assert "midi" not in [thread.name for thread in threading.enumerate()]
"""


def test_a_pedal_on_a_cable_plays_the_board(jack, foot):
    """An expression pedal moved from toe to heel, a program, a switch; a row for a box that is not there is told, once."""
    with talking(jack, LISTENER) as listener:
        sent = ask(foot, [[0xB0, 11, value] for value in range(127, -1, -1)])
        at, turned, told, _ = ask(listener, 128)
        ask(foot, [[0xC0, 0], [0xC1, 1], [0x90, 60, 1], [0x80, 60, 0], [0xF8]])
        *_, stands = ask(listener, 130)
    assert turned == pytest.approx([100.0 * value / 127 for value in range(127, -1, -1)])
    assert told == ["cc 11: the rig r has no wah; it has: volume, looper"]
    assert stands == ["lead", 1, 100.0, "foot:out (Jack)"]  # a snapshot is the rig as its file has it
    delays_ms = sorted(1e3 * (there - here) for here, there in zip(sent, at, strict=True))
    assert delays_ms[64] < 10.0  # a buffer of 1.3 ms and a look each 2 ms; a busy machine adds its own


def test_a_pedal_that_is_plugged_in_again_is_heard_again(jack):
    with talking(jack, FOOT) as foot:
        listener = subprocess.Popen(
            [sys.executable, "-c", textwrap.dedent(LISTENER)], env=jack, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )
        assert listener.stdout.readline() == "ready\n"
        ask(foot, [[0xB0, 11, 0]])
        assert ask(listener, 1)[1] == [0.0]
    time.sleep(2.5)  # it is gone for longer than until the next look
    with talking(jack, FOOT) as foot:
        give_up = time.monotonic() + WAIT_S
        while "foot:out (Jack) is back" not in (told := ask(listener, 1)[2]) and time.monotonic() < give_up:
            time.sleep(0.1)
        ask(foot, [[0xB0, 11, 127]])
        assert ask(listener, 2)[1] == [0.0, 100.0]
    assert told[-2:] == ["foot:out (Jack) has gone; plug it in again", "foot:out (Jack) is back"]
    listener.communicate(timeout=WAIT_S)
    assert listener.returncode == 0


def test_a_port_that_is_not_there_is_told_with_those_that_are(jack, foot):
    said = typed(jack, "monitor", "--port", "hand")
    assert said.returncode == 1
    assert said.stderr == "error: there is no MIDI port 'hand'; there are: foot:out (Jack)\n"
    assert json.loads(typed(jack, "list", "--json").stdout)["ports"] == [{"name": "foot:out", "api": "Jack"}]


def test_what_is_pressed_is_learned_and_then_shown(jack, foot, tmp_path):
    """The release of a switch that was down already is not a press."""
    path = tmp_path / "my.toml"
    release, press = [0xB2, 80, 0], [0xB2, 80, 127]
    learn = ("learn", "bypass delay", "--map", str(path), "--when", "hold")
    assert f"{path}: cc 80 on channel 3: bypass delay\n" in typed(jack, *learn, foot=foot, sends=[release, press]).stdout
    assert read_map(path) == (Row("cc 80", "bypass delay", 3, "hold"),)
    assert "(it said so already)" in typed(jack, *learn, foot=foot, sends=[press]).stdout
    assert read_map(path) == (Row("cc 80", "bypass delay", 3, "hold"),)
    shown = typed(jack, "monitor", "--map", str(path), "--seconds", "2", foot=foot, sends=[press, [0xE0, 0, 64]])
    assert shown.stdout == "channel 3  cc 80  value 127  ->  bypass delay\nchannel 1  bend  value 8192\n"


def test_a_foot_that_does_nothing_teaches_nothing(jack, foot, tmp_path):
    said = typed(jack, "learn", "tap", "--map", str(tmp_path / "my.toml"), "--seconds", "0.2")
    assert said.returncode == 1
    assert said.stderr.endswith("error: nothing was pressed within 0.2 s; see what comes in with: neuralamp midi monitor\n")
    assert not list(tmp_path.iterdir())


def typed(environment, *words: str, foot: subprocess.Popen | None = None, sends: list | None = None):
    """A command, and what a foot sends once it listens."""
    command = [sys.executable, "-u", "-m", "neuralamp", "midi", *words]
    process = subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    told = ""
    if foot is not None:
        told = process.stderr.readline()
        assert told.startswith("listening to foot:out (Jack)"), told
        ask(foot, sends)
    out, err = process.communicate(timeout=WAIT_S)
    return subprocess.CompletedProcess(command, process.returncode, out, told + err)


PLAYER = """
import sys
from pathlib import Path
from neuralamp.blocks import boxes
from neuralamp.live import play_live
from neuralamp.live.midi import Row
from neuralamp.messages import Record
from neuralamp.rig import Rig, Snapshot
from neuralamp.setlist import one_song
from rich.console import Console

rig = Rig("r", (boxes()["volume"](),), (Snapshot("clean", ()), Snapshot("lead", ())))
rows = [Row("cc 11", "turn volume.position"), Row("program", "recall"), Row("note 60", "bypass wah")]
play_live(one_song(rig), confirmed=True, recordings=Path(sys.argv[1]), first=[Record(True)], midi=rows, midi_port="foot",
          console=Console(stderr=True, width=200))
"""


def test_a_pedal_is_heard_while_a_rig_plays_live(jack, foot, tmp_path):
    command = [sys.executable, "-c", PLAYER, str(tmp_path)]
    player = subprocess.Popen(command, env=jack, stdin=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    told = []
    for line in player.stderr:
        told.append(line)
        if "quits" in line:
            break
    ask(foot, [[0xB0, 11, 0], [0xC0, 1], [0x90, 60, 100], [0xB0, 11, 127]])
    time.sleep(1.0)
    _, rest = player.communicate("q", timeout=WAIT_S)
    assert player.returncode == 0, rest
    assert any(line.startswith("Midi     ") and "foot" in line for line in told)
    assert "Traceback" not in rest
    (events,) = tmp_path.glob("*.events")
    messages = [event.message for event in read_events(events, 48000.0)]
    # the pedal's heel; the snapshot, which has the pedal where the file has it; the pedal's toe
    assert messages == [Turn("volume", "position", position) for position in (0.0, 100.0, 100.0)]
