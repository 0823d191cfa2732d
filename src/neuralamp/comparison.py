"""Two captures against each other, equally loud, a foot apart; blind where one does not want to know which is which."""

from pathlib import Path

from neuralamp.blocks import boxes
from neuralamp.messages import Turn
from neuralamp.rig import MIXER, Lanes, Rig, Snapshot

LOUDNESS_DB = -18.0  # of either, whatever its own: what is louder sounds better
SILENT_DB = -60.0  # of the mixer: silence


def comparison(first: Path | str, second: Path | str, *, loudness_db: float = LOUDNESS_DB, turned: bool = False) -> Rig:
    """A rig whose snapshots "A" and "B" are two captures, levelled by what each makes of the same guitar, mixed over 8 ms.

    turned  A is the second capture and B the first: for who lets a coin decide.

    Raises CaptureError for a capture that cannot be opened, or made that loud.
    """
    pair = (second, first) if turned else (first, second)
    lanes = tuple(
        (boxes()["amp"](capture=capture, loudness_db=loudness_db), boxes()[MIXER](stereo=False, level=level))
        for capture, level in zip(pair, (0.0, SILENT_DB), strict=True)
    )
    return Rig("A or B", (Lanes(lanes),), (_heard("A", MIXER, f"{MIXER}-2"), _heard("B", f"{MIXER}-2", MIXER)))


def _heard(name: str, loud: str, silent: str) -> Snapshot:
    return Snapshot(name, (Turn(loud, "level", 0.0), Turn(silent, "level", SILENT_DB)))
