"""Every command, typed as a guitarist types it: what comes out for people, what for machines, what lies in the folder."""

import json
import os
import re
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest
import soundfile

from neuralamp import __version__
from neuralamp.blocks import boxes
from neuralamp.capture.capture import Capture
from neuralamp.capture.card import Card
from neuralamp.capture.convert import MOST_DIFFERENCE_AT_REST, largest_difference
from neuralamp.capture.file import open_capture, save_capture
from neuralamp.learn.signals.guitar import riff
from neuralamp.nets.linear.config import LinearConfig
from neuralamp.rig import read_rig
from tests.app.desk import neuralamp
from tests.reamp.studio import RATE, level_rig, take, wire

TRAINED = {"esr", "esr_preemphasis", "cpu_seconds", "wall_seconds", "steps", "latency_frames", "polarity", "file"}


@pytest.fixture(scope="module")
def takes(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A pair, the amped one 137 frames late, and a tiny recipe."""
    folder = tmp_path_factory.mktemp("takes")
    x = riff(8.0, RATE, 0)
    soundfile.write(folder / "di.wav", x, RATE, subtype="PCM_24")
    soundfile.write(folder / "amped.wav", np.pad(0.5 * np.tanh(4.0 * x), (137, 0)), RATE, subtype="PCM_24")
    (folder / "tiny.toml").write_text(
        'architecture = "lstm"\nhidden = 4\nsteps = 30\nbatch = 2\nsegment_frames = 1024\nlearning_rate = 0.03\n'
        "listen_every = 10\ncheckpoint_every = 1\n"
    )
    return folder


def test_training_evaluating_and_re_amping_from_two_files_to_the_sound(takes: Path, tmp_path: Path):
    capture = tmp_path / "crunch.onnx"
    answer = neuralamp(
        "train", takes / "di.wav", takes / "amped.wav", "-o", capture, "--recipe", takes / "tiny.toml", "--nam", "--json"
    )
    assert answer.code == 0, answer.err
    facts = answer.facts
    assert facts["nam"] == str(tmp_path / "crunch.nam")
    # A .nam file says where cells begin, ours where they come to rest.
    assert largest_difference(open_capture(capture), open_capture(facts["nam"])) <= MOST_DIFFERENCE_AT_REST
    assert facts.keys() >= TRAINED
    assert (facts["latency_frames"], facts["polarity"], facts["steps"]) == (137, 1, 30)
    assert facts["file"] == str(capture)
    assert 0.0 < facts["esr"] < 1.0

    picture = tmp_path / "crunch.png"
    answer = neuralamp("evaluate", capture, takes / "di.wav", takes / "amped.wav", "--plot", picture, "--json")
    assert answer.code == 0, answer.err
    assert answer.facts.keys() >= TRAINED
    assert picture.read_bytes()[:4] == b"\x89PNG"

    answer = neuralamp("reamp", takes / "di.wav", "--capture", capture, "-o", tmp_path / "out", "--json")
    assert answer.code == 0, answer.err
    (file,) = answer.facts["files"]
    assert file.keys() >= {"input", "output", "status", "seconds", "rtf"}
    assert (file["status"], file["seconds"]) == ("done", 8.0)
    assert Path(file["output"]).is_file()

    answer = neuralamp("info", capture)
    for said in ("lstm", "receptive field", "crunch", "tiny", "latency frames   137"):
        assert said in answer.out


def test_a_training_goes_on_or_begins_again_as_asked(takes: Path, tmp_path: Path):
    capture = tmp_path / "amp.onnx"
    words = ["train", takes / "di.wav", takes / "amped.wav", "-o", capture, "--recipe", takes / "tiny.toml", "--budget", "100000"]
    child = subprocess.Popen(
        [sys.executable, "-m", "neuralamp", *map(str, words)], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )
    until = time.monotonic() + 120.0
    while not (tmp_path / "amp.checkpoint").exists() and child.poll() is None and time.monotonic() < until:
        time.sleep(0.05)
    child.send_signal(signal.SIGINT)
    _, errors = child.communicate(timeout=120)
    assert child.returncode == 130, errors
    assert "Traceback" not in errors
    step = int(re.search(r"stopped at step (\d+); the same command goes on", errors)[1])
    assert 1 <= step < 100000
    assert capture.is_file()  # what it had learned
    assert (tmp_path / "amp.checkpoint").is_file()
    refused = neuralamp(*words[:-1], "200000")
    assert refused.code == 1
    assert refused.err.count("\n") == 1
    anew = neuralamp(*words[:-1], "20", "--anew", "--json")
    assert anew.code == 0, anew.err
    assert anew.facts["steps"] == 20


def test_the_summary_names_every_file_and_the_bad_ones_once(tmp_path: Path):
    take(tmp_path / "in" / "a.wav")
    take(tmp_path / "in" / "b.flac", peak=0.9)
    (tmp_path / "in" / "c.wav").write_text("no sound")
    rigs = [level_rig(tmp_path / "loud.toml", 12.0), level_rig(tmp_path / "soft.toml", -12.0)]
    answer = neuralamp("reamp", tmp_path / "in", "--rig", *rigs, "-o", tmp_path / "out")
    assert answer.code == 1
    assert "4 done, 2 failed" in answer.out
    assert "dB quieter, else it would clip in 24 bits" in answer.out
    assert answer.err.count("error: ") == 1  # once, not for each rig
    assert "c.wav cannot be read as sound" in answer.err
    again = neuralamp("reamp", tmp_path / "in", "--rig", *rigs, "-o", tmp_path / "out", "--resume", "--json")
    assert [file["status"] for file in again.facts["files"]] == ["skipped"] * 4 + ["failed"] * 2
    assert "c.wav" in again.facts["error"]


@pytest.mark.parametrize("jobs", ["1", "2"])
def test_ctrl_c_while_re_amping_ends_with_130_and_says_what_is_left(tmp_path: Path, jobs: str):
    for i in range(8):
        take(tmp_path / "in" / f"{i}.wav", frames=480000, seed=i)
    amp = wire(tmp_path / "amp.onnx", gain=0.1, hidden=64)
    words = ["reamp", tmp_path / "in", "--capture", amp, "-o", tmp_path / "out", "--jobs", jobs, "--json"]
    command = [sys.executable, "-m", "neuralamp", *map(str, words)]
    child = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, start_new_session=True)
    until = time.monotonic() + 120.0
    while not list((tmp_path / "out").glob("*.wav")) and child.poll() is None and time.monotonic() < until:
        time.sleep(0.005)
    os.killpg(child.pid, signal.SIGINT)
    told, errors = child.communicate(timeout=120)
    assert child.returncode == 130, errors
    assert re.search(r"stopped: \d+ of 8 are left; the same command with --resume goes on", errors)
    assert "Traceback" not in errors
    assert {file["status"] for file in json.loads(told)["files"]} <= {"done", "stopped"}
    assert not [path for path in (tmp_path / "out").iterdir() if path.name.startswith(".")]


def test_info_shows_a_capture_that_is_silent_and_says_so(tmp_path: Path):
    silent = Capture(LinearConfig(1), {"impulse": np.zeros(1, np.float32)}, Card())
    save_capture(tmp_path / "silent.onnx", silent)
    facts = neuralamp("info", tmp_path / "silent.onnx", "--json").facts
    assert facts["loudness_db"] is None
    assert "it answers a guitar with silence" in facts["warnings"][-1]


def test_info_knows_captures_rigs_set_lists_recipes_and_sounds(tmp_path: Path):
    wire(tmp_path / "amp.onnx")
    (tmp_path / "lead.toml").write_text('[[chain]]\nbox = "amp"\ncapture = "amp.onnx"\ninput = 6.0\n[[chain]]\nbox = "level"\n')
    take(tmp_path / "take.flac", channels=2)
    capture = neuralamp("info", tmp_path / "amp.onnx", "--json").facts
    assert (capture["kind"], capture["architecture"], capture["receptive_field_frames"]) == ("capture", "lstm", 1)
    assert capture["weights"] == 4 + 4 + 4 + 4 + 1 + 1  # one cell: four gates of input, state and two biases; a head
    assert capture["card"]["name"] == "amp"
    rig = neuralamp("info", tmp_path / "lead.toml", "--json").facts
    assert (rig["kind"], rig["sample_rate"], rig["latency_frames"], rig["channels_out"]) == ("rig", RATE, 0, 1)
    assert rig["boxes"]["amp"]["input"] == "6 dB (-24 to 24)"
    stage = neuralamp("info", "stage", "--json").facts
    assert stage["boxes"]["phaser"]["bypass"] == "on" and "bypass" not in stage["boxes"]["hall"]
    assert stage["snapshots"]["swirl"] == "bypass phaser off; turn chorus.mix 70"
    (tmp_path / "friday.toml").write_text('[[songs]]\nrig = "stage"\nsnapshot = "lead"\n[[songs]]\nrig = "lead.toml"\n')
    songs = neuralamp("info", tmp_path / "friday.toml", "--json").facts
    assert (songs["kind"], songs["songs"]) == ("set list", {"stage": "stage, lead", "lead": "lead"})
    recipe = neuralamp("info", "wavenet-nano", "--json").facts
    assert (recipe["kind"], recipe["weights"]) == ("recipe", 842)
    sound = neuralamp("info", tmp_path / "take.flac", "--json").facts
    assert (sound["kind"], sound["seconds"], sound["channels"], sound["subtype"]) == ("sound", 0.2, 2, "PCM_24")


def test_info_shows_what_a_file_of_others_is_and_what_is_odd_about_it(recordings):
    folder = recordings / "golden" / "nam"
    facts = neuralamp("info", folder / "core_A2.nam", "--json").facts
    assert (facts["format"], facts["architecture"], facts["sizes"]) == ("Neural Amp Modeler (.nam)", "slimmable", [0.5, 1.0])
    assert facts["knobs"] == ["size"]
    # Of the larger part's 12146 weights 370 are only added: two biases in each of 23 layers of 8 channels, the head's, its scale.
    assert (facts["receptive_field_frames"], facts["multiplications_per_frame"]) == (6347, 12146 - 370)
    assert 0.0 < facts["share_of_a_core_percent"] < 200.0
    assert facts["loudness_db"] == pytest.approx(-26.38, abs=0.01)
    answer = neuralamp("info", folder / "jcm.nam")
    assert answer.err == "warning: it names no sample rate; 48000 Hz is assumed\n"
    assert "13802" in answer.out


def test_a_capture_of_others_is_converted_and_says_so(recordings, tmp_path: Path):
    answer = neuralamp("convert", recordings / "golden" / "nam" / "BossWN-nano.nam", tmp_path / "boss.onnx")
    assert answer.code == 0, answer.err
    assert f"{tmp_path / 'boss.onnx'}: plays as" in answer.out
    assert neuralamp("convert", tmp_path / "boss.onnx", tmp_path / "boss.nam", "--json").facts["difference"] == 0.0
    assert neuralamp("convert", tmp_path / "boss.onnx", tmp_path / "boss.nam").code == 1  # it is there
    assert neuralamp("convert", tmp_path / "boss.onnx", tmp_path / "boss.nam", "--overwrite").code == 0


def test_every_golden_file_re_amps_a_take(recordings, tmp_path: Path):
    take(tmp_path / "take.wav", frames=2000)
    files = sorted((recordings / "golden").glob("nam/*.nam")) + sorted((recordings / "golden").glob("rtneural/*.json"))
    answer = neuralamp("reamp", tmp_path / "take.wav", "--capture", *files, "-o", tmp_path / "out", "--jobs", "1", "--json")
    assert answer.code == 0, answer.err
    assert len(answer.facts["files"]) == len(files) == 23
    assert {file["status"] for file in answer.facts["files"]} == {"done"}


def test_levels_are_asked_for_and_told(recordings, tmp_path: Path):
    take(tmp_path / "take.wav", frames=2000)
    amp = recordings / "golden" / "nam" / "core_lstm.nam"
    words = ["reamp", tmp_path / "take.wav", "-c", amp, "--input-dbu", "12.3", "--loudness", "-18", "-o", tmp_path / "out"]
    answer = neuralamp(*words)
    assert answer.code == 0, answer.err
    assert "core_lstm, amp: captured at 18.3 dBu, device at 12.3: -6.0 dB in" in answer.err
    assert "core_lstm, amp: its loudness is -37.8 dB: +19.8 dB out make it -18" in answer.err


def test_the_doctor_looks_at_everything_and_never_fails():
    answer = neuralamp("doctor", "--json")
    assert answer.code == 0
    seen = {finding["what"] for finding in answer.facts["findings"]}
    assert seen >= {"neuralamp", "cores", "numba", "onnxruntime", "torch", "sounddevice", "kernels", "recipes"}
    for finding in answer.facts["findings"]:
        assert finding["good"] or finding["advice"], f"{finding['what']} is not well, and nothing is advised"
    assert neuralamp("doctor").code == 0


def test_the_bench_compares_in_rows(tmp_path: Path):
    answer = neuralamp("bench", "--only", "LSTM 1x16", "--seconds", "0.05", "--json")
    rows = answer.facts["rows"]
    assert [row["buffer"] for row in rows] == [16, 64, 128, 2048]
    for row in rows:
        assert row["net"] == "LSTM 1x16"
        assert row["rtf"] > 0.0
        assert row["rtf_onnxruntime"] > 0.0
        assert row["rtf_torch"] > 0.0
    (row, *_) = neuralamp("bench", "--only", "level", "--seconds", "0.05", "--json").facts["rows"]
    assert (row["rtf_onnxruntime"], row["rtf_torch"]) == (None, None)


def test_the_demo_makes_a_sound_and_a_picture_with_nothing_given(tmp_path: Path):
    answer = neuralamp("demo", "--output", tmp_path / "demo", "--budget", "40", "--json")
    assert answer.code == 0, answer.err
    facts = answer.facts
    for name in ("capture", "di", "amped", "riff", "riff_through_amp", "riff_through_capture", "picture"):
        assert Path(facts[name]).stat().st_size > 1000
    assert facts["steps"] == 40
    assert facts["esr"] < 1.0  # 40 steps are a tenth of a sketch; that it is better than silence shows that it was learned
    assert soundfile.info(facts["riff_through_capture"]).frames == soundfile.info(facts["riff"]).frames


def test_the_version_is_told():
    assert neuralamp("--version").out == f"neuralamp {__version__}\n"


def test_help_comes_at_once():
    """Nothing heavy is imported before a command needs it."""
    heavy = ("numpy", "numba", "torch", "onnx", "rich.console")
    code = f"import sys; from neuralamp.app import cli; print([name for name in {heavy} if name in sys.modules])"
    result = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60, check=True)
    assert result.stdout.strip() == "[]"


def test_boxes_lists_what_a_rig_may_hold_and_what_can_be_turned_on_each(tmp_path: Path):
    listed = neuralamp("boxes", "--json").facts["boxes"]
    assert {entry["box"] for entry in listed} == set(boxes())
    assert all(len(entry["meaning"]) > 20 for entry in listed)
    assert "overdrive" in neuralamp("boxes").out
    answer = neuralamp("boxes", "delay")
    assert answer.code == 0 and "ping_pong" in answer.out
    # what is printed below the table is a rig that plays
    (tmp_path / "delay.toml").write_text(answer.out[answer.out.index("[[chain]]") :])
    assert read_rig(tmp_path / "delay.toml").boxes()["delay"].values["time"] == 350.0


def test_a_list_of_events_is_played_while_a_take_is_re_amped(tmp_path: Path):
    take(tmp_path / "take.wav", frames=9600)
    for name, level in (("loud", 0.0), ("soft", -20.0)):
        level_rig(tmp_path / f"{name}.toml", level)
    (tmp_path / "songs.toml").write_text('[[songs]]\nname = "a"\nrig = "loud.toml"\n[[songs]]\nname = "b"\nrig = "soft.toml"\n')
    (tmp_path / "song.events").write_text("0.05s turn level.level -6\n4800 change b  # the ballad\n")
    words = ("--setlist", tmp_path / "songs.toml", "--events", tmp_path / "song.events", "-o", tmp_path / "out", "--json")
    answer = neuralamp("reamp", tmp_path / "take.wav", *words)
    assert answer.code == 0, answer.err
    x = soundfile.read(tmp_path / "take.wav")[0]
    y = soundfile.read(tmp_path / "out" / "take - songs.wav")[0]
    assert np.abs(y[:2400] - x[:2400]).max() < 1e-6
    assert np.abs(y[8000:] - 0.1 * x[8000:]).max() < 1e-3
    again = neuralamp("reamp", tmp_path / "take.wav", *words, "--resume").facts
    assert [file["status"] for file in again["files"]] == ["skipped"]
    (tmp_path / "song.events").write_text("0.05s turn level.level -7\n")
    again = neuralamp("reamp", tmp_path / "take.wav", *words, "--resume").facts
    assert [file["status"] for file in again["files"]] == ["done"]  # other events, another sound
