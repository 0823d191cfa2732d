"""The runs of recipes as a table and as a picture: error over CPU-seconds."""

import statistics
from pathlib import Path

from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from rich.console import Console
from rich.table import Table

from neuralamp.audio import atomic_path
from training.bench.runs import PUBLIC, Run

LEVELS = (0.05, 0.02, 0.01, 0.005, 0.002, 0.001)  # error-to-signal ratios that are asked for
COLOURS = {PUBLIC.name: "#8a8f98", "wavenet-standard": "#f0803c", "lstm-16": "#1f3a5f"}
IN_TORCH = "#c2185b"
Curve = list[tuple[float, float]]  # CPU-seconds and the lowest ratio so far, both medians over the seeds


def tell(runs: list[Run], torch_over_kernels: float, picture: Path, console: Console) -> None:
    """Print what there is, and draw it. `torch_over_kernels` is what the public recipe costs more in torch eager."""
    pairs = list(dict.fromkeys(run.pair for run in runs))
    curves = {pair: curves_of([run for run in runs if run.pair == pair]) for pair in pairs}
    seeds = len({run.seed for run in runs})
    made = Table(
        title=f"CPU-seconds to a held-out ESR, medians of up to {seeds} seeds; public in torch costs {torch_over_kernels:.2f} x"
    )
    for heading in ("pair", "recipe", *(f"{level:g}" for level in LEVELS), "lowest", "CPU-s"):
        made.add_column(heading, justify="left" if heading in ("pair", "recipe") else "right")
    for pair in pairs:
        for recipe, curve in curves[pair].items():
            reached = [_cpu_seconds(curve, level) for level in LEVELS]
            spent, lowest = min(curve, key=lambda point: point[1])
            made.add_row(pair, recipe, *map(_figure, reached), f"{lowest:.5f}", f"{spent:.0f}")
            if recipe == PUBLIC.name:
                in_torch = [None if each is None else each * torch_over_kernels for each in reached]
                made.add_row(
                    pair, "public in torch", *map(_figure, in_torch), f"{lowest:.5f}", f"{spent * torch_over_kernels:.0f}"
                )
        for recipe, times in _factors(curves[pair], torch_over_kernels).items():
            made.add_row(
                pair, f"public in torch / {recipe}", *("" if each is None else f"{each:.1f} x" for each in times), "", ""
            )
        made.add_section()
    console.print(made)
    _draw(curves, torch_over_kernels, picture)
    console.print(f"drawn: {picture}")


def curves_of(runs: list[Run]) -> dict[str, Curve]:
    """Of each recipe of a pair: medians, at each number of steps, over the seeds that were heard there."""
    curves = {}
    for recipe in dict.fromkeys(run.recipe for run in runs):
        by_step: dict[int, list[tuple[float, float]]] = {}
        for run in runs:
            if run.recipe == recipe:
                for heard in run.heard:
                    by_step.setdefault(heard.step, []).append((heard.cpu_seconds, heard.esr))
        curves[recipe] = [
            (statistics.median(cpu for cpu, _ in each), statistics.median(esr for _, esr in each))
            for _, each in sorted(by_step.items())
        ]
    return curves


def _cpu_seconds(curve: Curve, level: float) -> float | None:
    """The first point at which the ratio was reached; None where it never was."""
    return next((cpu for cpu, esr in curve if esr <= level), None)


def _factors(curves: dict[str, Curve], torch_over_kernels: float) -> dict[str, list[float | None]]:
    """How many times the CPU of each of our recipes the public one takes in torch, at each level that both reached."""
    if PUBLIC.name not in curves:
        return {}
    theirs = [_cpu_seconds(curves[PUBLIC.name], level) for level in LEVELS]
    return {
        recipe: [
            None if their is None or our is None else their * torch_over_kernels / our
            for their, our in zip(theirs, (_cpu_seconds(curve, level) for level in LEVELS), strict=True)
        ]
        for recipe, curve in curves.items()
        if recipe != PUBLIC.name
    }


def _figure(seconds: float | None) -> str:
    return "" if seconds is None else f"{seconds:.0f}"


def _draw(curves: dict[str, dict[str, Curve]], torch_over_kernels: float, picture: Path) -> None:
    figure = Figure(figsize=(5.2 * len(curves), 4.6), dpi=100, layout="constrained")
    axes = figure.subplots(1, len(curves), squeeze=False, sharex=True, sharey=True)[0]
    for axis, (pair, of_pair) in zip(axes, curves.items(), strict=True):
        for recipe, curve in of_pair.items():
            cpu, esr = zip(*curve, strict=True)
            axis.plot(cpu, esr, color=COLOURS[recipe], marker="o", markersize=3, label=f"{recipe}, in kernels")
            if recipe == PUBLIC.name:
                in_torch = [torch_over_kernels * each for each in cpu]
                axis.plot(in_torch, esr, color=IN_TORCH, marker="o", markersize=3, label="public, in torch eager")
        axis.set(title=pair, xlabel="CPU-seconds", ylabel="held-out ESR" if axis is axes[0] else "", xscale="log", yscale="log")
        axis.grid(alpha=0.25, which="both")
        axis.legend(loc="upper right")
    with atomic_path(picture) as partial:
        FigureCanvasAgg(figure).print_png(str(partial))
