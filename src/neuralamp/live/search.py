"""A device that has gone is looked for, on a thread of its own: keys and the status line go on meanwhile."""

import threading
from dataclasses import dataclass

from neuralamp.engine import Engine
from neuralamp.errors import NeuralAmpError
from neuralamp.live.facts import device_facts
from neuralamp.live.plug import Plug
from neuralamp.live.portaudio import end_library, leave_library, list_devices_anew, replace_library
from neuralamp.live.stream import Stream

LOOK_S = 0.2


@dataclass(frozen=True)
class Found:
    """The device again, calling, with nothing in its plug; and the engine to put there: the old one wherever it fits."""

    stream: Stream
    plug: Plug
    engine: Engine


class Search:
    """Looks for the ports of a stream until they are there, and opens them at the engine's rate, or at their own.

    trouble  why it has not come to sound, where the device is there and refuses.
    """

    def __init__(self, gone: Stream, plug: Plug, engine: Engine):
        self.found: Found | None = None
        self.trouble = ""
        self._gone, self._plug, self._engine = gone, plug, engine
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._run, name="device", daemon=True)  # a frozen server may hold it for ever
        self._thread.start()

    def give_up(self) -> None:
        """Look no further; what has been opened meanwhile is closed, what is just being done is left behind."""
        self._over.set()
        self._thread.join(LOOK_S)
        if self.found:
            self.found.stream.close()
        elif self._thread.is_alive():
            leave_library()

    def _run(self) -> None:
        self._plug.pull()
        dead = not self._gone.alive
        closes = not dead or device_facts(self._gone.ports.output.api).closes_dead
        if closes:
            self._gone.close()
            end_library()
        else:
            replace_library()
        while not self._over.wait(LOOK_S):
            list_devices_anew()
            try:
                self.trouble = ""
                self.found = self._open()
            except NeuralAmpError as reason:
                self.trouble = str(reason)
            if self.found:
                return
            if self.trouble and not closes:
                replace_library()  # it may have gone again, and then it could not be ended
            else:
                end_library()

    def _open(self) -> Found | None:
        ports = self._gone.ports.found_again()
        if ports is None:
            return None
        plug = Plug(ports.outputs)
        stream = Stream(ports, list(dict.fromkeys((self._engine.sample_rate, ports.output.sample_rate))), plug)
        stream.start()
        fits = stream.sample_rate == self._engine.sample_rate
        try:
            return Found(stream, plug, self._engine if fits else ports.engine(self._engine.plan.rig, stream.sample_rate))
        except NeuralAmpError:
            stream.close()
            raise
