"""What ties a worker to its player: it ends with it, and has one line to say."""

import json
import os
import threading
from typing import Any


class Lifeline:
    """The worker's standard input and output. Foreign code that prints what it thinks is not taken for an answer.

    The player holds the other end of our input; when it is gone, whatever the cause, so are we. Foreign code lets other threads
    run while it works, so the one that waits for this is never kept from it. PR_SET_PDEATHSIG would kill us with the player's
    thread that started us, which may end long before the player does.
    """

    def __init__(self) -> None:
        self._to_player = os.dup(1)
        os.dup2(2, 1)

    def told(self) -> str:
        """The line that the player has said first."""
        line = b""
        while not line.endswith(b"\n") and (more := os.read(0, 1 if not line else 2**16)):
            line += more
        return line.decode()

    def die_with_the_player(self) -> None:
        threading.Thread(target=_wait_for_the_end, daemon=True).start()

    def say(self, said: dict[str, Any]) -> None:
        left = json.dumps(said).encode()
        while left:
            left = left[os.write(self._to_player, left) :]


def _wait_for_the_end() -> None:
    while os.read(0, 1):
        pass
    os._exit(0)
