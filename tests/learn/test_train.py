"""A training learns, gives one result for one seed, bears being killed, and keeps what it has when asked to stop."""

import os
import signal
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("torch")

from neuralamp.capture.card import Card
from neuralamp.capture.file import open_capture
from neuralamp.dsp import measure
from neuralamp.engine import play_capture
from neuralamp.errors import CaptureError, TrainingError
from neuralamp.learn import train as loop
from neuralamp.learn.budget import read_budget
from neuralamp.learn.export import export
from neuralamp.learn.learner import Learner, learning_rate
from neuralamp.learn.listen import settled
from neuralamp.learn.recipe import read_recipe
from neuralamp.learn.train import train
from tests.learn.small import LSTM, TRAINING

REPOSITORY = Path(__file__).parents[2]


def same_weights(one, other):
    return all(np.array_equal(one.weights[name], other.weights[name]) for name in one.weights)


@pytest.fixture
def killed_at():
    """A report that ends the training as a power cut would, behind a step."""

    def at(step):
        def report(now):
            if now.step == step:
                raise SystemExit

        return report

    return at


def ctrl_c_at(step, times=1):
    def report(now):
        if now.step == step:
            for _ in range(times):
                os.kill(os.getpid(), signal.SIGINT)

    return report


def test_a_small_net_learns_a_known_amp(small_pair, small_recipe, tmp_path):
    report = train(small_pair, tmp_path / "amp.onnx", small_recipe, budget="400")
    assert report.esr < 0.005  # five seeds of both nets reached 0.0001 to 0.0008
    assert report.steps == 400
    assert report.finished


def test_what_the_card_quotes_is_what_the_file_plays(small_pair, small_recipe, tmp_path):
    report = train(small_pair, tmp_path / "amp.onnx", small_recipe, seed=3, card=Card(name="My amp", gear="tanh"))
    capture = open_capture(report.file)
    di, amped = small_pair.di[small_pair.held_out], small_pair.amped[small_pair.held_out]
    judged = settled(capture.config, len(di))
    played, amped = play_capture(report.file, di, 48_000)[judged], amped[judged]
    assert capture.card.esr == measure.esr(played, amped) == report.esr
    assert capture.card.esr_preemphasis == measure.esr_preemphasis(played, amped) == report.esr_preemphasis
    facts = (capture.card.name, capture.card.gear, capture.card.recipe, capture.card.seed, capture.card.sample_rate)
    assert facts == ("My amp", "tanh", "small", 3, 48_000)
    assert capture.card.steps == report.best_step <= report.steps


def test_one_seed_one_result(small_pair, small_recipe, tmp_path):
    files = [tmp_path / name for name in ("one.onnx", "again.onnx", "other.onnx")]
    for file, seed in zip(files, (5, 5, 6), strict=True):
        train(small_pair, file, small_recipe, seed=seed)
    one, again, other = map(open_capture, files)
    assert same_weights(one, again)
    assert not same_weights(one, other)


@pytest.mark.parametrize("step", [3, 5, 22, 39])
def test_a_broken_training_goes_on_as_if_nothing_had_been(small_pair, small_recipe, tmp_path, killed_at, step):
    whole, broken = tmp_path / "whole.onnx", tmp_path / "broken.onnx"
    train(small_pair, whole, small_recipe)
    with pytest.raises(SystemExit):
        train(small_pair, broken, small_recipe, report=killed_at(step))
    assert not broken.exists()
    seen = []
    report = train(small_pair, broken, small_recipe, report=lambda now: seen.append(now.step))
    assert same_weights(open_capture(whole), open_capture(broken))
    assert seen[0] == step - step % small_recipe.checkpoint_every + 1  # no more is repeated than a checkpoint interval
    assert report.steps == 40
    assert [path.name for path in tmp_path.iterdir() if "broken" in path.name] == ["broken.onnx"]


@pytest.fixture
def heard(monkeypatch):
    """Makes the next hearings give these ratios."""

    def give(*ratios):
        values = iter(ratios)
        monkeypatch.setattr(loop, "listen", lambda *_: next(values))

    return give


