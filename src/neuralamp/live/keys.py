"""Single keys from a terminal, without Enter; from a pipe they are read the same way."""

import os
import sys
import time
from types import TracebackType

if sys.platform == "win32":
    import msvcrt
else:
    import select
    import termios
    import tty


class Keys:
    """While it is open, `pressed` answers with the next key. The terminal is put back on exit, however that comes."""

    def __enter__(self) -> "Keys":
        self._before = None
        self._ended = False
        if sys.platform != "win32" and sys.stdin.isatty():
            self._before = termios.tcgetattr(sys.stdin)
            tty.setcbreak(sys.stdin)
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        if sys.platform != "win32" and self._before is not None:
            termios.tcsetattr(sys.stdin, termios.TCSADRAIN, self._before)

    def pressed(self, timeout: float) -> str:
        """The key pressed within `timeout` seconds, Enter as a line feed; an empty text if none was."""
        if sys.platform == "win32":
            time.sleep(timeout)
            return msvcrt.getwch().replace("\r", "\n") if msvcrt.kbhit() else ""
        if self._ended:
            time.sleep(timeout)
            return ""
        ready, _, _ = select.select([sys.stdin.fileno()], [], [], timeout)
        if not ready:
            return ""
        key = os.read(sys.stdin.fileno(), 1).decode("ascii", "replace")
        self._ended = not key  # the pipe is closed: nobody will press anything any more
        return key
