"""The terminal says how far a training is."""

import io

import pytest

pytest.importorskip("torch")

from rich.console import Console

from neuralamp.learn.progress import training_progress
from neuralamp.learn.train import Progress


def shown(*steps):
    terminal = io.StringIO()
    with training_progress(Console(file=terminal, force_terminal=True, width=160, color_system=None)) as report:
        for now in steps:
            report(now)
    return terminal.getvalue()


def test_the_line_has_the_error_the_best_and_the_time_left():
    line = shown(Progress(step=400, steps=2000, loss=0.2, esr=0.0512, best_esr=0.0498, seconds_left=84.0))
    for told in ("400 of 2000 steps", "ESR 0.0512 (best 0.0498)", "1:24 left", "learning"):
        assert told in line


def test_before_the_first_hearing_the_loss_is_shown():
    assert "loss 0.312" in shown(Progress(step=3, steps=10, loss=0.312, esr=None, best_esr=None, seconds_left=1.0))


def test_at_the_end_the_line_says_what_is_done():
    now = Progress(step=10, steps=10, loss=0.1, esr=0.1, best_esr=0.1, seconds_left=0.0)
    assert "measuring through the player" in shown(now)