def test_the_best_iterate_is_kept_not_the_last(small_pair, small_recipe, tmp_path, heard):
    recipe, whole, stopped = replace(small_recipe, listen_every=10), tmp_path / "whole.onnx", tmp_path / "stopped.onnx"
    heard(0.3, 0.1, 0.2, 0.4)
    assert train(small_pair, whole, recipe).best_step == 20
    heard(0.3, 0.1, 0.1)
    assert train(small_pair, stopped, recipe, report=ctrl_c_at(20)).best_step == 20
    assert same_weights(open_capture(whole), open_capture(stopped))


def test_what_is_heard_at_a_stop_does_not_change_what_comes_of_going_on(small_pair, small_recipe, tmp_path, heard):
    heard(0.0)
    assert train(small_pair, tmp_path / "amp.onnx", small_recipe, report=ctrl_c_at(7)).best_step == 7
    heard(0.3, 0.1)
    assert train(small_pair, tmp_path / "amp.onnx", small_recipe).best_step == 40


def test_kill_nine_costs_no_bit_and_no_more_than_a_checkpoint(small_files, write_recipe):
    recipe = write_recipe(LSTM + TRAINING)
    program = [sys.executable, str(REPOSITORY / "training" / "kill_and_resume.py"), *map(str, small_files)]
    settings = ["--recipe", str(recipe), "--steps", "60", "--kills", "2"]
    environment = os.environ | {"PYTHONPATH": str(REPOSITORY / "src")}
    done = subprocess.run(program + settings, capture_output=True, text=True, env=environment, timeout=240, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "the weights are equal, bit for bit" in done.stdout


@pytest.mark.parametrize("times", [1, 3])
def test_ctrl_c_exports_what_there_is_and_the_training_can_go_on(small_pair, small_recipe, tmp_path, times):
    whole, stopped = tmp_path / "whole.onnx", tmp_path / "stopped.onnx"
    train(small_pair, whole, small_recipe)
    report = train(small_pair, stopped, small_recipe, report=ctrl_c_at(7, times))
    assert (report.steps, report.finished) == (7, False)
    assert open_capture(stopped).card.esr == report.esr
    report = train(small_pair, stopped, small_recipe)
    assert report.finished
    assert same_weights(open_capture(whole), open_capture(stopped))


def test_a_second_ctrl_c_leaves_no_half_file(small_pair, small_recipe, tmp_path, monkeypatch):
    def impatient(*arguments):
        os.kill(os.getpid(), signal.SIGINT)
        return export(*arguments)

    monkeypatch.setattr(loop, "export", impatient)
    report = train(small_pair, tmp_path / "amp.onnx", small_recipe, report=ctrl_c_at(7))
    assert open_capture(report.file).card.esr == report.esr
    assert sorted(path.suffix for path in tmp_path.iterdir()) == [".checkpoint", ".onnx", ".toml"]


def test_a_full_disk_is_told(small_pair, small_recipe, tmp_path, monkeypatch):
    def full(*_):
        raise RuntimeError("PytorchStreamWriter failed writing file data/0: file write failed")

    monkeypatch.setattr("torch.save", full)
    with pytest.raises(TrainingError, match="check the folder and the free space"):
        train(small_pair, tmp_path / "amp.onnx", small_recipe)
    assert [path.suffix for path in tmp_path.iterdir()] == [".toml"]


def test_ctrl_c_is_given_back(small_pair, small_recipe, tmp_path):
    before = signal.getsignal(signal.SIGINT)
    train(small_pair, tmp_path / "amp.onnx", small_recipe, report=ctrl_c_at(2))
    assert signal.getsignal(signal.SIGINT) is before


@pytest.mark.parametrize("changed", ["pair", "recipe", "seed", "budget"])
def test_a_checkpoint_of_another_training_is_refused_by_name(small_pair, other_pair, small_recipe, tmp_path, killed_at, changed):
    file = tmp_path / "amp.onnx"
    with pytest.raises(SystemExit):
        train(small_pair, file, small_recipe, report=killed_at(6))
    pair = other_pair if changed == "pair" else small_pair
    recipe = replace(small_recipe, batch=3) if changed == "recipe" else small_recipe
    with pytest.raises(TrainingError, match=rf"another {changed}.*delete") as caught:
        train(pair, file, recipe, seed=int(changed == "seed"), budget="50" if changed == "budget" else None)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("cut", [0, 100, 3000])
def test_a_broken_checkpoint_is_refused(small_pair, small_recipe, tmp_path, killed_at, cut):
    file = tmp_path / "amp.onnx"
    with pytest.raises(SystemExit):
        train(small_pair, file, small_recipe, report=killed_at(6))
    checkpoint = tmp_path / "amp.checkpoint"
    checkpoint.write_bytes(checkpoint.read_bytes()[:cut])
    with pytest.raises(TrainingError, match="is not a checkpoint"):
        train(small_pair, file, small_recipe)


def test_a_checkpoint_runs_no_code(small_pair, small_recipe, tmp_path):
    import torch

    class Trap:
        def __reduce__(self):
            return (Path.touch, (tmp_path / "sprung",))

    torch.save({"format": 1, "step": Trap()}, tmp_path / "amp.checkpoint")
    with pytest.raises(TrainingError, match="is not a checkpoint"):
        train(small_pair, tmp_path / "amp.onnx", small_recipe)
    assert not (tmp_path / "sprung").exists()


def test_a_loss_that_runs_away_is_told(small_pair, write_recipe, tmp_path):
    recipe = replace(read_recipe(write_recipe(LSTM + TRAINING)), learning_rate=1e38, clip=1e38)
    with pytest.raises(TrainingError, match="lower learning_rate"):
        train(small_pair, tmp_path / "amp.onnx", recipe)
    assert not (tmp_path / "amp.onnx").exists()


def test_minutes_become_steps_and_stay_so(small_pair, small_recipe, tmp_path, killed_at):
    file, told = tmp_path / "amp.onnx", []

    def stop_after_six(now):
        told.append(now.steps)
        killed_at(6)(now)

    with pytest.raises(SystemExit):
        train(small_pair, file, small_recipe, budget="3s", report=stop_after_six)
    report = train(small_pair, file, small_recipe, budget="3s", report=ctrl_c_at(10))
    assert report.steps == 10 and len(set(told)) == 1
    train(small_pair, file, small_recipe, budget="3s", report=lambda now: told.append(now.steps) or ctrl_c_at(12)(now))
    assert len(set(told)) == 1  # what the first calibration found is in the checkpoint


@pytest.mark.parametrize(("text", "steps", "seconds"), [("2000", 2000, None), ("90s", None, 90.0), ("1.5m", None, 90.0)])
def test_a_budget_is_steps_or_time(text, steps, seconds):
    assert (read_budget(text).steps, read_budget(text).seconds) == (steps, seconds)


def test_what_is_compiled_first_takes_no_time_from_learning(small_pair, small_recipe, tmp_path, monkeypatch):
    step, waits = Learner.step, iter([1.5])

    def slow_at_first(self, number, rate):
        time.sleep(next(waits, 0.0))
        return step(self, number, rate)

    monkeypatch.setattr(Learner, "step", slow_at_first)
    report = train(small_pair, tmp_path / "amp.onnx", small_recipe, budget="1s")
    assert report.steps > 20  # a step takes some milliseconds; were the first one measured, it would stay the only one


@pytest.mark.parametrize("text", ["", "0", "-5", "2.5", "soon", "10 days", "0m", "1e3"])
def test_an_impossible_budget_is_told(text):
    with pytest.raises(TrainingError, match="neither steps nor time"):
        read_budget(text)


@pytest.mark.parametrize(("name", "told"), [("amp.wav", r"\.onnx"), ("absent/amp.onnx", "folder")])
def test_an_impossible_output_is_told_before_the_work(small_pair, small_recipe, tmp_path, name, told):
    steps = []
    with pytest.raises(CaptureError, match=told):
        train(small_pair, tmp_path / name, small_recipe, report=lambda now: steps.append(now.step))
    assert steps == []


def test_the_rate_rises_then_falls_and_knows_only_the_step(small_recipe):
    recipe = replace(small_recipe, learning_rate=0.1, rise=0.25)
    rates = [learning_rate(recipe, step, 100) for step in range(100)]
    assert max(rates) == rates[25] == pytest.approx(0.1)
    assert rates[0] == pytest.approx(1e-4) and rates[-1] < 4e-4  # a thousandth of the peak at both ends
    assert rates[:26] == sorted(rates[:26]) and rates[25:] == sorted(rates[25:], reverse=True)
