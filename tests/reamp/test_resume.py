"""A batch that was broken off, by Ctrl-C, by a power cut, by the death of a process, and taken up again."""

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from neuralamp.errors import ReampError
from neuralamp.reamp import Report, Settings, reamp
from neuralamp.reamp.manifest import NAME, Manifest
from neuralamp.reamp.take import Job
from tests.reamp.studio import level_rig, take, wire

CHILD = """
import json, sys
from neuralamp.reamp import reamp
if __name__ == "__main__":
    facts = json.loads(sys.argv[1])
    report = reamp(facts["inputs"], facts["out"], captures=facts["captures"], processes=facts["processes"])
    print(json.dumps([file.status for file in report.files]))
"""


def start(inputs: list[Path], out: Path, captures: list[Path], processes: int, folder: Path) -> subprocess.Popen:
    """A batch in a process of its own, in a group of its own, as in a terminal."""
    script = folder / "child.py"
    script.write_text(CHILD)
    facts = {"inputs": [*map(str, inputs)], "out": str(out), "captures": [*map(str, captures)], "processes": processes}
    command = [sys.executable, str(script), json.dumps(facts)]
    return subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, start_new_session=True)


def wait_for(condition, seconds: float = 60.0) -> None:
    until = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < until, "it never came about"
        time.sleep(0.002)


def contents(out: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in sorted(out.iterdir()) if path.name != NAME}


def statuses(report: Report) -> list[str]:
    return [file.status for file in report.files]


@pytest.fixture(scope="module")
def batch(tmp_path_factory: pytest.TempPathFactory) -> tuple[list[Path], list[Path], dict[str, bytes]]:
    """Takes long enough to be killed in, two captures, and what an undisturbed batch makes of them."""
    folder = tmp_path_factory.mktemp("batch")
    inputs = [take(folder / f"take{i}.wav", frames=96000, subtype=("PCM_24", "FLOAT")[i % 2], seed=i) for i in range(6)]
    captures = [wire(folder / "a.onnx", gain=0.3, hidden=64), wire(folder / "b.onnx", gain=-0.2, hidden=64)]
    reamp(inputs, folder / "undisturbed", captures=captures, processes=1)
    return inputs, captures, contents(folder / "undisturbed")


@pytest.mark.parametrize("processes", [1, 2])
def test_after_kill_9_resume_gives_the_same_bytes(tmp_path: Path, batch, processes: int):
    inputs, captures, undisturbed = batch
    out = tmp_path / "out"
    child = start(inputs, out, captures, processes, tmp_path)
    wait_for(lambda: len(list(out.glob("take*.wav"))) >= 3 or child.poll() is not None)
    child.kill()  # the parent alone: its workers see to themselves
    child.wait()
    before = contents(out)
    wait_for(lambda: not _group_lives(child.pid))
    assert 3 <= len([name for name in before if not name.startswith(".")]) < 12
    report = reamp(inputs, out, captures=captures, resume=True, processes=1)
    assert set(statuses(report)) == {"skipped", "done"}
    assert contents(out) == undisturbed  # no other file either: what was half written is swept away


def _group_lives(group: int) -> bool:
    try:
        os.killpg(group, 0)
    except ProcessLookupError:
        return False
    return True


@pytest.mark.parametrize("processes", [1, 2])
def test_ctrl_c_leaves_whole_files_and_says_what_is_left(tmp_path: Path, batch, processes: int):
    inputs, captures, undisturbed = batch
    out = tmp_path / "out"
    child = start(inputs, out, captures, processes, tmp_path)
    wait_for(lambda: len(list(out.glob("take*.wav"))) >= 3 or child.poll() is not None)
    os.killpg(child.pid, signal.SIGINT)  # a terminal tells everyone
    told, errors = child.communicate(timeout=60)
    assert errors == ""
    stand = json.loads(told)
    assert stand.count("done") >= 1
    assert stand.count("stopped") >= 1
    assert stand.count("done") + stand.count("stopped") == 12
    held = contents(out)
    assert 0 <= len(held) - stand.count("done") <= processes  # some may stand that nobody has recorded yet
    for name, data in held.items():
        assert data == undisturbed[name]
    report = reamp(inputs, out, captures=captures, resume=True, processes=1)
    assert 0 <= statuses(report).count("skipped") - stand.count("done") <= processes
    assert contents(out) == undisturbed


@pytest.mark.skipif(not Path("/proc").is_dir(), reason="finds the worker in /proc, which only Linux has")
def test_a_worker_that_dies_fails_its_own_take_and_no_other(tmp_path: Path, batch):
    inputs, captures, undisturbed = batch
    out = tmp_path / "out"
    child = start(inputs, out, captures, 2, tmp_path)
    wait_for(lambda: len(list(out.glob("take*.wav"))) >= 2 or child.poll() is not None)
    workers = [pid for pid in _children(child.pid) if b"spawn_main" in Path(f"/proc/{pid}/cmdline").read_bytes()]
    os.kill(workers[0], signal.SIGKILL)
    told, errors = child.communicate(timeout=60)
    assert errors == ""
    stand = json.loads(told)
    assert (stand.count("failed"), stand.count("done")) == (1, 11)
    reamp(inputs, out, captures=captures, resume=True, processes=1)
    assert contents(out) == undisturbed


