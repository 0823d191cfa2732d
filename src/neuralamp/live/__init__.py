"""Device, engine, device: a rig played while you play it."""

from neuralamp.live.devices import Device, devices
from neuralamp.live.host import Host
from neuralamp.live.play import Played, play_live

__all__ = ["Device", "Host", "Played", "devices", "play_live"]
