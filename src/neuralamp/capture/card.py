"""What is written on a capture: whose amp, at which levels, learned how, and how close it came."""

import json
from dataclasses import asdict, dataclass, fields
from pathlib import Path
from typing import ClassVar

from pydantic import TypeAdapter, ValidationError

from neuralamp.errors import CaptureError
from neuralamp.files import read_toml
from neuralamp.settings import NO_OTHER_KEYS, first_fault

LEVELS = ("input_level_dbu", "output_level_dbu", "loudness_db")
MOST_DB = 200.0  # beyond is no voltage and no loudness, and a gain made of it may be infinite


SLOWEST, FASTEST = 1000, 1_000_000  # Hz, of any sample rate that a card may say


@dataclass(frozen=True)
class Card:
    """The facts that travel with a capture; an empty text or None where a fact is not known.

    name, maker          what the capture is called and who made it.
    gear, gear_type      the device ("Plexi clone"), and its kind ("amp", "pedal", "amp and cab", ...).
    tone_type            "clean", "crunch", "high gain", ...
    sample_rate          of the recordings, in hertz: the rate at which the net must run.
    input_level_dbu      voltage at the device's input that was 0 dBFS in the DI, in dBu; output_level_dbu likewise behind it.
    loudness_db          how loud it answers a guitar, in dBFS, as other captures are measured; for playing them equally loud.
    latency_frames       how late the amped take was, before it was aligned; the capture itself is not late.
    polarity             -1 where the amped take was turned over before learning.
    recipe, steps, seed  how it was learned.
    esr                  on the held-out part, through the player, as in dsp/measure.py; esr_preemphasis likewise.
    licence, date        of the capture; the date as YYYY-MM-DD.
    source               the file and format that it was converted from.
    writer               the version of neuralamp that wrote the file.
    """

    __pydantic_config__: ClassVar = NO_OTHER_KEYS

    name: str = ""
    sample_rate: int = 48000
    maker: str = ""
    gear: str = ""
    gear_type: str = ""
    tone_type: str = ""
    input_level_dbu: float | None = None
    output_level_dbu: float | None = None
    loudness_db: float | None = None
    latency_frames: int = 0
    polarity: int = 1
    recipe: str = ""
    steps: int | None = None
    seed: int | None = None
    esr: float | None = None
    esr_preemphasis: float | None = None
    licence: str = ""
    source: str = ""
    date: str = ""
    writer: str = ""

    def __post_init__(self):
        if not SLOWEST <= self.sample_rate <= FASTEST:
            raise CaptureError(
                f"the card says {self.sample_rate} Hz; a sample rate between {SLOWEST} and {FASTEST} Hz is possible"
            )
        if self.polarity not in (-1, 1):
            raise CaptureError(f"the card says polarity {self.polarity}; it is 1 or -1")
        for name in LEVELS:
            if (level := getattr(self, name)) is not None and not is_level(level):
                raise CaptureError(f"the card says {name} {level:g}; a level between -{MOST_DB:g} and {MOST_DB:g} is possible")

    def known(self) -> dict[str, str | int | float]:
        """The facts that are known, in order."""
        return {name: value for name, value in asdict(self).items() if value not in ("", None)}


def is_level(decibels: float) -> bool:
    """Whether a device or an amp can have this level."""
    return abs(decibels) <= MOST_DB


def write_card(path: Path, card: Card) -> None:
    """The card as TOML, for people to read beside the capture."""
    lines = [f"{name} = {json.dumps(value, ensure_ascii=False)}\n" for name, value in card.known().items()]
    path.write_text("".join(lines), encoding="utf-8")


def read_card(path: Path) -> Card:
    """A card that `write_card` wrote, or a person. Raises CaptureError for what is no card."""
    _, facts = read_toml(path, CaptureError, example='name = "Red plexi"')
    try:
        # By way of JSON: there, strict typing takes 1 for 1.0, and nothing else for anything else.
        return TypeAdapter(Card).validate_json(json.dumps(facts, default=str), strict=True)
    except ValidationError as reason:
        known = ", ".join(field.name for field in fields(Card))
        raise CaptureError(f"{path} is not a card at {first_fault(reason, whole='its text')}; it may say: {known}") from None
    except CaptureError as reason:
        raise CaptureError(f"{path} is not possible: {reason}") from None
