"""One amp in several sizes: whole nets of which one plays, chosen by a knob while playing."""
