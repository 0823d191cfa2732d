"""The public face: a stranger's ONNX graph, opened without being read here, and played by a worker."""

import mmap
import stat
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from pydantic import TypeAdapter, ValidationError

from neuralamp.capture.card import Card
from neuralamp.capture.content import AS_JSON, MARK
from neuralamp.dsp.node import Node
from neuralamp.errors import CaptureError
from neuralamp.guest.facts import MOST_BYTES, Facts, one_line
from neuralamp.guest.hosting import Hosted
from neuralamp.guest.keeper import Keeper, look, start_worker
from neuralamp.guest.link import Link
from neuralamp.guest.serving import nap_seconds
from neuralamp.settings import first_fault

ASSUMED_RATE = 48000
LEAST_SETTLING = 24_000  # frames: half a second at 48 kHz, as recurrent nets of ours are given

CARD_KEYS = {
    "name": ("name", "model_name", "title"),
    "maker": ("maker", "author", "modeled_by"),
    "gear": ("gear", "device"),
    "gear_type": ("gear_type",),
    "tone_type": ("tone_type",),
    "licence": ("licence", "license"),
    "date": ("date",),
}
"""Facts of the card, and the names under which others write them into an ONNX file's metadata, small letters."""
RATE_KEYS = ("sample_rate", "samplerate", "sample rate", "sampling_rate", "fs", "sr")


class Guest:
    """A graph of others that may play.

    card, facts  what its metadata says, and what the worker has found; facts.warnings and `warnings` are for a person.
    """

    def __init__(self, path: Path, facts: Facts):
        self.path, self.facts = path, facts
        self.card, warning = _card(path, facts)
        self.warnings = (*facts.warnings, *warning)
        self._keepers: list[Keeper] = []

    @property
    def settling_frames(self) -> int:
        """Frames of silence after which it is at rest: how far back it hears, and for one with states LEAST_SETTLING at least.

        What is below -120 dB of noise may still be above it for a state that begins far from its rest.
        """
        past = self.facts.receptive_field - 1
        return max(past, LEAST_SETTLING) if self.facts.states else past

    @property
    def latency_frames(self) -> int:
        """By how much its output is late: 0 but for a graph with states that takes buffers of one length only."""
        return self.facts.latency_frames

    @property
    def knobs(self) -> tuple[str, ...]:
        """Names of its knobs: what it hears beside the sound, it keeps to itself."""
        return ()

    @property
    def resting_knobs(self) -> tuple[float, ...]:
        """Where its knobs stand: it has none."""
        return ()

    def start(self, knobs: Sequence[float], max_frames: int) -> Node:
        """A mono node at rest, and the worker behind it, which ends when the node is collected. For files only: it waits.

        Raises CaptureError where the worker cannot begin.
        """
        node, keeper = self._hosted(max_frames).for_files()
        if keeper.reason:
            raise CaptureError(f"{self.path} cannot be played: {keeper.reason}")
        self._keepers = [other for other in self._keepers if not other.ended] + [keeper]
        return node

    def start_live(self, max_frames: int, latency_frames: int) -> tuple[Node, Callable[[], str]]:
        """The same for live sound, later by `latency_frames`; and what tells of a worker that has fallen."""
        node, keeper, reason = self._hosted(max_frames, latency_frames).for_live_sound(self.card.sample_rate)
        if reason:
            raise CaptureError(f"{self.path} cannot be played: {reason}")
        return node, lambda: keeper.trouble

    def _hosted(self, max_frames: int, latency_frames: int = 0) -> Hosted:
        settling = self.settling_frames if self.facts.states else 0  # without states, a past of silence is rest
        nap = nap_seconds(latency_frames, self.card.sample_rate) if latency_frames else 0.0
        link = Link(1, max_frames, latency_frames, self.latency_frames)
        words = ("play", self.path.absolute(), self.facts.past_frames, settling)
        return Hosted(
            link,
            lambda number: start_worker(*map(str, (*words, number, nap)), *link.words, passed=link.passed),
            "onnxruntime crashed on it",
        )

    def check(self) -> None:
        """Raises CaptureError, once, for a worker that has ended while it was needed; from then on its node gave silence."""
        for keeper in self._keepers:
            if keeper.reason and not keeper.ended:
                keeper.ended = True
                raise CaptureError(f"{self.path} stopped playing: {keeper.reason}")


def open_guest(path: Path | str) -> Guest:
    """Let a worker look at a graph. Raises CaptureError, in one line, for what cannot be played."""
    path = Path(path)
    try:
        if not stat.S_ISREG(path.stat().st_mode):
            raise CaptureError(f"{path} is not a file; give the path of an .onnx file")
    except (OSError, ValueError) as reason:
        raise CaptureError(f"{path} cannot be read ({one_line(reason)}); check the name") from None
    found = look(start_worker("look", path.absolute()), "onnxruntime crashed on it")
    if "facts" not in found:
        raise CaptureError(f"{path} cannot be played: {found['refused']}")
    try:
        facts = TypeAdapter(Facts).validate_python(found["facts"])
    except ValidationError as reason:
        raise CaptureError(f"{path} cannot be played: its worker speaks wrongly of {first_fault(reason, 'it')}") from None
    return Guest(path, facts)


def is_foreign(path: Path | str) -> bool:
    """Whether a file may be an ONNX graph of others: neither JSON text nor marked as one of ours. Nothing is parsed.

    Protobuf keeps texts as they are. A stranger may write our mark too; `open_capture` then reads his file as one of ours, which
    checks all and runs nothing.
    """
    try:
        with Path(path).open("rb") as file, mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as content:
            return not AS_JSON.match(content) and len(content) <= MOST_BYTES and content.find(MARK) < 0
    except (OSError, ValueError):  # absent, no file, empty
        return False


def _card(path: Path, facts: Facts) -> tuple[Card, tuple[str, ...]]:
    """The card, and what has to be said about it."""
    said = {key.lower(): value.strip() for key, value in facts.metadata.items()}
    known: dict[str, Any] = {fact: next((said[key] for key in keys if said.get(key)), "") for fact, keys in CARD_KEYS.items()}
    known["name"] = known["name"] or path.stem
    known["writer"] = said.get("producer", "")
    text = next((said[key] for key in RATE_KEYS if said.get(key)), "")
    try:
        return Card(sample_rate=round(float(text)), **known), ()
    except (ValueError, OverflowError, CaptureError):
        told = f"its metadata says {text!r}, which is no sample rate" if text else "it names no sample rate"
        return Card(sample_rate=ASSUMED_RATE, **known), (f"{told}: {ASSUMED_RATE} Hz is assumed",)
