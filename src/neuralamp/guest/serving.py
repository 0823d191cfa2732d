"""The worker's side of playing: wait for its turn, then answer whatever the player hands over, until the player is gone."""

import os
import time
from collections.abc import Callable
from contextlib import suppress
from typing import NoReturn

import numpy as np

from neuralamp.errors import CaptureError
from neuralamp.guest.link import WorkersLink

SPINS = 1000  # looks at the player's count, about 50 us, before a nap; live sound is handed over by the clock, and naps will do
SHORTEST_NAP, LONGEST_NAP = 2e-4, 5e-3  # seconds between two looks at the link
WAITING_NAP = 5e-3  # of a worker whose turn has not come
LOUDEST = 1e3  # what foreign code hears: 60 dB over full scale is no guitar, and must not be what makes it fall
PRIORITY = 5  # of 1 to 99; audio threads have 60 to 80
NAPS = 8  # in the latency of live sound


def serve(
    link: WorkersLink,
    number: int,
    nap_seconds: float,
    play: Callable[[np.ndarray], np.ndarray],
    rest: Callable[[], None],
    turn: Callable[[np.ndarray], None] = lambda knobs: None,
) -> NoReturn:
    """Answer when it is our turn, for ever. For live sound `nap_seconds` is between two looks; for files it is 0.

    play   (channels, frames) float32 to as much; of live sound it must be numbers, lest a wrong one should stay for ever.
    rest   before sound that begins from rest.
    turn   where the knobs stand, before the sound that is played with them.
    """
    link.ready(number)
    while not link.is_turn_of(number):
        time.sleep(WAITING_NAP)
    if link.live:
        _be_prompt()
    link.begin()
    heard = time.monotonic()
    while True:
        x, from_rest = link.hear(1 if link.live else SPINS)
        if x.shape[1] == 0:
            # A tenth of how long it has waited already: at most a tenth is added to any pause, and an idle worker sleeps.
            time.sleep(min(max(nap_seconds, (time.monotonic() - heard) / 10), LONGEST_NAP))
            continue
        if from_rest:
            rest()
        if (knobs := link.turned()) is not None:
            turn(knobs)
        if link.live:
            x = np.clip(np.nan_to_num(x), -LOUDEST, LOUDEST)
        y = play(x)
        if link.live and not np.isfinite(y).all():
            raise CaptureError("it gave values that are no numbers (NaN or infinite)")
        link.answer(y)
        heard = time.monotonic()


def _be_prompt() -> None:
    """Be woken before what has no deadline, where the system lets us (Linux, with the limit `rtprio` that players of JACK have).

    One that computes for ever keeps a core from the others until its keeper ends it.
    """
    with suppress(AttributeError, OSError):
        os.sched_setscheduler(0, os.SCHED_RR | os.SCHED_RESET_ON_FORK, os.sched_param(PRIORITY))


def nap_seconds(latency_frames: int, sample_rate: float) -> float:
    """How long a worker of live sound sleeps between two looks."""
    return min(max(latency_frames / sample_rate / NAPS, SHORTEST_NAP), LONGEST_NAP)
