"""The chain as sound: plans, events, change of rig, meters. It names no box."""

from neuralamp.engine.board import Board
from neuralamp.engine.engine import OFFLINE_FRAMES, Engine, Meters
from neuralamp.engine.render import play_capture, render

__all__ = ["OFFLINE_FRAMES", "Board", "Engine", "Meters", "play_capture", "render"]
