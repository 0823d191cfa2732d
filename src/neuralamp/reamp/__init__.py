"""Recorded takes through rigs: file -> engine -> file, one or thousands."""

from neuralamp.reamp.batch import FileReport, Progress, Report, reamp
from neuralamp.reamp.take import Settings

__all__ = ["FileReport", "Progress", "Report", "Settings", "reamp"]
