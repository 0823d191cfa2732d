"""Ctrl-C as a request, heard at the end of a step, so that what has been learned is kept."""

import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def ctrl_c_is_a_request() -> Iterator[threading.Event]:
    """An event that Ctrl-C sets, once or often, instead of breaking off what runs. Only the main thread can take it over."""
    asked = threading.Event()
    if threading.current_thread() is not threading.main_thread():
        yield asked
        return
    before = signal.signal(signal.SIGINT, lambda *_: asked.set())
    try:
        yield asked
    finally:
        signal.signal(signal.SIGINT, before)
