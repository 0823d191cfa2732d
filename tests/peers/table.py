"""The tables of docs/formats.md: python -m tests.peers.table DATA prints them, DATA holding golden/nam and golden/rtneural."""

import json
import sys
from pathlib import Path

import soundfile

from neuralamp.capture.file import open_capture
from neuralamp.nets import architecture_of
from neuralamp.nets.weights import count
from tests.peers.test_nam import answer
from tests.peers.test_rtneural import NAMES, worst_error
from tests.sound import error_db


def print_nam(folder: Path) -> None:
    """Signal over error of every render, the whole of it."""
    print("| file | size | net | weights | signal over error |\n| --- | --- | --- | --- | --- |")
    x, _ = soundfile.read(folder / "input.wav", dtype="float32")
    for row in json.loads((folder / "nam" / "renders.json").read_text()):
        capture = open_capture(folder / "nam" / row["model"])
        render, _ = soundfile.read(folder / "nam" / row["render"])
        error = -error_db(answer(capture, x, row["size"]), render)
        size = "" if row["size"] is None else f"{row['size']:g}"
        net = architecture_of(capture.config).name
        print(f"| {row['model']} | {size} | {net} | {count(capture.config.weights())} | {error:.1f} dB |")


def print_rtneural(folder: Path) -> None:
    """The worst error of every model against its own test vectors."""
    print("| file | net | worst error |\n| --- | --- | --- |")
    for name in NAMES:
        capture = open_capture(folder / "rtneural" / f"{name}.json")
        print(f"| {name}.json | {architecture_of(capture.config).name} | {worst_error(folder / 'rtneural', name):.1e} |")


if __name__ == "__main__":
    print_nam(Path(sys.argv[1]) / "golden")
    print()
    print_rtneural(Path(sys.argv[1]) / "golden")
