"""The chain as sound: plans, events, change of rig, meters. It names no box."""

from neuralamp.engine.engine import OFFLINE_FRAMES, Engine, Meters, Turn, play_capture, render

__all__ = ["OFFLINE_FRAMES", "Engine", "Meters", "Turn", "play_capture", "render"]
