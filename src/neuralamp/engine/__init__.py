"""The chain as sound: plans, events, change of rig, meters. It names no box."""

from neuralamp.engine.board import Board
from neuralamp.engine.engine import OFFLINE_FRAMES, Engine
from neuralamp.engine.meters import Meters
from neuralamp.engine.render import play_capture, render

__all__ = ["OFFLINE_FRAMES", "Board", "Engine", "Meters", "play_capture", "render"]
