"""A training as it runs, on the terminal: one line with the live error, the best so far and the time left."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager

from rich.console import Console
from rich.progress import BarColumn, SpinnerColumn, TextColumn
from rich.progress import Progress as Bar

from neuralamp.learn.train import Progress


@contextmanager
def training_progress(console: Console | None = None) -> Iterator[Callable[[Progress], None]]:
    """A progress line while the block runs; give what it yields to `train(report=...)`."""
    columns = (
        SpinnerColumn(),
        TextColumn("{task.description}"),
        BarColumn(),
        TextColumn("{task.completed:.0f} of {task.fields[steps]} steps"),
        TextColumn("{task.fields[esr]}"),
        TextColumn("{task.fields[left]}"),
    )
    with Bar(*columns, console=console) as bar:
        line = bar.add_task("getting ready (compiling, the first time)", total=None, steps="?", esr="", left="")

        def report(now: Progress) -> None:
            bar.update(
                line,
                description="learning" if now.step < now.steps else "measuring through the player",
                completed=now.step,
                total=now.steps,
                steps=now.steps,
                esr=_ratios(now),
                left=f"{_clock(now.seconds_left)} left",
            )

        yield report


def _ratios(now: Progress) -> str:
    """The held-out error as last heard and at best; the loss until there is one."""
    if now.esr is None or now.best_esr is None:
        return f"loss {now.loss:.3f}"
    return f"ESR {now.esr:.4f} (best {now.best_esr:.4f})"


def _clock(seconds: float) -> str:
    minutes, seconds = divmod(round(seconds), 60)
    return f"{minutes}:{seconds:02d}"
