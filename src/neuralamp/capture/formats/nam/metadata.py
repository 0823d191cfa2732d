"""What a .nam file says of the amp, to a card and back."""

import re
from typing import Any

from neuralamp.capture.card import FASTEST, SLOWEST, Card, is_level
from neuralamp.capture.json_table import Table, as_number, short

TEXTS = {"name": "name", "maker": "modeled_by", "gear_type": "gear_type", "tone_type": "tone_type"}
NUMBERS = {"input_level_dbu": "input_level_dbu", "output_level_dbu": "output_level_dbu", "loudness_db": "loudness"}
"""Our facts, their keys."""
DEFAULT_RATE = 48000


def read_card(model: Table, fallback: dict[str, Any], source: str) -> tuple[Card, tuple[str, ...]]:
    """The card, and what the file did not say or said strangely. `fallback` is the metadata of a net inside it."""
    told = model.get("metadata")
    metadata = fallback | (told if isinstance(told, dict) else {})
    warnings = []
    if told is not None and not isinstance(told, dict):
        warnings.append(f"its metadata is {short(told)} and not an object; it is not read")
    facts: dict[str, Any] = {ours: text for ours, theirs in TEXTS.items() if isinstance(text := metadata.get(theirs), str)}
    levels = {ours: as_number(metadata.get(theirs)) for ours, theirs in NUMBERS.items()}
    facts |= {ours: level for ours, level in levels.items() if level is not None and is_level(level)}
    facts["gear"] = " ".join(str(metadata[key]) for key in ("gear_make", "gear_model") if isinstance(metadata.get(key), str))
    facts["date"] = _date(metadata.get("date"))
    training = metadata.get("training")
    if isinstance(training, dict) and (esr := as_number(training.get("validation_esr"))) is not None:
        facts["esr"] = esr
    rate = as_number(model.get("sample_rate"))
    if rate is None or not SLOWEST <= rate <= FASTEST:
        warnings.append(f"it names no sample rate; {DEFAULT_RATE} Hz is assumed")
        rate = DEFAULT_RATE
    return Card(sample_rate=round(rate), source=source, **facts), tuple(warnings)


def _date(date: Any) -> str:
    """{year, month, day} as YYYY-MM-DD; nothing where that is not what stands there."""
    if not isinstance(date, dict):
        return ""
    parts = [as_number(date.get(key)) for key in ("year", "month", "day")]
    if any(part is None or not 0 < part < 10000 for part in parts):
        return ""
    year, month, day = (int(part) for part in parts if part is not None)
    return f"{year:04}-{month:02}-{day:02}"


def write_metadata(card: Card) -> dict[str, Any]:
    """The object under "metadata"; what is not known is null, as other writers have it."""
    metadata: dict[str, Any] = {"date": None}
    if day := re.fullmatch(r"(\d{4})-(\d\d)-(\d\d)", card.date):  # others write what they like there
        clock = {"hour": 0, "minute": 0, "second": 0}
        metadata["date"] = dict(zip(("year", "month", "day"), map(int, day.groups()), strict=True)) | clock
    facts = card.known()
    metadata |= {theirs: facts.get(ours) for ours, theirs in (NUMBERS | TEXTS).items()}
    make, _, gear = card.gear.partition(" ")
    metadata |= {"gear_make": make or None, "gear_model": gear or None}
    if card.esr is not None:
        metadata["training"] = {"validation_esr": card.esr}
    return metadata
