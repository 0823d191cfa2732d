"""A rig on a device: Device -> engine -> device; a device that goes is looked for, and played on once it is there again."""

import time
from collections.abc import Callable, Sequence
from types import TracebackType

from neuralamp.engine import Engine, Meters
from neuralamp.engine.load import Load
from neuralamp.engine.output import RAMP_MS
from neuralamp.live.facts import device_facts
from neuralamp.live.plug import Plug
from neuralamp.live.portaudio import leave_library
from neuralamp.live.search import Search
from neuralamp.live.stream import Ports, Stream, find_ports
from neuralamp.rig import Rig

LOAD_S = 1.0
LAST_RAMP_S = 0.5  # how long to wait for the ramp into silence: a device that died will never play it
OTHER_RATE = 0.01  # of the rate: a clock that is a little off is not another rate


class Host:
    """Device -> engine -> device.

    device           name or number, or a pair of them for input and output; None is the system's default.
    input_channel    where the guitar is plugged in, from 1.
    output_channels  where left and right are heard, from 1; a single one hears both.
    sample_rate      in hertz; None is the rate of the rig's captures where the device runs at it, else the device's own.

    Opened by its making, muted until `mute(False)`. As a context manager it is started on entry and, on exit, ramps into silence
    and closes. Raises DeviceError in one line for everything that a device can refuse, and what Engine raises for the rig.

    losses  how often the device has gone; `attend`, called now and then, has it looked for.
    """

    def __init__(
        self,
        rig: Rig,
        *,
        device: str | int | Sequence[str | int | None] | None = None,
        input_channel: int = 1,
        output_channels: Sequence[int] = (1, 2),
        sample_rate: float | None = None,
    ):
        wanted_in, wanted_out = (device, device) if device is None or isinstance(device, str | int) else tuple(device)
        ports = find_ports(wanted_in, wanted_out, input_channel, tuple(output_channels))
        rates = [sample_rate] if sample_rate else [rig.plays_at(), ports.output.sample_rate]
        self._plug = Plug(ports.outputs)
        self._stream = Stream(ports, [float(rate) for rate in dict.fromkeys(rates) if rate], self._plug)
        try:
            self.engine = ports.engine(rig, self._stream.sample_rate)
        except BaseException:
            self._stream.close()
            raise
        self._plug.put(self.engine)
        self._search: Search | None = None
        self._over = False
        self.losses = 0
        self._load, self._load_at = Load(), time.monotonic()

    # -- playing -----------------------------------------------------------------------------------------------------

    def start(self) -> None:
        """Let the device call; what is heard stays muted until `mute(False)`."""
        self._stream.start()

    def mute(self, muted: bool = True) -> None:
        """Ramp into silence, or out of it."""
        self.engine.mute(muted)

    def attend(self, adopt: Callable[[Engine], None] = lambda engine: None) -> None:
        """Notice that the device has gone or runs at another rate, have it looked for, and play on once it is there again.

        adopt  is given the engine that will play from then on where the device came back at another rate: time to move over.
        """
        if self._search is None:
            if self._stream.started and not self.running:
                self.losses += 1
                self._search = Search(self._stream, self._plug, self.engine)
        elif found := self._search.found:
            if found.engine is not self.engine:
                adopt(found.engine)
            self._stream, self._plug, self.engine, self._search = found.stream, found.plug, found.engine, None
            self.engine.begin_in_silence()
            self._plug.put(self.engine)

    def stop(self) -> None:
        """Ramp into silence, then let the device go. The meters can still be read."""
        if self._over:
            return
        self._over = True
        if self._search:
            self._search.give_up()
            return
        if self._stream.started and not self._stream.alive:
            leave_library()  # closing the stream may take minutes
            return
        if self._stream.started:
            self.engine.mute()
            # the buffer that is on its way has not seen the mute
            end = self.engine.meters().frames + self.buffer_frames + RAMP_MS * 1e-3 * self.sample_rate
            deadline = time.monotonic() + LAST_RAMP_S
            while self.engine.meters().frames < end and time.monotonic() < deadline:
                time.sleep(0.002)
        self._stream.close()

    def __enter__(self) -> "Host":
        self.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self.stop()

    # -- what it says of itself --------------------------------------------------------------------------------------

    @property
    def ports(self) -> Ports:
        """The devices and their channels."""
        return self._stream.ports

    @property
    def sample_rate(self) -> float:
        return self.engine.sample_rate

    @property
    def running(self) -> bool:
        """False while the device is gone: unplugged, its server ended, or at another sample rate."""
        if self._over or self._search or not self._stream.alive:
            return False
        return abs(self._stream.rate_now / self._stream.sample_rate - 1.0) < OTHER_RATE

    @property
    def lost(self) -> str:
        """What to say while the device is gone, and is being looked for; nothing while it plays."""
        if self._search is None:
            return ""
        return f"{self.ports.name} has gone; looking for it. {self._search.trouble or device_facts(self.ports.output.api).start}"

    @property
    def latency_ms(self) -> tuple[float, float]:
        """Of input and of output, as the device reports it, without what the rig adds (`engine.latency_frames`)."""
        return self._stream.latency_ms

    @property
    def load(self) -> Load:
        """The share of a buffer's time that the rig needed: of the buffers of the last LOAD_S seconds or more."""
        if time.monotonic() - self._load_at > LOAD_S:
            self._load, self._load_at = self.engine.load.read(), time.monotonic()
        return self._load

    @property
    def buffer_frames(self) -> int:
        """The size of the last buffer that the device has sent; 0 before the first."""
        return self.meters().buffer_frames

    def meters(self) -> Meters:
        return self.engine.meters()
