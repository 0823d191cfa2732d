"""How loud a capture is played: the voltages it was made at, those of the device it is heard through, and a loudness for all."""

from dataclasses import dataclass

from neuralamp.capture.card import Card


@dataclass(frozen=True)
class Levels:
    """What is asked for; None where nothing is.

    device_input_dbu   the voltage at the device's input that is 0 dBFS, in dBu; device_output_dbu likewise at its output.
    loudness_db        how loud every capture is to be, in dBFS, whatever its own loudness.
    """

    device_input_dbu: float | None = None
    device_output_dbu: float | None = None
    loudness_db: float | None = None


def gains_db(card: Card, levels: Levels) -> tuple[float, float, tuple[str, ...]]:
    """Gain into the capture and behind it, in dB, and what has to be said about them.

    In: X - Z, X of the device and Z of the capture, so that the voltage of the guitar drives the capture as it drove the amp.
    Behind it: Y - X, Y of the capture and X of the device, so that the voltage of the amp comes out; a loudness that is asked for
    goes before: loudness_db less the capture's own.
    """
    notes = []
    before = after = 0.0
    if levels.device_input_dbu is not None:
        if card.input_level_dbu is None:
            notes.append("the capture does not say its input level, so the device's changes nothing")
        else:
            before = levels.device_input_dbu - card.input_level_dbu
            notes.append(f"captured at {card.input_level_dbu:g} dBu, device at {levels.device_input_dbu:g}: {before:+.1f} dB in")
    if levels.loudness_db is not None and card.loudness_db is None:
        notes.append("its loudness is not known, so it stays as it is")
    elif levels.loudness_db is not None and card.loudness_db is not None:
        after = levels.loudness_db - card.loudness_db
        notes.append(f"its loudness is {card.loudness_db:.1f} dB: {after:+.1f} dB out make it {levels.loudness_db:g}")
    elif levels.device_output_dbu is not None:
        if card.output_level_dbu is None:
            notes.append("the capture does not say its output level, so the device's changes nothing")
        else:
            after = card.output_level_dbu - levels.device_output_dbu
            notes.append(f"amp at {card.output_level_dbu:g} dBu, device at {levels.device_output_dbu:g}: {after:+.1f} dB out")
    return before, after, tuple(notes)
