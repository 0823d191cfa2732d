"""The benches of training run, and what they tell is made of what they measured."""

from dataclasses import replace

import numpy as np
import pytest

pytest.importorskip("torch")

from rich.console import Console

from neuralamp.audio import read_audio
from training.bench import pairs, recipes
from training.bench.recipes_told import tell
from training.bench.recurrent_step import NETS, measure
from training.bench.runs import PUBLIC, Heard, Run, keep, public_epoch, read, train


@pytest.mark.parametrize("name", NETS)
def test_a_step_is_timed_by_torch_and_by_the_kernels(name):
    cost = measure(name, rounds=2, batch=3, warm_up=8, frames=64)
    assert cost.net == name
    assert min(cost.torch_msamples, cost.fused_msamples, cost.one_thread_ms, cost.two_threads_ms) > 0.0
    assert 0.3 < cost.ratio * cost.torch_msamples / cost.fused_msamples < 3.0  # medians of ratios and ratios of medians


def test_a_run_is_heard_at_its_end_and_kept_as_it_was(small_pair, small_recipe, tmp_path):
    done = []
    run = train("small", small_pair, small_recipe, 0, 150, done.append)
    assert run.key == ("small", "small", 0, 150)
    assert done == list(range(1, 151))
    (heard,) = run.heard
    assert heard.step == 150 and heard.cpu_seconds > 0.0
    assert heard.esr < 0.5  # of nothing learned it is 1
    keep(tmp_path / "runs.jsonl", run)
    keep(tmp_path / "runs.jsonl", replace(run, seed=1))
    assert read(tmp_path / "runs.jsonl") == [run, replace(run, seed=1)]


def test_the_public_recipe_is_heard_on_its_way_and_its_rate_falls_with_the_epochs(small_pair, monkeypatch):
    training = sum(part.stop - part.start for part in small_pair.train_parts(0))
    public = replace(PUBLIC, batch=2, segment_frames=training // 4)  # two steps are an epoch
    monkeypatch.setattr("training.bench.runs.PUBLIC", public)
    assert public_epoch(small_pair) == 2
    rates = []
    monkeypatch.setattr("neuralamp.learn.learner.Learner.step", lambda self, number, rate: rates.append(rate) or 0.0)
    run = train("small", small_pair, public, 0, 4, lambda step: None)
    assert rates == [4e-3, 4e-3, 4e-3 * 0.993, 4e-3 * 0.993]
    assert [heard.step for heard in run.heard] == [1, 2, 3, 4]


def run_of(recipe, seed, *points):
    return Run("jcm", recipe, seed, points[-1][0], tuple(Heard(*point) for point in points))


def test_the_table_tells_how_many_times_the_cpu_the_public_recipe_takes_in_torch(tmp_path):
    runs = [run_of("wavenet-standard", seed, (500, 10.0 + seed, 0.015)) for seed in range(3)]
    runs += [run_of(PUBLIC.name, seed, (100, 30.0, 0.1), (900, 275.0, 0.018)) for seed in range(3)]
    console = Console(record=True, width=150)
    tell(runs, 4.0, tmp_path / "recipes.png", console)
    lines = {line.split("│")[2].strip(): [cell.strip() for cell in line.split("│")[3:-1]] for line in told(console)}
    assert lines["wavenet-standard"] == ["11", "11", "", "", "", "", "0.01500", "11"]
    assert lines[PUBLIC.name] == ["275", "275", "", "", "", "", "0.01800", "275"]
    assert lines["public in torch"][:2] == ["1100", "1100"]
    assert lines["public in torch / wavenet-standard"][1] == "100.0 x"
    assert (tmp_path / "recipes.png").stat().st_size > 10_000


def told(console):
    return [line for line in console.export_text().splitlines() if line.startswith("│ jcm")]


def test_what_is_there_is_told_without_recordings(tmp_path, monkeypatch, capsys):
    keep(tmp_path / "runs.jsonl", run_of("wavenet-standard", 0, (500, 10.0, 0.015)))
    (tmp_path / "torch_over_kernels.json").write_text("4.0")
    monkeypatch.setenv("COLUMNS", "150")
    monkeypatch.setattr("sys.argv", ["recipes", "--told", "-o", str(tmp_path)])
    assert recipes.main() == 0
    assert "0.01500" in capsys.readouterr().out
    monkeypatch.setattr("sys.argv", ["recipes", "--told", "-o", str(tmp_path / "elsewhere")])
    assert recipes.main() == 1
    assert "holds no runs yet" in capsys.readouterr().err


def test_the_pair_that_flatters_nobody_has_its_noise_sixty_db_under_the_sound(small_pair):
    clean, noisy = (pairs._in_the_room(small_pair.di, 48_000, seed) for seed in (0, 1))
    difference = (clean - noisy).std() / clean.std()  # two hisses, each of half the noise's energy
    assert 0.0008 < difference < 0.0012


def test_what_a_pair_is_judged_by_is_no_part_of_it(recordings):
    pair = pairs.load("diode", recordings)
    whole = read_audio(recordings / "pairs" / "diode_input.flac").samples[0]
    assert np.array_equal(pair.di, whole)
    assert len(pair.amped[pair.held_out]) == len(pair.di[pair.held_out]) == 250_000
    assert pair.train_parts(4096) == (slice(0, pair.frames - 250_000),)