def _children(pid: int) -> list[int]:
    return [int(child) for child in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]


# -- what counts as done -------------------------------------------------------------------------------------------------


def test_only_what_was_made_from_exactly_this_is_skipped(tmp_path: Path):
    inputs = [take(tmp_path / "a.wav", seed=1), take(tmp_path / "b.wav", seed=2)]
    rig, amp, out = level_rig(tmp_path / "rig.toml", -3.0), wire(tmp_path / "amp.onnx"), tmp_path / "out"

    def again(settings: Settings | None = None) -> list[str]:
        return statuses(reamp(inputs, out, captures=[amp], rigs=[rig], resume=True, processes=1, settings=settings))

    assert again() == ["done"] * 4
    assert again() == ["skipped"] * 4
    take(inputs[1], seed=3)
    assert again() == ["skipped", "skipped", "done", "done"]
    level_rig(rig, -4.0)
    assert again() == ["skipped", "done", "skipped", "done"]
    wire(amp, gain=0.1)
    assert again() == ["done", "skipped", "done", "skipped"]
    assert again(Settings(tail_seconds=0.5)) == ["done"] * 4
    (out / "a - amp.wav").unlink()
    (out / "a - rig.wav").write_bytes(b"cut short")
    assert again(Settings(tail_seconds=0.5)) == ["done", "done", "skipped", "skipped"]


def test_what_stands_is_not_overwritten_unless_asked(tmp_path: Path):
    inputs, amp, out = [take(tmp_path / "a.wav"), take(tmp_path / "b.wav")], wire(tmp_path / "amp.onnx"), tmp_path / "out"
    reamp(inputs[:1], out, captures=[amp])
    stood = (out / "a - amp.wav").stat().st_mtime_ns
    with pytest.raises(ReampError, match="1 of 2 outputs are there already"):
        reamp(inputs, out, captures=[amp])
    assert contents(out).keys() == {"a - amp.wav"}
    assert (out / "a - amp.wav").stat().st_mtime_ns == stood
    assert statuses(reamp(inputs, out, captures=[amp], overwrite=True)) == ["done", "done"]
    assert (out / "a - amp.wav").stat().st_mtime_ns != stood


def test_a_stranger_s_file_of_an_output_s_name_survives_resume(tmp_path: Path):
    inputs, amp, out = [take(tmp_path / "a.wav"), take(tmp_path / "b.wav")], wire(tmp_path / "amp.onnx"), tmp_path / "out"
    out.mkdir()
    (out / "a - amp.wav").write_bytes(b"the mix of last year")
    report = reamp(inputs, out, captures=[amp], resume=True)
    assert statuses(report) == ["failed", "done"]
    assert "was made by something else" in report.files[0].error
    assert (out / "a - amp.wav").read_bytes() == b"the mix of last year"
    assert statuses(reamp(inputs, out, captures=[amp], resume=True, overwrite=True)) == ["done", "skipped"]


def test_what_a_killed_writer_left_is_swept_and_nothing_else(tmp_path: Path):
    inputs, amp, out = [take(tmp_path / "a.wav")], wire(tmp_path / "amp.onnx"), tmp_path / "out"
    out.mkdir()
    for name in (".a - amp.x7_gh2k1.wav", ".a - amp.notes.txt", ".b - amp.x7_gh2k1.wav"):
        (out / name).write_bytes(b"half")
    reamp(inputs, out, captures=[amp], resume=True)
    assert contents(out).keys() == {".a - amp.notes.txt", ".b - amp.x7_gh2k1.wav", "a - amp.wav"}


def test_what_is_written_behind_half_a_line_is_remembered(tmp_path: Path):
    (tmp_path / NAME).write_bytes(b'{"output": "a.wav", "inp')
    Manifest(tmp_path).begin(Job(tmp_path / "in.wav", 0, tmp_path / "b.wav"))
    assert Manifest(tmp_path).owns(tmp_path / "b.wav")
    assert not Manifest(tmp_path).owns(tmp_path / "a.wav")


def test_half_a_line_in_the_manifest_costs_one_file_and_nothing_else(tmp_path: Path):
    inputs, amp, out = [take(tmp_path / f"{name}.wav") for name in "abc"], wire(tmp_path / "amp.onnx"), tmp_path / "out"
    reamp(inputs, out, captures=[amp], processes=1)
    whole = (out / NAME).read_bytes()
    (out / NAME).write_bytes(whole[:-20])
    assert statuses(reamp(inputs, out, captures=[amp], resume=True, processes=1)) == ["skipped", "skipped", "done"]
    assert statuses(reamp(inputs, out, captures=[amp], resume=True, processes=1)) == ["skipped"] * 3
